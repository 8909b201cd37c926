import type { Path } from "../../base/pointer.ts"
import { bySpecificity, type Glob, matches, parseGlob } from "./glob.ts"

/**
 * How two changes of one array become one.
 * - `atomic`: not at all; they conflict.
 * - `set`: what either side added, without what either side removed; never conflicts.
 * - `keyed`: elements are objects, and are the same where the values of these fields are; each is merged by itself.
 * - `append`: what both sides put behind the base; elements are the same by their `id`, and without one by their value.
 * - `sequence`: hunks as in a diff3 of lines.
 */
export type ArrayStrategy =
  | "atomic"
  | "set"
  | "append"
  | "sequence"
  | { readonly keyed: ReadonlyArray<string> }

/** How two changes of one number become one: both differences count, or the greater or the lesser number stays. */
export type NumberStrategy = "counter" | "max" | "min"

/** What merges at a path. */
export interface Settings {
  readonly array?: ArrayStrategy
  readonly number?: NumberStrategy
  /** Strings are merged by lines. */
  readonly text?: true
  /** Whether what both sides added is merged where it can be, as by default, or always conflicts. */
  readonly bothAdded?: "merge" | "conflict"
  /** Edits follow what the other side moved elsewhere, where it is plain what was moved to where. */
  readonly moves?: "follow"
  /** Who wins a conflict here, whatever the strategy of the merge. */
  readonly strategy?: "source_wins" | "target_wins"
}

/** Settings for the paths that a glob matches (glob.ts); the first part of a path is the tier. */
export interface Rule extends Settings {
  readonly path: string
}

/** Rules made ready for many questions. */
export class Rulebook {
  private readonly rules: ReadonlyArray<{
    readonly glob: Glob
    readonly settings: Settings
    readonly rule: Rule
  }>
  /** Somewhere there are counters, of which two changes count though they are alike. */
  readonly hasCounters: boolean

  /** @throws {TypeError} where a path is no pointer; `rulesProblem` finds that and more beforehand. */
  constructor(rules: ReadonlyArray<Rule>) {
    this.rules = rules
      .map((rule) => {
        const { path, ...settings } = rule
        const glob = parseGlob(path)
        if (glob === undefined)
          throw new TypeError(`The path ${JSON.stringify(path)} of a rule is no pointer`)
        return { glob, settings, rule }
      })
      .toSorted((one, other) => bySpecificity(one.glob, other.glob))
    this.hasCounters = rules.some(({ number }) => number === "counter")
  }

  /** The most special rule of a path, where there is one. */
  ruleOf(path: Path): Rule | undefined {
    return this.rules.findLast(({ glob }) => matches(glob, path))?.rule
  }

  at(path: Path): Settings {
    const matching = this.rules.filter(({ glob }) => matches(glob, path))
    return Object.assign({}, ...matching.map(({ settings }) => settings)) as Settings
  }
}

/**
 * What holds at a path. Each field is taken from the most specific rule that has it: the one with the most literal
 * parts, then with the most parts (`**` does not count as one), then the later one.
 */
export const ruleFor = (rules: ReadonlyArray<Rule>, path: Path): Settings => new Rulebook(rules).at(path)
