import { formatPointer, type Path } from "../../base/pointer.ts"
import { mergeArrays } from "./arrays.ts"
import type { ConflictKind, Gap, Note } from "./conflict.ts"
import type { Merging, Outcome, Sides } from "./merging.ts"
import { mergeNumbers } from "./number.ts"
import type { Rulebook, Settings } from "./rule.ts"
import { mergeText } from "./text.ts"
import {
  entryOf,
  isArray,
  isObject,
  isSame,
  isUnresolved,
  kindOf,
  type MaybeVirtual,
  type Virtual,
  type VirtualObject
} from "./virtual.ts"

const NOTHING: VirtualObject = {}

/** The table by which values are merged, from the top down; the numbers of its rows stand beside the code. */
export class Decision implements Merging {
  private readonly rules: Rulebook
  private readonly outcome: Outcome
  /** Both sides added an object that holds what is being decided. */
  private bothAdded = false

  constructor(rules: Rulebook, outcome: Outcome) {
    this.rules = rules
    this.outcome = outcome
  }

  decide(path: Path, sides: Sides): MaybeVirtual {
    const { base, ours, theirs } = sides
    // 4 first: each key of three objects goes through rows 1 to 3 by itself, which says the same and looks only once.
    if (isObject(base) && isObject(ours) && isObject(theirs)) return this.decideKeys(path, base, ours, theirs)
    if (isSame(ours, theirs) && !this.isCounted(path, sides)) return ours // 1
    if (isSame(base, ours)) return theirs // 2
    if (isSame(base, theirs)) return ours // 3
    if (base === undefined) return this.decideAdded(path, sides)
    if (ours === undefined) return this.conflict(path, "delete_modify", sides) // 7
    if (theirs === undefined) return this.conflict(path, "modify_delete", sides) // 8
    if (isUnresolved(base)) return this.decideDisputed(path, base, sides)
    return this.combined(path, this.rules.at(path), sides) ?? this.apart(path, changeKind(sides), sides)
  }

  /** Whether sides that are alike are, or may hold, two changes of a counter: whoever made them, both count. */
  private isCounted(path: Path, { base, ours }: Sides): boolean {
    if (!this.rules.hasCounters || isUnresolved(base)) return false
    if (isObject(ours)) return base === undefined
    const { number, array } = this.rules.at(path)
    if (isArray(ours)) return typeof array === "object" && (base === undefined || isArray(base))
    return (
      typeof ours === "number" && number === "counter" && (base === undefined || typeof base === "number")
    )
  }

  /** What cannot be combined. Arrays that are alike were only looked into for counters. */
  private apart(path: Path, kind: ConflictKind, sides: Sides): MaybeVirtual {
    const { ours, theirs } = sides
    return isArray(ours) && isSame(ours, theirs) ? ours : this.conflict(path, kind, sides)
  }

  conflict(path: Path, kind: ConflictKind, sides: Sides, gap?: Gap): MaybeVirtual {
    return this.outcome.conflict(path, kind, sides, gap)
  }

  note(note: Note): void {
    this.outcome.note(note)
  }

  /** The result is ours itself where nothing of it changes. */
  private decideKeys(
    path: Path,
    base: VirtualObject | symbol,
    ours: VirtualObject,
    theirs: VirtualObject
  ): VirtualObject {
    if (base === theirs || (ours === theirs && !this.rules.hasCounters)) return ours
    if (base === ours) return theirs
    const entries: Array<readonly [string, Virtual]> = []
    let same = true
    const decideKey = (key: string): void => {
      const mine = entryOf(ours, key)
      const value = this.decideKey(path, key, base, mine, entryOf(theirs, key))
      if (value !== mine) same = false
      if (value !== undefined) entries.push([key, value])
    }
    for (const key of Object.keys(ours)) decideKey(key)
    for (const key of Object.keys(theirs)) if (!Object.hasOwn(ours, key)) decideKey(key)
    return same ? ours : Object.fromEntries(entries)
  }

  /** Most keys hold the same and are decided by a glance, without a path. */
  private decideKey(
    path: Path,
    key: string,
    object: VirtualObject | symbol,
    ours: MaybeVirtual,
    theirs: MaybeVirtual
  ): MaybeVirtual {
    const base = isUnresolved(object) ? object : entryOf(object, key)
    if (base === theirs || (ours === theirs && !this.rules.hasCounters)) return ours
    if (base === ours) return theirs
    return this.decide([...path, key], { base, ours, theirs })
  }

  private decideAdded(path: Path, sides: Sides): MaybeVirtual {
    const { ours, theirs } = sides
    // What is absent on one side is the other's addition: rows 2 and 3 have taken it.
    const rule = this.rules.at(path)
    if (rule.bothAdded === "conflict")
      return isSame(ours, theirs) ? ours : this.conflict(path, "add_add", sides)
    if (isObject(ours) && isObject(theirs)) return this.decideAddedKeys(path, ours, theirs) // 5
    return this.combinedAdded(path, rule, ours, theirs) ?? this.apart(path, "add_add", sides) // 6
  }

  private decideAddedKeys(path: Path, ours: VirtualObject, theirs: VirtualObject): VirtualObject {
    if (this.bothAdded) return this.decideKeys(path, NOTHING, ours, theirs)
    if (!isSame(ours, theirs)) this.note({ kind: "auto:add_add_object", path: formatPointer(path) })
    this.bothAdded = true
    const value = this.decideKeys(path, NOTHING, ours, theirs)
    this.bothAdded = false
    return value
  }

  /** 6: arrays begin empty (where sequences then always conflict), numbers at 0; the rest has no common beginning. */
  private combinedAdded(path: Path, rule: Settings, ours: MaybeVirtual, theirs: MaybeVirtual): MaybeVirtual {
    if (isArray(ours)) return this.combined(path, rule, { base: [], ours, theirs })
    if (typeof ours === "number") return this.combined(path, rule, { base: 0, ours, theirs })
    return undefined
  }

  /** What the rule of a path makes of two changes of one kind; undefined where it makes nothing of them. */
  private combined(path: Path, rule: Settings, { base, ours, theirs }: Sides): MaybeVirtual {
    if (isArray(base) && isArray(ours) && isArray(theirs)) {
      return mergeArrays(rule.array ?? "atomic", path, { base, ours, theirs }, this) // 9
    }
    if (
      rule.text === true &&
      typeof base === "string" &&
      typeof ours === "string" &&
      typeof theirs === "string"
    ) {
      return mergeText(base, ours, theirs) // 10
    }
    if (
      rule.number !== undefined &&
      typeof base === "number" &&
      typeof ours === "number" &&
      typeof theirs === "number"
    ) {
      return mergeNumbers(rule.number, base, ours, theirs) // 11
    }
    return undefined
  }

  /** Where the bases disagree nobody can say who changed what: equal sides converge, all that differs conflicts. */
  private decideDisputed(path: Path, base: symbol, sides: Sides): MaybeVirtual {
    const { ours, theirs } = sides
    if (isObject(ours) && isObject(theirs)) return this.decideKeys(path, base, ours, theirs)
    return this.conflict(path, changeKind(sides), sides)
  }
}

/** 12 */
const changeKind = ({ ours, theirs }: Sides): ConflictKind =>
  kindOf(ours) === kindOf(theirs) ? "modify_modify" : "type_change"
