/** What the command ended with, for scripts. */
export const ExitCode = {
  /** It did what was asked; so did a command that runs until it is stopped, and was stopped (SIGINT, SIGTERM, SIGHUP). */
  ok: 0,
  failure: 1,
  /** The command line, or a setting it led to, cannot be understood. */
  usage: 2,
  /** No database could be reached or started, or its disk is full; trying again may help. */
  unavailable: 3,
  /** Stopped for good by a second Ctrl-C, before it had shut down: 128 + SIGINT, as shells count. */
  interrupted: 130
} as const

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]
