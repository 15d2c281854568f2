/** An entry of `sources:` or `sinks:` for a plugin: its name, its keys, and the variables their values come from. */
import { type Key, keysOf, PLACEHOLDER, sampleOf } from "@sluice/core"
import type { Codec, Json } from "effect/Schema"

export interface Connection {
  /** In the file: `brevo`, `my-sink`. */
  readonly name: string
  readonly use: string
  readonly keys: ReadonlyArray<ConnectionKey>
  /** Keys that it takes beside those. */
  readonly more: ReadonlyArray<string>
  /** The variable that replaces the vendor's address; none where the plugin's own key is the address. */
  readonly baseUrl: string | undefined
}

export interface ConnectionKey {
  readonly key: string
  readonly variable: string
  /** Fits the schema until the real value is there. */
  readonly placeholder: string
  readonly secret: boolean
  readonly description: string
}

/** `apart`: a name that the other end has. */
export const makeConnection = (
  use: string,
  plugin: { readonly config: Codec<unknown, unknown> },
  apart?: string,
): Connection => {
  const name = nameOf(use)
  const { keys, more } = neededKeys(plugin.config, prefixOf(use))
  return {
    name: name === apart ? `${name}-to` : name,
    use,
    keys,
    more,
    baseUrl: [...keys.map(({ key }) => key), ...more].includes("url")
      ? undefined
      : variableName(`${prefixOf(use)}_base_url`),
  }
}

/** The options without which a stream or an object is not to be had. `cases` of persona: PERSONA_CASE_TEMPLATE. */
export const neededOptions = (use: string, name: string, options: Codec<unknown, unknown>): NeededKeys =>
  neededKeys(options, `${prefixOf(use)}_${name.replace(/s$/, "")}`)

export interface NeededKeys {
  readonly keys: ReadonlyArray<ConnectionKey>
  /** What can be said beside those. */
  readonly more: ReadonlyArray<string>
}

const neededKeys = (schema: Codec<unknown, unknown>, prefix: string): NeededKeys => {
  const keys = keysOf(schema)
  const sample = sampleOf(schema)
  const needed = new Set(sample === undefined ? keys.filter(isNeeded).map((key) => key.name) : Object.keys(sample))
  return {
    keys: keys
      .filter((key) => needed.has(key.name))
      .map((key) => ({
        key: key.name,
        variable: variableName(`${prefix}_${key.name}`),
        placeholder: text(sample?.[key.name]),
        secret: key.secret,
        description: key.description,
      })),
    more: keys.filter((key) => !needed.has(key.name)).map((key) => key.name),
  }
}

const prefixOf = (use: string): string => PREFIXES.get(use) ?? nameOf(use)

/** As configs/ and the sandbox call variables, where that is not the plugin's name. */
const PREFIXES: ReadonlyMap<string, string> = new Map([["salesforce", "SF"]])

const isNeeded = ({ required, secret }: Key): boolean => required || secret

const text = (value: Json | undefined): string =>
  value === undefined ? PLACEHOLDER : typeof value === "string" ? value : JSON.stringify(value)

const variableName = (text: string): string => text.toUpperCase().replaceAll(/[^A-Z0-9]+/g, "_")

/** `./crm/my-sink.ts` is my-sink, `@acme/sluice-sink-crm` is crm. */
export const nameOf = (use: string): string => {
  const last = use.split("/").at(-1) ?? use
  const name = last.replace(/\.m?[jt]s$/, "").replace(/^(sluice-)?(sink-|source-)?(?=.)/, "")
  return identifier(name)
}

/** A name that a source, a sink or a pipeline can have. */
export const identifier = (text: string): string => {
  const clean = text.replaceAll(/[^A-Za-z0-9_-]+/g, "-")
  return /^[A-Za-z_]/.test(clean) ? clean : `_${clean}`
}
