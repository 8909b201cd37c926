import type { Doc } from "./document.ts"

/** A version of a branch: a full copy of the state, and what it came from. */
export interface Version {
  readonly branch: ModelBranch
  readonly version: number
  readonly doc: Doc
  readonly parents: ReadonlyArray<Version>
  /** The older the lower. */
  readonly order: number
  readonly type: string
  /** The keys that it changed, as pointers, in order. */
  readonly changed: ReadonlyArray<string>
  readonly message?: string
  readonly source?: Version
}

export interface ModelBranch {
  readonly agent: string
  readonly name: string
  /** The version with which it began: its name may have been another's before. */
  readonly born: number
  readonly parent: Version | undefined
  readonly versions: Map<number, Version>
  head: Version
  isLive: boolean
  session: string | undefined
}

/** What led to a version, the newest first: on its own branch, and on those that it began with. */
export const lineOf = (version: Version): ReadonlyArray<Version> => {
  const line: Array<Version> = []
  let next: Version | undefined = version
  while (next !== undefined) {
    line.push(next)
    const { branch, version: number }: Version = next
    next = number > branch.born ? branch.versions.get(number - 1) : branch.parent
  }
  return line
}
