import { Effect } from "effect"
import { parse } from "yaml"
import { fileURLToPath } from "node:url"
import { parseEnv } from "node:util"
import { expect, test } from "vitest"
import { fromSources } from "../../../src/engine/settings/sources.ts"
import { givenProblems } from "../../../src/engine/settings/given.ts"
import { withMonitoring } from "../../../src/engine/settings/monitoring.ts"
import { exampleEnvironment, exampleYaml, referencePage } from "../../../src/engine/settings/reference.ts"

// What people read of the settings is what they are: after a change of these, `npx vitest run test/engine/settings/reference.test.ts -u`.

const at = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url))

test.each([
  ["docs/configuration.md", referencePage],
  ["examples/tidemark.env", exampleEnvironment],
  ["examples/tidemark.yaml", exampleYaml]
])("%s is made of the settings", async (path, text) => {
  await expect(text()).toMatchFileSnapshot(at(path))
})

const settings = (given: object, environment: NodeJS.Dict<string>) =>
  Effect.runPromise(fromSources({ config: false, ...given }, environment, "/"))

/** Every example in use: what is commented out is a name, a sign and a value. */
const inUse = (text: string): string => text.replaceAll(/^# (?=[A-Z_]+=|[a-z][A-Za-z]*: \S+$)/gm, "")

test("every setting of the examples is one that is taken", async () => {
  const environment = parseEnv(inUse(exampleEnvironment()))
  const found = await settings({}, environment)
  expect(Object.keys(found).length).toBeGreaterThan(10)
  const { database, ...others } = await settings(parse(inUse(exampleYaml())) as object, {})
  expect(database).toMatchObject({ host: "localhost", port: 5432, database: "fleet" })
  expect(found).toMatchObject(others)
})

test("the keys under monitoring of the example are taken, and so are its rules of alerts", () => {
  const yaml = exampleYaml()
  const section = yaml.slice(yaml.indexOf("# monitoring:")).replaceAll(/^# /gm, "")
  const rules = /^# (alertRules: .*)$/m.exec(yaml)![1]!
  const { values, problems } = withMonitoring(
    "tidemark.yaml",
    parse(`${section}\n${rules}`) as Record<string, unknown>
  )
  expect(problems).toEqual([])
  expect(givenProblems("tidemark.yaml", values)).toEqual([])
  expect(Object.keys(values).toSorted()).toEqual([
    "alertRules",
    "healthCheckMs",
    "heartbeatIntervalMs",
    "measureMs",
    "metricDays"
  ])
})
