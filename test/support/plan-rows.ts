/**
 * How many rows tables have where it is tested what the server looks at: as usual, or as many as are asked for, a million where `npm run test:plans` asks. What may be
 * looked at is told as a part of them, or by how large an answer is.
 */
export const planRows = (usual: number): number => Number(process.env["TIDEMARK_PLAN_ROWS"] ?? usual)
