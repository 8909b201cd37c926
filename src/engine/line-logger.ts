import { type Logger as Pino, pino } from "pino"

const readable = (line: string): { level: string; text: string } => {
  const { level, msg, err } = JSON.parse(line) as {
    readonly level: string
    readonly msg?: string
    readonly err?: { readonly message?: string }
  }
  const texts = [msg, err?.message].filter((text) => text !== undefined && text !== "")
  return { level, text: [...new Set(texts)].join(": ") }
}

/** A logger for `open` that hands warnings and errors over as text, for those who show them to people. */
export const lineLogger = (write: (entry: { readonly level: string; readonly text: string }) => void): Pino =>
  pino(
    { level: "warn", formatters: { level: (label) => ({ level: label }) } },
    { write: (line: string) => write(readable(line)) }
  )
