// The command line as it is built, for tests that run it as a process.
import "../../src/cli/main.ts"
