import { Schema } from "effect"
import { clause } from "../../base/clause.ts"

/** Another engine, or another call of this one, rebuilds this projection already. */
export class RebuildUnderWay extends Schema.TaggedError<RebuildUnderWay>()("RebuildUnderWay", {
  projection: Schema.String,
  application: Schema.String,
  host: Schema.String,
  pid: Schema.Int,
  /** For how long it has been at it, in ms. */
  sinceMs: Schema.Finite
}) {
  override get message(): string {
    const since = Math.round(this.sinceMs / 1000)
    return `Projection ${this.projection} is being rebuilt already, since ${since} s, by ${this.application} on ${this.host} (pid ${this.pid}). Nothing was done; wait for that one, or end it: what it leaves is cleaned up by the next rebuild.`
  }
}

/** The fold of a projection failed on an event while it was rebuilt. */
export class RebuildFailed extends Schema.TaggedError<RebuildFailed>()("RebuildFailed", {
  projection: Schema.String,
  /** The event that the fold failed on. */
  position: Schema.Int,
  type: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `Projection ${this.projection} cannot be rebuilt past event ${this.position} (${this.type}): ${clause(this.detail)}. The live tables are as they were, and nothing of the rebuild was kept; mend the fold and rebuild again.`
  }
}

/** What was built from the log is not what the live tables hold, though the same definition filled both. */
export class RebuildDiffers extends Schema.TaggedError<RebuildDiffers>()("RebuildDiffers", {
  projection: Schema.String,
  /** Both were compared as they are after this event. */
  position: Schema.Int,
  /** How many rows are in both and differ. */
  different: Schema.Int,
  onlyLive: Schema.Int,
  onlyRebuilt: Schema.Int,
  /** Some of them, by table and key. */
  examples: Schema.Array(Schema.String),
  /** The tables of the rebuild, where they were kept to be looked at. */
  kept: Schema.Array(Schema.String)
}) {
  override get message(): string {
    const left =
      this.kept.length === 0
        ? "the rebuild was dropped"
        : `the rebuild is left in ${this.kept.join(", ")} until the next one`
    return `Projection ${this.projection}, rebuilt, is not what its live tables are at ${this.position}: ${this.different} rows differ, ${this.onlyLive} are only live, ${this.onlyRebuilt} only rebuilt; such as ${this.examples.join("; ")}. The live tables serve on, and ${left}. Where the log is right, rebuild without verification; where the fold changed, give the definition a higher version.`
  }
}

/** The live tables were filled by a newer version of the definition. */
export class OlderDefinition extends Schema.TaggedError<OlderDefinition>()("OlderDefinition", {
  projection: Schema.String,
  found: Schema.Int,
  given: Schema.Int
}) {
  override get message(): string {
    return `Projection ${this.projection} is at version ${this.found}, and this is version ${this.given}. Nothing was done: rebuild with the newer code, roll back to what was kept, or say force to go back on purpose.`
  }
}

/** A view must be made anew because its columns change, and others' objects are made of it. */
export class ViewsInTheWay extends Schema.TaggedError<ViewsInTheWay>()("ViewsInTheWay", {
  projection: Schema.String,
  relation: Schema.String,
  /** What hangs on it. */
  dependents: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `Projection ${this.projection} gets other columns, so its view ${this.relation} has to be made anew, and ${this.dependents.join(", ")} hang on it. Nothing was changed; drop those first and make them again after the rebuild, or only add columns at the end.`
  }
}

/** There is no earlier generation to go back to. */
export class NoGenerationKept extends Schema.TaggedError<NoGenerationKept>()("NoGenerationKept", {
  projection: Schema.String
}) {
  override get message(): string {
    return `Projection ${this.projection} has no kept generation to roll back to. Rebuild it with the definition that is wanted; a rebuild keeps the generation before it unless told otherwise.`
  }
}

/** The earlier generation has not folded telemetry that retention has dropped since: whoever folded on from there would miss it. */
export class GenerationTooOld extends Schema.TaggedError<GenerationTooOld>()("GenerationTooOld", {
  projection: Schema.String,
  generation: Schema.Int,
  /** Up to where it is folded. */
  position: Schema.Int,
  /** Telemetry up to there is gone. */
  droppedUpTo: Schema.Int
}) {
  override get message(): string {
    return `Generation ${this.generation} of projection ${this.projection} is folded up to position ${this.position}, and telemetry up to position ${this.droppedUpTo} has been dropped since. Nothing was changed; rebuild it with the definition that is wanted.`
  }
}

/** A rebuild was given up: another took it over, or the log is another one than it began with. */
export class RebuildLost extends Schema.TaggedError<RebuildLost>()("RebuildLost", {
  projection: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `The rebuild of projection ${this.projection} was given up: ${clause(this.detail)}. The live tables are as they were; rebuild again if that is still wanted.`
  }
}

/** A schema to fold into is there already and is no throw-away schema of this log, or holds more than a what-if made. */
export class SchemaInUse extends Schema.TaggedError<SchemaInUse>()("SchemaInUse", {
  schema: Schema.String,
  /** What others put into it, or made of what is in it; empty where all of it is theirs. */
  holds: Schema.Array(Schema.String)
}) {
  override get message(): string {
    const why =
      this.holds.length === 0
        ? "was not made for this"
        : `holds, beside what an earlier what-if left, ${this.holds.join(", ").replaceAll("\n", ", ")}`
    return `Schema ${JSON.stringify(this.schema)} is there already and ${why}. Nothing was touched in it; name one that does not exist, or drop it yourself.`
  }
}

/** Another what-if works in the same schema. */
export class WhatIfUnderWay extends Schema.TaggedError<WhatIfUnderWay>()("WhatIfUnderWay", {
  schema: Schema.String,
  application: Schema.String,
  host: Schema.String,
  pid: Schema.Int
}) {
  override get message(): string {
    return `A what-if works in schema ${JSON.stringify(this.schema)} already: ${this.application} on ${this.host} (pid ${this.pid}). Nothing was done; name another schema, wait for that one, or end it: what it leaves is cleaned up by the next into that schema.`
  }
}

export const rebuildReasons = [
  RebuildUnderWay,
  RebuildFailed,
  RebuildDiffers,
  OlderDefinition,
  ViewsInTheWay,
  GenerationTooOld,
  NoGenerationKept,
  RebuildLost,
  SchemaInUse,
  WhatIfUnderWay
] as const
