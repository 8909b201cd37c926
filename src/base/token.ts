/** A point of one log, in one of its epochs. */
export interface Point {
  readonly log: string
  readonly epoch: number
  readonly position: number
}

/** A version of a branch, which is known by the position of the event that began it. */
export interface BranchPoint {
  readonly branch: number
  readonly version: number
}

const TOKEN = /^tm1\.([0-9a-f]{32})\.([0-9]{1,9})\.([0-9]{1,16})(?:\.([0-9]{1,16})\.([0-9]{1,16}))?$/

let lastLog = ""
let lastDigits = ""

/** An engine makes a token for every append, all of one log. */
const digitsOf = (log: string): string => {
  if (log !== lastLog) {
    lastDigits = log.replaceAll("-", "")
    lastLog = log
  }
  return lastDigits
}

/** A point as an opaque string that is safe in URLs and headers; that of a state also names its version. */
export const encodeToken = (point: Point, of?: BranchPoint): string => {
  const token = `tm1.${digitsOf(point.log)}.${point.epoch}.${point.position}`
  return of === undefined ? token : `${token}.${of.branch}.${of.version}`
}

/** The point that a token names, or undefined where it is no token. */
export const decodeToken = (token: string): (Point & { readonly of?: BranchPoint }) | undefined => {
  const match = TOKEN.exec(token)
  if (match === null) return undefined
  const [, log, epoch, position, branch, version] = match as unknown as [
    string,
    string,
    string,
    string,
    string?,
    string?
  ]
  return {
    ...(branch === undefined ? {} : { of: { branch: Number(branch), version: Number(version) } }),
    log: log.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5"),
    epoch: Number(epoch),
    position: Number(position)
  }
}
