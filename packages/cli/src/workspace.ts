/** `pnpm sluice`: pnpm runs scripts in the workspace's root; paths are meant from the folder it was called in. */
const { INIT_CWD } = process.env
if (INIT_CWD !== undefined) process.chdir(INIT_CWD)
await import("./bin.ts")
