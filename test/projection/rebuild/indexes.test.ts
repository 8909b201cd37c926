import { expect, it } from "vitest"
import { DiskFull, PostgresError } from "../../../src/postgres/error.ts"
import { Counted, counters, scene } from "../scene.ts"
import { tablesOf } from "./looks.ts"

const { db, start } = scene()

/** How long the index takes that is not to blame, in s: longer than the server goes on with a statement whose client is gone. */
const SLOW_S = 2

/** An index over it says in a sequence how often it got through; not what was rolled back, since sequences forget nothing. */
const indexed = (name: string, work: string): string =>
  `create sequence public.${name}_made;
   create function public.${name}(total integer) returns integer immutable language plpgsql as $$
   begin
     ${work};
     return nextval('public.${name}_made');
   end $$`

const isMade = async (name: string): Promise<boolean> =>
  (await db.query<{ is_called: boolean }>(`select is_called from public.${name}_made`))[0]!.is_called

it("an index that cannot be made ends a rebuild, for that reason, once the one beside it has ended", async () => {
  const one = await start()
  await db.query(indexed("refused", "raise exception 'no space left' using errcode = 'disk_full'"))
  await db.query(indexed("slow", `perform pg_sleep(${SLOW_S})`))
  await db.query(indexed("later", "null"))
  const text = `create table :"bad" (id text primary key, total integer not null, events integer not null);
    create index on :"bad" (public.refused(total));
    create index on :"bad" (public.slow(total));
    create index on :"bad" (public.later(total))`
  await one.emit("bad-1", Counted.make({ by: 1 }))
  const failure = await one
    .rebuild({ ...counters({ name: "bad" }), tables: { text } })
    .catch((error) => error)
  expect(failure).toBeInstanceOf(PostgresError)
  expect(failure.reason).toBeInstanceOf(DiskFull)
  expect([await isMade("slow"), await isMade("later")]).toEqual([true, false])
  expect(await tablesOf(db, "bad")).toEqual([])
})
