import { Schema } from "effect"

/** How many digits a cost may have before and after the point. */
const MAX_WHOLE = 12
const MAX_DECIMALS = 18

const DECIMAL = new RegExp(`^\\d{1,${MAX_WHOLE}}(\\.\\d{1,${MAX_DECIMALS}})?$`)

/** A number as the decimal that JavaScript writes it as, without an exponent. */
const written = (cost: number): string => {
  const text = String(cost)
  return text.includes("e") ? cost.toFixed(MAX_DECIMALS).replace(/\.?0+$/, "") : text
}

const isExact = (cost: number): boolean => {
  const text = written(cost)
  return DECIMAL.test(text) && Number(text) === cost
}

const expected = `a cost as a decimal of up to ${MAX_WHOLE} digits before and ${MAX_DECIMALS} after the point, from 0 on, such as "0.00125"`

/** What something cost, as a decimal: no float, so that sums are exact. In which currency is the fleet's own affair: one for all. */
export const Cost = Schema.String.check(Schema.isPattern(DECIMAL, { expected }))

/** A cost as a caller gives it: a decimal, or a number, which stands for the decimal that it is written as (0.1 is one tenth). */
export const GivenCost = Schema.Union([
  Cost,
  Schema.Finite.check(Schema.makeFilter((cost: number) => isExact(cost) || `give ${expected}`))
])

export const decimalOf = (cost: string | number): string => (typeof cost === "string" ? cost : written(cost))
