import type { Advice, Severity } from "./advice.ts"
import { isOn, settingOf } from "./setting.ts"

/** A setting that is to be on, or off. */
const switched = (name: string, to: "on" | "off", severity: Severity, why: string): Advice => ({
  name,
  advised: to,
  why,
  severity,
  reads: [name],
  judge: (facts) =>
    isOn(facts, name) === (to === "on")
      ? undefined
      : { found: settingOf(facts, name).value, set: { [name]: to } }
})

const EVENTS_ARE_LOST =
  "what was acknowledged is lost with the machine's power, and the database may be past repair"

/** PostgreSQL's own numbers of minor releases that were taken back, for what they broke. */
const TAKEN_BACK = [150_009, 160_005, 170_001]

const MAJOR = 10_000

/** That nothing is lost, and that texts are what they were. */
export const durability: ReadonlyArray<Advice> = [
  switched("fsync", "on", "problem", `without it ${EVENTS_ARE_LOST}`),
  switched(
    "full_page_writes",
    "on",
    "problem",
    `a page that was half written at a crash cannot be mended without it: ${EVENTS_ARE_LOST}`
  ),
  {
    name: "synchronous_commit",
    advised: "on",
    why: "appends ask for local at least by themselves; where it is off, what else is committed may be gone after a crash: settings of subscriptions, your own rows",
    severity: "warning",
    reads: ["synchronous_commit"],
    judge: (facts) =>
      settingOf(facts, "synchronous_commit").value === "off"
        ? { found: "off", set: { synchronous_commit: "on" } }
        : undefined
  },
  {
    name: "wal_level",
    advised: "replica",
    why: "with minimal there are no standbys, no base backups and no way back to a point in time",
    severity: "warning",
    reads: ["wal_level"],
    judge: (facts) =>
      settingOf(facts, "wal_level").value === "minimal"
        ? { found: "minimal", set: { wal_level: "replica" } }
        : undefined
  },
  {
    name: "data_checksums",
    advised: "on",
    why: "a page that the disk gave back wrong is noticed when it is read, not when it has spread to the standbys and the backups",
    severity: "hint",
    reads: ["data_checksums"],
    judge: (facts) =>
      isOn(facts, "data_checksums")
        ? undefined
        : {
            found: "off",
            remedy: "stop the server and run pg_checksums --enable, which writes every page anew"
          }
  },
  switched(
    "zero_damaged_pages",
    "off",
    "problem",
    "it empties damaged pages in silence, and events with them"
  ),
  switched("ignore_checksum_failure", "off", "problem", "it takes damaged pages for sound ones"),
  {
    name: "server_encoding",
    advised: "UTF8",
    why: "events are JSON, which holds every character; in another encoding PostgreSQL refuses those that it does not have",
    severity: "problem",
    judge: ({ server: { encoding } }) =>
      encoding === "UTF8"
        ? undefined
        : {
            found: encoding,
            remedy:
              "make a database with encoding 'UTF8' template template0, and restore a dump of this one into it"
          }
  },
  switched(
    "standard_conforming_strings",
    "on",
    "problem",
    "Tidemark's SQL writes texts as the standard does; where it is off, a backslash in them means something else"
  ),
  {
    name: "server_version",
    advised: "not a release that was taken back: 15.9, 16.5, 17.1",
    why: "they broke extensions that were built for the releases before them (Citus among them) and ALTER ROLE … SET ROLE; 15.10, 16.6 and 17.2 took that back (https://www.postgresql.org/docs/release/17.2/)",
    severity: "warning",
    judge: ({ server: { versionNumber, serverVersion } }) =>
      TAKEN_BACK.includes(versionNumber)
        ? {
            found: serverVersion,
            remedy: `install a later release of PostgreSQL ${Math.floor(versionNumber / MAJOR)} and restart the server`
          }
        : undefined
  }
]
