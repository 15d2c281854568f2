/** The preview as a page: what a browser makes of it, whatever values hold, and what becomes of the file. */
import { createHash } from "node:crypto"
import { existsSync, readFileSync, statSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import type { PreviewReport, RowPreview } from "@sluice/core"
import { parse, type DefaultTreeAdapterTypes as Tree } from "parse5"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { previewPage } from "../src/render/page/previewPage.ts"
import { type Bench, bench, config, sluice } from "./process.ts"

const isElement = (node: Tree.ChildNode): node is Tree.Element => "tagName" in node
const elementsOf = (node: Tree.ParentNode): ReadonlyArray<Tree.Element> =>
  node.childNodes.flatMap((child) => (isElement(child) ? [child, ...elementsOf(child)] : []))
const named = (page: string, tag: string) => elementsOf(parse(page)).filter(({ tagName }) => tagName === tag)
const attribute = (element: Tree.Element | undefined, name: string): string =>
  element?.attrs.find((each) => each.name === name)?.value ?? ""
const textOf = (node: Tree.ChildNode): string =>
  node.nodeName === "#text" && "value" in node
    ? node.value
    : isElement(node)
      ? node.childNodes.map(textOf).join("")
      : ""

const hostile = [
  "</script><img src=x onerror=alert(1)>",
  `"><svg onload='alert(1)'>`,
  "</bdi></table></style><script>alert(1)</script>",
  "<!--",
  "]]>",
  "&lt;b&gt;&#x3C;i>",
  "a\u202egnp.exe",
  "a\u0000b\u0007\u001b[2Jc",
  "\u2028line\ud800",
  "javascript:alert(1)",
]

const row = (action: RowPreview["action"], value = "x", more: Partial<RowPreview> = {}): RowPreview => ({
  action,
  reasons: action === "refuse" ? [{ code: value, message: value }] : [],
  fields: [
    { source: value, field: value, before: "old", after: value, changed: true },
    { source: "email", field: "email", before: "same", after: "same", changed: false },
  ],
  ...more,
})

const report = (values: ReadonlyArray<string>, part: Partial<PreviewReport> = {}): PreviewReport => ({
  pipeline: values[0] ?? "users",
  ok: true,
  masked: false,
  source: { connection: "tenant", stream: "users", account: values[0] ?? "acme" },
  routes: {
    "brevo.contacts": {
      account: values[0] ?? "Acme",
      key: "ext_id",
      actions: { create: 0, change: values.length, leave: 0, send: 0, delete: 0, filter: 0, refuse: 0, hold: 0 },
    },
  },
  records: values.map((value) => ({ id: value, routes: { "brevo.contacts": row("refuse", value) } })),
  not_found: values.map((value) => ({ field: "email", value })),
  run: { records: 2500, calls: { tenant: 26, brevo: 5000 }, seconds: 510 },
  ...part,
})

describe("a preview page with hostile values", () => {
  const page = previewPage([report(hostile)])
  const all = elementsOf(parse(page))

  it("S16: makes no element and no attribute of a value, and shows all of it", () => {
    const clean = elementsOf(parse(previewPage([report(hostile.map(() => "x"))])))
    const shape = (elements: ReadonlyArray<Tree.Element>) =>
      elements.map(({ tagName, attrs }) => [tagName, ...attrs.map(({ name }) => name)].join(" "))
    assert.deepStrictEqual(shape(all), shape(clean))
    const values = all
      .filter(({ tagName, attrs }) => tagName === "td" && attrs.some(({ value }) => value === "after"))
      .map(textOf)
    assert.include(values, hostile[0])
    assert.include(values, hostile[2])
    assert.include(values, "a\\u202egnp.exe")
    assert.include(values, "a\\u0000b\\u0007\\u001b[2Jc")
  })

  it("S16: holds no character that turns text around, ends it or moves a cursor", () => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    const harmful = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]|\p{Surrogate}/u
    assert.notMatch(page, harmful)
  })

  it("stands alone: no script, no address, nothing to fetch, and a policy that forbids it", () => {
    assert.notIncludeMembers(
      all.map(({ tagName }) => tagName),
      ["script", "img", "link", "iframe", "form", "a", "base", "object", "svg"],
    )
    for (const { name } of all.flatMap(({ attrs }) => attrs)) assert.notMatch(name, /^(on|src|href|style|action)/)
    const [style, ...others] = named(page, "style")
    assert.isEmpty(others)
    const css = style === undefined ? "" : textOf(style)
    assert.notMatch(css, /url\(|@import/)
    const policy = attribute(
      all.find((each) => attribute(each, "http-equiv") !== ""),
      "content",
    )
    const hash = createHash("sha256").update(css).digest("base64")
    assert.strictEqual(policy, `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`)
  })
})

