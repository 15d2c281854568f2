/** The whole of effect as the bundle carries it: a plugin may import any module of it and gets ours. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Plugin } from "rolldown"

const folder = dirname(fileURLToPath(import.meta.resolve("effect/Effect")))

const published = readdirSync(folder, { recursive: true, encoding: "utf8" })
  .map((file) => file.replaceAll("\\", "/"))
  .filter((file) => file.endsWith(".js") && !/(^|\/)internal\//.test(file))

const isBarrel = (file: string): boolean => basename(file) === "index.js"

/** Every module that can be imported, by the name it gets in the bundle. */
export const effectModules: Readonly<Record<string, string>> = Object.fromEntries(
  published
    .filter((file) => !isBarrel(file))
    .map((file) => [`effect/${file.replace(/\.js$/, "")}`, join(folder, file)]),
)

/** A barrel names its neighbours, which are where it expects them: bundled, it would make each module an object. */
export const writeBarrels = (target: string): void => {
  for (const file of published.filter(isBarrel)) {
    const copy = join(target, "effect", file)
    mkdirSync(dirname(copy), { recursive: true })
    copyFileSync(join(folder, file), copy)
    const family = dirname(file)
    const byName = join(target, "effect", `${family}.js`)
    if (family === ".") continue
    if (existsSync(byName)) throw new Error(`effect/${family} is a module and a folder`)
    writeFileSync(byName, `export * from "./${file}"\n`)
  }
}

const eager = `const graphemeSegmenter = /*#__PURE__*/new Intl.Segmenter(undefined, {
  granularity: "grapheme"
});`
const lazy = `let segmenter;
const graphemeSegmenter = {
  segment: (text) => (segmenter ??= new Intl.Segmenter(undefined, { granularity: "grapheme" })).segment(text)
};`

/** Intl takes 8 ms to get ready for the help, and most commands print none. */
export const lateSegmenter: Plugin = {
  name: "late-segmenter",
  transform: {
    filter: { id: /effect\/dist\/cli\/CliOutput\.js$/ },
    handler(code) {
      if (!code.includes(eager)) throw new Error("effect/cli/CliOutput has changed: look at its Intl.Segmenter again")
      return code.replace(eager, lazy)
    },
  },
}
