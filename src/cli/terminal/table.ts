import { padEnd, padStart, printable, widthOf } from "./text.ts"

export type Cell = string | number | null

/** Lines up columns; numbers to the right. */
export const table = (rows: ReadonlyArray<ReadonlyArray<Cell>>): ReadonlyArray<string> => {
  const text = (cell: Cell): string => printable(String(cell ?? "–"))
  const columns = rows[0]?.length ?? 0
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => widthOf(text(row[column] ?? null))))
  )
  return rows.map((row) =>
    row
      .map((cell, column) =>
        typeof cell === "number" ? padStart(text(cell), widths[column]!) : padEnd(text(cell), widths[column]!)
      )
      .join("  ")
      .trimEnd()
  )
}
