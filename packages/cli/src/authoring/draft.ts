/** A new pipeline file with what stands beside it: from two ends to the files to write. */
import * as fs from "node:fs"
import * as path from "node:path"
import { parseEnv } from "node:util"
import { type ConnectionKey, identifier, makeConnection, neededOptions } from "./connection.ts"
import type { Ends } from "./ends.ts"
import { environmentFile } from "./environmentFile.ts"
import type { Live } from "./live.ts"
import { ignoreFile, type NewFile } from "./newFiles.ts"
import { type Draft, pipelineFile } from "./pipelineFile.ts"
import { propose } from "./propose.ts"
import { describedFields, seenFields } from "./sourceFields.ts"

/** From the plugins' contracts alone. */
export const makeDraft = (file: string, { source, stream, sink, object }: Ends): Draft => {
  const fields = describedFields(stream.spec)
  const from = makeConnection(source.use, source.plugin)
  return {
    file,
    name: identifier(path.basename(file).replace(/\.ya?ml$/, "")),
    source: from,
    stream: stream.name,
    incremental: stream.spec.modes.includes("incremental"),
    streamOptions: neededOptions(source.use, stream.name, stream.spec.options),
    sink: makeConnection(sink.use, sink.plugin, from.name),
    object: object.name,
    objectOptions: neededOptions(sink.use, object.name, object.spec.options),
    condition: fields.find(({ type }) => type === "boolean")?.path,
    proposal: propose(object.spec.key, object.spec.fields ?? [], fields),
    connected: false,
  }
}

/** Whose values come from variables. */
export const variablesOf = ({ source, sink, streamOptions, objectOptions }: Draft): ReadonlyArray<ConnectionKey> =>
  [source, streamOptions, sink, objectOptions].flatMap(({ keys }) => keys)

/** With the mapping proposed from what the vendors said. */
export const withLive = (draft: Draft, { stream, object }: Ends, { fields, records }: Live): Draft => ({
  ...draft,
  connected: true,
  proposal: propose(object.spec.key, fields, seenFields(stream.spec, records)),
})

/** Lines are added to a `.env` that is there; none is changed. */
export const filesOf = (draft: Draft): ReadonlyArray<NewFile> => {
  const folder = path.dirname(draft.file)
  return [{ file: draft.file, text: pipelineFile(draft) }, ...environmentFiles(folder, draft), ...ignoreFile(folder)]
}

const environmentFiles = (folder: string, draft: Draft): ReadonlyArray<NewFile> => {
  const file = path.join(folder, ".env")
  const existing = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : undefined
  const there = new Set(Object.keys(parseEnv(existing ?? "")))
  const lacking = variablesOf(draft).filter(({ variable }) => !there.has(variable))
  const text = environmentFile(existing, path.basename(draft.file), lacking)
  return lacking.length === 0 ? [] : [{ file, text, secret: true, adds: existing !== undefined }]
}
