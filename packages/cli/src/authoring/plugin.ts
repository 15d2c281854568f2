/** What a plugin says of itself by its contract: keys, streams, objects, options, fields. */
import {
  draft,
  type Field,
  type Key,
  keysOf,
  keysOfNode,
  type NamedPlugin,
  type ObjectSpec,
  type Sink,
  type Source,
  type StreamSpec,
} from "@sluice/core"

export interface DescribedPlugin {
  readonly use: string
  readonly source?: { readonly keys: ReadonlyArray<Key>; readonly streams: ReadonlyArray<DescribedStream> }
  readonly sink?: {
    readonly keys: ReadonlyArray<Key>
    /** It takes other names as well. */
    readonly any_object: boolean
    readonly objects: ReadonlyArray<DescribedObject>
  }
}

export interface DescribedStream {
  readonly name: string
  readonly description: string
  readonly modes: ReadonlyArray<string>
  readonly finds_deletions: boolean
  readonly options: ReadonlyArray<Key>
  readonly fields: ReadonlyArray<Pick<Key, "name" | "type" | "required">>
}

export interface DescribedObject {
  readonly name: string
  readonly description: string
  readonly key: string | null
  readonly on_delete: ReadonlyArray<string>
  readonly options: ReadonlyArray<Key>
  readonly fields: ReadonlyArray<Field>
}

/** `part`: only the stream or object of that name. A sink that takes any object describes the one that is named. */
export const describePlugin = ({ use, source, sink }: NamedPlugin, part?: string): DescribedPlugin => ({
  use,
  ...(source === undefined ? {} : { source: describeSource(source, part) }),
  ...(sink === undefined ? {} : { sink: describeSink(sink, part) }),
})

const describeSource = ({ config, streams }: Source, part: string | undefined) => ({
  keys: keysOf(config),
  streams: chosen(streams, part).map(([name, spec]) => describeStream(name, spec)),
})

const describeSink = ({ config, objects }: Sink, part: string | undefined) => {
  const any = typeof objects === "function"
  const named = any && part !== undefined ? objects(part) : undefined
  const fixed = any ? (part === undefined || named === undefined ? {} : { [part]: named }) : objects
  return {
    keys: keysOf(config),
    any_object: any,
    objects: chosen(fixed, part).map(([name, spec]) => describeObject(name, spec)),
  }
}

const chosen = <Spec>(specs: Readonly<Record<string, Spec>>, part: string | undefined) =>
  Object.entries(specs).filter(([name]) => part === undefined || name === part)

export const describeStream = (name: string, spec: StreamSpec): DescribedStream => ({
  name,
  description: spec.description,
  modes: spec.modes,
  finds_deletions: spec.snapshot,
  options: keysOf(spec.options),
  fields: keysOfNode(draft(spec.record)).map(({ name: field, type, required }) => ({ name: field, type, required })),
})

export const describeObject = (name: string, spec: ObjectSpec): DescribedObject => ({
  name,
  description: spec.description,
  key: spec.key ?? null,
  on_delete: ["keep", ...spec.deletes],
  options: keysOf(spec.options),
  fields: spec.fields ?? [],
})
