import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import path from "node:path"

/** What a commit holds: the text of each file, by its name. */
export type Files = ReadonlyMap<string, string>

export interface Commit {
  /** The places of its parents among the commits. */
  readonly parents: ReadonlyArray<number>
  readonly files?: Files
}

/** How git merges two commits, file by file. */
export interface GitMerge {
  readonly clean: boolean
  /** The names of the files in conflict. */
  readonly conflicts: ReadonlyArray<string>
  /** The id of each file's text. */
  readonly files: ReadonlyMap<string, string>
}

const MEBIBYTE = 2 ** 20

/** What is written is thrown away soon: nothing is compressed, or waited for until it is on the disk. */
const SETTINGS = [
  "merge.renames=false",
  "core.compression=0",
  "pack.compression=0",
  "core.fsync=none"
].flatMap((setting) => ["-c", setting])

/** How long a comparison with git may take, in ms: a few seconds, but on a machine with much else to do. */
export const PATIENCE_MS = 120_000

/** From this version on git merges trees in series (`merge-tree --stdin`). */
const WANTED = [2, 39] as const

/** Whether there is a git that can be asked. */
export const gitAnswers = (): boolean => {
  try {
    const [major, minor] = /(\d+)\.(\d+)/
      .exec(execFileSync("git", ["--version"], { encoding: "utf8" }))!
      .slice(1)
      .map(Number)
    return major! > WANTED[0] || (major === WANTED[0] && minor! >= WANTED[1])
  } catch {
    return false
  }
}

/** The id that git gives to a file with this text. */
export const blobId = (text: string): string =>
  createHash("sha1")
    .update(`blob ${Buffer.byteLength(text)}\0${text}`)
    .digest("hex")

const data = (text: string): string => `data ${Buffer.byteLength(text)}\n${text}\n`

/** Its time is its place, so that git knows older from newer as the caller does. */
const imported = ({ parents, files }: Commit, place: number): string => {
  const [first, ...others] = parents
  return [
    ...(first === undefined ? ["reset refs/heads/all\n\n"] : []),
    `commit refs/heads/all\nmark :${place + 1}\ncommitter a <a@b> ${place} +0000\n${data("")}`,
    ...(first === undefined ? [] : [`from :${first + 1}\n`]),
    ...others.map((parent) => `merge :${parent + 1}\n`),
    ...(files === undefined ? [] : ["deleteall\n"]),
    ...[...(files ?? [])].map(([name, text]) => `M 100644 inline ${name}\n${data(text)}`)
  ].join("")
}

/** A repository that holds commits of many histories, all of one stream, and answers many questions at once. */
export class GitRepository implements Disposable {
  private readonly folder = mkdtempSync(path.join(tmpdir(), "tidemark-git-"))
  private readonly ids: ReadonlyArray<string>

  constructor(commits: ReadonlyArray<Commit>) {
    this.git(["init", "--quiet", "--bare"])
    this.git(["fast-import", "--quiet", "--force", "--export-marks=marks"], commits.map(imported).join(""))
    const marks = readFileSync(path.join(this.folder, "marks"), "utf8").trim().split("\n")
    const ids: Array<string> = []
    for (const mark of marks) {
      const [place, id] = mark.slice(1).split(" ")
      ids[Number(place) - 1] = id!
    }
    this.ids = ids
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true })
  }

  private git(parameters: ReadonlyArray<string>, input: string | Buffer = ""): Buffer {
    return execFileSync("git", [...SETTINGS, ...parameters], {
      cwd: this.folder,
      input,
      maxBuffer: 512 * MEBIBYTE,
      env: {
        PATH: process.env["PATH"],
        GIT_CONFIG_NOSYSTEM: "1",
        GIT_CONFIG_GLOBAL: "/dev/null",
        HOME: this.folder
      }
    })
  }

  private placeOf(id: string): number {
    return this.ids.indexOf(id)
  }

  /** As `git merge-base --all` has it, of one pair. */
  mergeBases(one: number, other: number): ReadonlyArray<number> {
    try {
      const ids = this.git(["merge-base", "--all", this.ids[one]!, this.ids[other]!])
        .toString()
        .trim()
        .split("\n")
      return ids.map((id) => this.placeOf(id)).toSorted((a, b) => a - b)
    } catch {
      return []
    }
  }

  /** The same for many pairs: `git rev-parse a...b` names both ends, and then, as excluded, all merge bases. */
  allMergeBases(pairs: ReadonlyArray<readonly [number, number]>): ReadonlyArray<ReadonlyArray<number>> {
    const places = new Map(this.ids.map((id, place) => [id, place]))
    const found: Array<Array<number>> = []
    let ends = 0
    const wanted = pairs.map(([one, other]) => `${this.ids[one]}...${this.ids[other]}`)
    for (const line of this.git(["rev-parse", ...wanted])
      .toString()
      .trim()
      .split("\n")) {
      if (line.startsWith("^")) found.at(-1)!.push(places.get(line.slice(1))!)
      else if ((ends += 1) % 2 === 1) found.push([])
    }
    return found.map((bases) => bases.toSorted((a, b) => a - b))
  }

  merges(pairs: ReadonlyArray<readonly [number, number]>): ReadonlyArray<GitMerge> {
    const asked = pairs.map(([one, other]) => `${this.ids[one]} ${this.ids[other]}\n`).join("")
    const answer = this.git(["merge-tree", "--stdin", "-z", "--name-only", "--no-messages"], asked)
    const words = answer.toString().split("\0")[Symbol.iterator]()
    const next = (): string => words.next().value!
    const merges = pairs.map(() => {
      const clean = next() === "1"
      const tree = next()
      const conflicts: Array<string> = []
      for (let name = next(); name !== ""; name = next()) conflicts.push(name)
      return { clean, tree, conflicts }
    })
    const files = this.trees(merges.map(({ tree }) => tree))
    return merges.map(({ clean, conflicts }, index) => ({ clean, conflicts, files: files[index]! }))
  }

  /** The files of trees without folders. */
  private trees(ids: ReadonlyArray<string>): ReadonlyArray<ReadonlyMap<string, string>> {
    const answer = this.git(["cat-file", "--batch"], ids.map((id) => `${id}\n`).join(""))
    let at = 0
    return ids.map(() => {
      const line = answer.indexOf("\n", at)
      const end = line + 1 + Number(answer.subarray(at, line).toString().split(" ")[2])
      at = line + 1
      const files = new Map<string, string>()
      while (at < end) {
        const name = answer.indexOf("\0", at)
        files.set(
          answer.subarray(answer.indexOf(" ", at) + 1, name).toString(),
          answer.subarray(name + 1, name + 21).toString("hex")
        )
        at = name + 21
      }
      at = end + 1
      return files
    })
  }
}
