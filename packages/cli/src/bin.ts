#!/usr/bin/env -S node --
/** The `sluice` command. */
const [first, ...rest] = process.argv.slice(2)
if ((first === "--version" || first === "-v") && rest.length === 0) {
  const { VERSION } = await import("./version.ts")
  process.stdout.write(`sluice ${VERSION}\n`)
} else {
  const { keepCompiled } = await import("./compiled.ts")
  keepCompiled(process.env)
  await import("./main.ts")
}
