import type { Figure } from "./figure.ts"
import { verdict } from "./target.ts"

type Row = ReadonlyArray<string>

const HEAD: Row = ["name", "value", "unit", "baseline", "ratio", "target", "", "measured beside"]
const NUMERIC_COLUMNS: ReadonlySet<number> = new Set([1, 3, 4])

/** Whole numbers from a hundred up, two decimals below. */
export const number = (value: number | null): string => {
  if (value === null) return "–"
  if (!Number.isFinite(value)) return "∞"
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString("en") : value.toFixed(2)
}

const row = (figure: Figure): Row => {
  const judged = verdict(figure)
  return [
    figure.name,
    number(figure.value),
    figure.unit,
    number(figure.baseline),
    figure.ratio === null ? "–" : `${number(figure.ratio)} ×`,
    judged?.words ?? "",
    judged === null ? "" : judged.met ? "met" : "MISSED",
    figure.beside.map(({ name, value }) => `${name} ${number(value)}`).join(" · ")
  ]
}

/** The figures as a table for a terminal. */
export const table = (figures: ReadonlyArray<Figure>): string => {
  const rows = [HEAD, ...figures.map(row)]
  const widths = HEAD.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)))
  const line = (cells: Row): string =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0
        return NUMERIC_COLUMNS.has(column) ? cell.padStart(width) : cell.padEnd(width)
      })
      .join("  ")
      .trimEnd()
  return rows.map(line).join("\n")
}

/** One figure as one line of JSON, with exactly the five promised keys. */
export const json = ({ name, value, unit, baseline, ratio }: Figure): string =>
  JSON.stringify({ name, value, unit, baseline, ratio })
