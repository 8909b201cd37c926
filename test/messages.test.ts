import { describe, expect, test } from "vitest"
import { classes, clauseOnly, samples, words } from "./error-samples.ts"

/** Those whose words from outside say what to do as well as what was wrong, or that say it behind a colon. */
const adviceInOneSentence: Readonly<Record<string, string>> = {
  InvalidArgument: "its problem ends with what to give instead",
  BadConnectionString: "its problem says what to write in that part",
  TlsFileUnreadable: "names the setting and the file to mend",
  ServerTooOld: "names the version that is needed"
}

const sentencesOf = (message: string): ReadonlyArray<string> =>
  message.split("\n")[0]!.split(/(?<=\.)\s+(?=[A-Z])/)

describe("the message of", () => {
  test.each(classes)("%s is made of sentences, whatever words are taken into it", (_, of) => {
    for (const { message } of samples(of, words)) {
      expect(message).not.toMatch(/\.\)?\s*[.:;,]|\s[.,;:]/)
      expect(message).toMatch(/\.$|\. Its last lines:\n/)
    }
  })

  test.each(classes)("%s says in a sentence of its own what to do next", (name, of) => {
    for (const { message } of samples(of, clauseOnly)) {
      const isOne = sentencesOf(message).length === 1
      expect([message, isOne]).toEqual([message, name in adviceInOneSentence])
    }
  })
})

test.each(classes)("%s is called so, whatever it holds", (name, of) => {
  for (const error of samples(of, words)) expect(String(error)).toBe(`${name}: ${error.message}`)
})
