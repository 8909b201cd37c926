// npm run nemesis -- --minutes 20 --seed 7
import { spawnSync } from "node:child_process"
import { parseArgs } from "node:util"

const { values } = parseArgs({
  options: { minutes: { type: "string", default: "2" }, seed: { type: "string" } }
})

for (const [name, text] of Object.entries(values)) {
  if (!(Number(text) > 0)) {
    console.error(`--${name} takes a number above 0, not ${JSON.stringify(text)}.`)
    process.exit(2)
  }
}

const { status } = spawnSync("npx", ["vitest", "run", "--mode", "nemesis"], {
  stdio: "inherit",
  env: {
    ...process.env,
    TIDEMARK_NEMESIS_MINUTES: values.minutes,
    ...(values.seed === undefined ? {} : { TIDEMARK_TEST_SEED: values.seed })
  }
})
process.exit(status ?? 1)
