import { readFileSync, readlinkSync } from "node:fs"
import { isAlive, thisProcess } from "../postgres/embedded/process-identity.ts"

const BOOT_ID_FILE = "/proc/sys/kernel/random/boot_id"
const PID_NAMESPACE = "/proc/self/ns/pid"

/** Where pids mean what they mean here: containers of one machine have their own. Undefined where the system does not tell. */
const placeHere = (() => {
  try {
    return `${readFileSync(BOOT_ID_FILE, "utf8").trim()} ${readlinkSync(PID_NAMESPACE)} `
  } catch {
    return undefined
  }
})()

/** This process, so that it is mistaken for no other, of whichever machine. */
export const processHere: string | undefined = placeHere && `${placeHere}${thisProcess}`

/** Whether a process was of this machine, and is no more. Of one elsewhere only its lease tells. */
export const isGoneFromHere = (process: string): boolean =>
  placeHere !== undefined && process.startsWith(placeHere) && !isAlive(process.slice(placeHere.length))
