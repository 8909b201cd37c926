// Installs the peers when they are missing or outdated, compiles the engine and the benchmark, and runs a script of it under plain Node.
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, statSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { fileURLToPath } from "node:url"

const here = dirname(fileURLToPath(import.meta.url))
const root = dirname(here)
const tsc = join(root, "node_modules", "typescript", "bin", "tsc")
const [script, ...args] = process.argv.slice(2)

// Their output goes to stderr, so that stdout holds nothing but the figures.
const run = (command, commandArgs, options = {}) => {
  const { status, error } = spawnSync(command, commandArgs, {
    cwd: here,
    stdio: ["ignore", 2, 2],
    ...options
  })
  if (error !== undefined) throw error
  if (status !== 0) process.exit(status ?? 1)
}

const installed = () => {
  const marker = join(here, "node_modules", ".package-lock.json")
  return existsSync(marker) && statSync(marker).mtimeMs >= statSync(join(here, "package-lock.json")).mtimeMs
}

const profiling = () => {
  const option = args.indexOf("--profile")
  const directory = args[option + 1]
  if (option === -1 || directory === undefined) return []
  // npm changes into this folder; INIT_CWD is where the user is.
  const path = resolve(process.env.INIT_CWD ?? process.cwd(), directory)
  mkdirSync(path, { recursive: true })
  return ["--cpu-prof", `--cpu-prof-dir=${path}`]
}

const npm = process.platform === "win32" ? "npm.cmd" : "npm"
if (!installed()) run(npm, ["--prefix", here, "ci", "--no-audit", "--no-fund"])
run(process.execPath, [tsc, "-p", join(root, "tsconfig.build.json")])
run(process.execPath, [tsc, "-p", join(here, "tsconfig.json")])
run(process.execPath, [...profiling(), join(here, "dist", script), ...args], { stdio: "inherit" })
