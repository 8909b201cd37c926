import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import path from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"

const root = fileURLToPath(new URL("../../", import.meta.url))
const compiler = path.join(root, "node_modules", ".bin", "tsc")

/**
 * Inside the package, so that the compiled files find its node_modules and its `imports`; apart from dist/, so that a
 * build during the tests takes nothing from under a running worker.
 */
const builds = path.join(root, ".test-workers")

/** Folders whose .sql files are read at run time, beside the code that reads them. */
const withSql = ["schema", "projections", "src"]

export type Workers = {
  /** Holds the compiled test/workers, one .js for each .ts. */
  readonly directory: string
  readonly rebuild: () => Promise<void>
  readonly remove: () => Promise<void>
}

const project = {
  extends: "../../tsconfig.json",
  compilerOptions: {
    rootDir: "../..",
    outDir: ".",
    noEmit: false,
    declaration: false,
    noCheck: true,
    // A worker would read those of all that it imports, each time it starts.
    sourceMap: false
  },
  include: [
    "../../test/workers/*.ts",
    "../../test/support/fixtures/*-worker.ts",
    "../../examples/*.ts",
    "../../src/*.ts"
  ],
  exclude: []
}

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"
  }
}

/** Builds bear the pid of their run; those of killed runs are of no use any more. */
const removeAbandoned = async () => {
  for (const build of await readdir(builds)) {
    const pid = Number.parseInt(build, 10)
    if (!Number.isNaN(pid) && !isAlive(pid))
      await rm(path.join(builds, build), { recursive: true, force: true })
  }
}

/** Examples import the package by its name, which would be dist/: here they try what was just compiled. */
const useThisBuild = async (examples: string): Promise<void> => {
  for (const file of (await readdir(examples)).filter((name) => name.endsWith(".js"))) {
    const example = path.join(examples, file)
    const text = await readFile(example, "utf8")
    const own = text
      .replace('from "tidemark"', 'from "../src/index.js"')
      .replaceAll(/from "tidemark\/(\w+)"/g, 'from "../src/$1.js"')
    await writeFile(example, own)
  }
}

/** Compiles test/workers and what they import: Node 20 cannot run TypeScript, and a child process has no vitest. */
export const buildWorkers = async (): Promise<Workers> => {
  await mkdir(builds, { recursive: true })
  await writeFile(path.join(builds, ".gitignore"), "*\n")
  await removeAbandoned()
  const home = await mkdtemp(path.join(builds, `${process.pid}-`))
  await writeFile(path.join(home, "tsconfig.json"), JSON.stringify(project))

  const rebuild = async () => {
    try {
      await promisify(execFile)(compiler, ["--project", home])
    } catch (error) {
      const { stdout } = error as { stdout?: string }
      throw new Error(`the test workers do not compile:\n${stdout ?? String(error)}`, { cause: error })
    }
    for (const folder of withSql.filter((name) => existsSync(path.join(root, name)))) {
      const files = await readdir(path.join(root, folder), { recursive: true })
      for (const file of files.filter((name) => name.endsWith(".sql")))
        await cp(path.join(root, folder, file), path.join(home, folder, file))
    }
  }

  await rebuild()
  await useThisBuild(path.join(home, "examples"))
  return {
    directory: path.join(home, "test", "workers"),
    rebuild,
    remove: () => rm(home, { recursive: true, force: true })
  }
}
