import { spawn } from "node:child_process"

/** Waits for a word or for the end of its stdin; without the word it stops the server of $1 and removes the rest. */
const script = `
  read -r word && exit 0
  data=$1; shift
  pid=$(head -n 1 "$data/postmaster.pid" 2>/dev/null)
  if [ -n "$pid" ] && { cat "/proc/$pid/cmdline" 2>/dev/null || ps -o args= -p "$pid"; } | grep -qaF -- "$data"; then
    kill -QUIT "$pid"
    while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
  fi
  rm -rf -- "$@"
`

export type Guarded = {
  /** Removed when this process is gone. */
  readonly directories: ReadonlyArray<string>
  /** A data directory whose server is stopped first. */
  readonly data?: string
}

/**
 * Clears away what a killed test run, even one killed by SIGKILL, would leave on the machine. The function returned
 * calls the guard off.
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
  child.stdin.on("error", () => {})
  return () => {
    child.stdin.end("done\n")
    return ended
  }
}
