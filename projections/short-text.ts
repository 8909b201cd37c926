import { Schema } from "effect"

/** How long a name is that stands in an index, in characters. */
export const MAX_NAME_LENGTH = 255

/** A name of one to so many characters that PostgreSQL can store. */
export const shortText = (most: number) =>
  Schema.NonEmptyString.check(
    Schema.isMaxLength(most),
    Schema.makeFilter(
      (text: string) =>
        (!text.includes("\0") && text.isWellFormed()) || "leave out U+0000 and halves of surrogate pairs"
    )
  )
