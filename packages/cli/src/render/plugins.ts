/** Plugins as text: a line for each thing they read or write, and one plugin in full. */
import type { Field, Key } from "@sluice/core"
import type { DescribedObject, DescribedPlugin, DescribedStream } from "../authoring/plugin.ts"
import { type Cell, table } from "./table.ts"
import { clean, hang, type Page, padEnd } from "./text.ts"

export const renderPlugins = (plugins: ReadonlyArray<DescribedPlugin>, page: Page): string =>
  table(
    [{ title: "use", least: 12 }, { title: "reads or writes" }, { title: "how" }, { title: "", least: 20, lines: 3 }],
    plugins.flatMap((plugin) => partsOf(plugin, page)),
    page.width,
    page.style.dim,
  ).join("\n")

const partsOf = ({ use, source, sink }: DescribedPlugin, { style }: Page): ReadonlyArray<ReadonlyArray<Cell>> => {
  const name = { text: clean(use), paint: style.bold }
  const streams = (source?.streams ?? []).map((each) => [
    name,
    `reads ${clean(each.name)}`,
    each.modes.join(", "),
    clean(firstSentence(each.description)),
  ])
  const objects = (sink?.objects ?? []).map((each) => [
    name,
    `writes ${clean(each.name)}`,
    each.key === null ? "" : `by ${clean(each.key)}`,
    clean(firstSentence(each.description)),
  ])
  const any = sink?.any_object === true && objects.length === 0 ? [[name, "writes any object", "", ""]] : []
  return [...streams, ...objects, ...any]
}

const firstSentence = (text: string): string => /^.*?\.(?=\s|$)/s.exec(text)?.[0] ?? text

/** Keys, and every stream and object with its options and fields. */
export const renderPlugin = ({ use, source, sink }: DescribedPlugin, page: Page): string => {
  const name = page.style.bold(clean(use))
  const parts = [
    ...(source === undefined ? [] : [`${name}  a source`, keysPart("Keys in `sources:`", source.keys, page)]),
    ...(source?.streams ?? []).map((stream) => streamPart(stream, page)),
    ...(sink === undefined ? [] : [`${name}  a sink`, keysPart("Keys in `sinks:`", sink.keys, page)]),
    ...(sink?.objects ?? []).map((object) => objectPart(object, page)),
    ...(sink?.any_object === true && sink.objects.length === 0
      ? [hang("", `It takes any object: \`sluice plugins ${clean(use)} NAME\` shows one.`, page.width)]
      : []),
  ]
  return parts.filter((part) => part !== "").join("\n\n")
}

const streamPart = (stream: DescribedStream, page: Page): string =>
  [
    `${page.style.bold("Stream")} ${page.style.cyan(clean(stream.name))}`,
    hang("  ", clean(stream.description), page.width),
    hang("  sync: ", stream.modes.join(" or "), page.width),
    ...(stream.finds_deletions ? [hang("  ", "A complete scan finds what was deleted.", page.width)] : []),
    "",
    keysPart("  Options, in `with:` of the pipeline", stream.options, page),
    "",
    `  ${page.style.dim("Fields of a record")}`,
    ...fieldLines(stream.fields, ({ required, type }) => (required ? `${type}, always there` : type), page),
  ].join("\n")

const objectPart = (object: DescribedObject, page: Page): string =>
  [
    `${page.style.bold("Object")} ${page.style.cyan(clean(object.name))}`,
    hang("  ", clean(object.description), page.width),
    hang(
      "  key: ",
      object.key === null ? "each route names one" : `${clean(object.key)}, where the route names none`,
      page.width,
    ),
    hang("  on_delete: ", object.on_delete.join(", "), page.width),
    "",
    keysPart("  Options, in `with:` of the route", object.options, page),
    "",
    `  ${page.style.dim("Fields")}`,
    ...(object.fields.length === 0 ? [] : fieldLines(object.fields, fieldNotes, page)),
    hang("  ", "`sluice schema --connect FILE` lists those of your own account.", page.width),
  ].join("\n")

const fieldNotes = ({ type, key, required, writable, max }: Field): string =>
  [
    type,
    ...(key === true ? ["can be the key"] : []),
    ...(required === true ? ["required"] : []),
    ...(writable ? [] : ["read-only"]),
    ...(max === undefined ? [] : [`at most ${max} characters`]),
  ].join(", ")

const keysPart = (title: string, keys: ReadonlyArray<Key>, page: Page): string => {
  const head = page.style.dim(title)
  if (keys.length === 0) return `${head}: none`
  return [head, ...fieldLines(keys, keyNotes, page)].join("\n")
}

const keyNotes = (key: Key): string => {
  const kind = [
    key.type,
    ...(key.secret ? ["secret"] : []),
    ...(key.required ? ["required"] : []),
    ...(key.default === undefined ? [] : [`without it ${key.default}`]),
  ].join(", ")
  return key.description === "" ? kind : `${kind}. ${key.description}`
}

/** The longest name that others line up with. */
const WIDEST = 26

const fieldLines = <A extends { readonly name: string }>(
  named: ReadonlyArray<A>,
  notes: (each: A) => string,
  { width, style }: Page,
): ReadonlyArray<string> => {
  const widest = Math.min(WIDEST, Math.max(...named.map(({ name }) => name.length)))
  return named.map((each) => {
    const name = clean(each.name)
    const label = `    ${padEnd(name, widest)}  `
    return hang(label, clean(notes(each)), width).replace(name, () => style.cyan(name))
  })
}