describe("a preview page", () => {
  const actions = ["leave", "create", "refuse", "change"] as const
  const records = actions.map((action) => ({ id: action, routes: { "brevo.contacts": row(action) } }))
  const page = previewPage([report([], { records, masked: true })])
  const all = elementsOf(parse(page))

  it("has what would be refused first, then what changes, then the rest", () => {
    assert.deepStrictEqual(named(page, "h3").map(textOf), ["refuse", "change", "create", "leave"])
  })

  it("marks what changes by a sign and a word, not by colour alone", () => {
    const marks = all.filter((each) => attribute(each, "class") === "mark" && each.tagName === "td").map(textOf)
    assert.deepStrictEqual([...new Set(marks)].sort(), ["=equal", "~changes"])
  })

  it("says what the whole run costs, and that values are masked", () => {
    const facts = named(page, "dd").map(textOf)
    assert.includeMembers(facts, ["2,500", "about 26", "at most 5,000", "about 8 min 30 s"])
    assert.include(textOf(named(page, "header")[0] ?? assert.fail("no header")), "Values are masked")
    assert.include(previewPage([report([])]), "this page holds personal data")
  })

  it("can be read by a screen reader: landmarks, a language, captions and headers of tables", () => {
    assert.strictEqual(attribute(named(page, "html")[0], "lang"), "en")
    for (const tag of ["title", "header", "main", "h1"]) assert.strictEqual(named(page, tag).length, 1, tag)
    for (const table of named(page, "table")) {
      const inside = elementsOf(table)
      assert.isTrue(inside.some(({ tagName, childNodes }) => tagName === "caption" && childNodes.length > 0))
      for (const header of inside.filter(({ tagName }) => tagName === "th")) {
        assert.include(["col", "row"], attribute(header, "scope"))
        assert.notStrictEqual(textOf(header), "")
      }
    }
  })

  it("masks who was asked for and not found, as it masks all else", () => {
    const asked = { not_found: [{ field: "email", value: "ada@example.com" }] }
    assert.notInclude(previewPage([report([], { ...asked, masked: true })]), "ada@example.com")
    assert.include(previewPage([report([], { ...asked, masked: false })]), "ada@example.com")
  })
})

describe("preview --html", () => {
  let it1: Bench
  beforeAll(async () => {
    it1 = await bench()
  })
  afterAll(() => it1.close())
  const preview = (...args: ReadonlyArray<string>) =>
    sluice(["preview", config, "--limit", "2", "--state", it1.state, ...args], it1.env)

  it("writes the values that --json has; what is revealed is for its owner alone, also over an earlier page", async () => {
    const file = join(it1.folder, "page.html")
    const masked = await preview("--html", file, "--json")
    assert.strictEqual(masked.code, 0, masked.stderr)
    const [{ records }] = JSON.parse(masked.stdout).pipelines
    const shown = named(readFileSync(file, "utf8"), "h3").map(textOf)
    assert.deepStrictEqual(
      shown,
      records.map(({ id }: { readonly id: string }) => id),
    )
    assert.isAbove(statSync(file).mode & 0o077, 0)
    const revealed = await preview("--html", file, "--reveal")
    assert.strictEqual(revealed.code, 0, revealed.stderr)
    assert.include(readFileSync(file, "utf8"), it1.sandbox.control.userId(0))
    assert.strictEqual(statSync(file).mode & 0o777, 0o600)
  })

  it("replaces no other file unless told to, and asks no vendor before it says so", async () => {
    const file = it1.write("notes.html", "my notes")
    const link = join(it1.folder, "link.html")
    symlinkSync(file, link)
    const asked = it1.sandbox.control.journal().length
    for (const target of [file, link, it1.folder]) {
      const { code, stderr } = await preview("--html", target)
      assert.strictEqual(code, 2)
      assert.include(stderr, "is there already")
    }
    assert.strictEqual(it1.sandbox.control.journal().length, asked)
    assert.strictEqual(readFileSync(file, "utf8"), "my notes")
    assert.strictEqual((await preview("--html", file, "--force")).code, 0)
    assert.match(readFileSync(file, "utf8"), /^<!doctype html>/)
  })

  it("prints the page where the file is -, and nothing else", async () => {
    const { code, stdout } = await preview("--html", "-")
    assert.strictEqual(code, 0)
    assert.match(stdout, /^<!doctype html>[\s\S]*<\/html>\n$/)
    assert.strictEqual((await preview("--html", "-", "--json")).code, 2)
  })

  it("leaves nothing behind where it cannot write", async () => {
    const file = join(it1.folder, "absent", "page.html")
    const { code, stderr } = await preview("--html", file)
    assert.strictEqual(code, 3, stderr)
    assert.include(stderr, "cannot be written")
    assert.isFalse(existsSync(file))
  })
})
