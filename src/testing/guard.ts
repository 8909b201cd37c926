import { spawn } from "node:child_process"
import type { Socket } from "node:net"

/** Waits for a word or for the end of its stdin; without the word it stops the server of $1 and removes the rest. */
const script = `
  read -r word && exit 0
  data=$1; shift
  pid=$(head -n 1 "$data/postmaster.pid" 2>/dev/null)
  if [ -n "$pid" ] && { cat "/proc/$pid/cmdline" 2>/dev/null || ps -o args= -p "$pid"; } | grep -qaF -- "$data"; then
    kill -QUIT "$pid"
    tries=0
    while kill -0 "$pid" 2>/dev/null && [ "$tries" -lt 300 ]; do sleep 0.1; tries=$((tries + 1)); done
  fi
  rm -rf -- "$@"
`

export interface Guarded {
  /** Removed when this process is gone. */
  readonly directories: ReadonlyArray<string>
  /** A data directory whose server is stopped first. */
  readonly data?: string
}

/**
 * Clears away what a process that ends, even one killed by SIGKILL, would leave on the machine. It keeps nobody from ending. The function
 * returned calls the guard off. Where there is no shell nothing is guarded.
 */
export const guard = ({ directories, data = "/nonexistent" }: Guarded): (() => Promise<void>) => {
  const child = spawn("sh", ["-c", script, "guard", data, ...directories], {
    stdio: ["pipe", "ignore", "ignore"],
    // Ctrl-C goes to the whole process group, and the guard has to outlive it.
    detached: true,
    cwd: "/"
  })
  const ended = new Promise<void>((resolve) => {
    child.once("close", () => resolve())
    child.once("error", () => resolve())
  })
  const stdin = child.stdin as Socket
  stdin.on("error", () => {})
  child.unref()
  stdin.unref()
  return () => {
    // Whoever waits for it is not to end before it has.
    child.ref()
    stdin.end("done\n")
    return ended
  }
}
