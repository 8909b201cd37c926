/** Somebody's words as a part of a sentence of ours: without the full stop that they end with. */
export const clause = (words: string): string => words.trimEnd().replace(/\.+$/, "")
