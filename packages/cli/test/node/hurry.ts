/** Preloaded into a run: waits of a second and more take a tenth of it, so that nobody waits for vendors' jobs. */
const wait = globalThis.setTimeout

globalThis.setTimeout = Object.assign(
  <Args extends Array<unknown>>(callback: (...args: Args) => void, millis = 0, ...args: Args) =>
    wait(callback, millis < 1000 ? millis : millis / 10, ...args),
  wait,
)
