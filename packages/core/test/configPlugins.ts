/** A source and two sinks that do nothing, with the shapes the planner looks at. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { type PluginModule, PluginNotFound, Plugins } from "../src/config/plugins.ts"
import { describe } from "../src/plugin/describe.ts"
import type { Sink } from "../src/plugin/sink.ts"
import type { Source } from "../src/plugin/source.ts"

const anyRecord = Schema.Record(Schema.String, Schema.Unknown)
const notOpened = () => Effect.die("not opened here")

const directoryConfig = Schema.Struct({
  domain: Schema.String.pipe(describe("The tenant's domain.")),
  client_id: Schema.String.pipe(describe("The client.")),
  client_secret: Schema.RedactedFromValue(Schema.String).pipe(describe("Its secret.")),
})
export const directory: Source<typeof directoryConfig.Type> = {
  name: "directory",
  config: directoryConfig,
  streams: {
    users: {
      description: "People.",
      options: Schema.Struct({
        include: Schema.optionalKey(Schema.Array(Schema.Literals(["roles", "groups"])).pipe(describe("What to join."))),
      }),
      record: anyRecord,
      modes: ["full", "incremental"],
      snapshot: true,
    },
    logs: {
      description: "Events.",
      options: Schema.Struct({}),
      record: anyRecord,
      modes: ["incremental"],
      snapshot: false,
    },
  },
  open: notOpened,
}

const mailConfig = Schema.Struct({
  api_key: Schema.RedactedFromValue(Schema.String).pipe(describe("The API key.")),
})
export const mail: Sink<typeof mailConfig.Type> = {
  name: "mail",
  config: mailConfig,
  objects: {
    contacts: {
      description: "Contacts.",
      options: Schema.Struct({
        lists: Schema.optionalKey(Schema.Array(Schema.Int).pipe(describe("Lists to join."))),
      }),
      deletes: ["delete", "unlink"],
      key: "ext_id",
      fields: [
        { name: "ext_id", type: "text", writable: true, key: true },
        { name: "email", type: "text", writable: true, key: true, max: 320 },
        { name: "created", type: "datetime", writable: false },
      ],
    },
  },
  open: notOpened,
}

const crmConfig = Schema.Struct({
  login_url: Schema.String.pipe(describe("Where to log in.")),
  client_id: Schema.String.pipe(describe("The client.")),
  client_secret: Schema.RedactedFromValue(Schema.String).pipe(describe("Its secret.")),
})
export const crm: Sink<typeof crmConfig.Type> = {
  name: "crm",
  config: crmConfig,
  objects: (name) =>
    /^[A-Z]/.test(name)
      ? {
          description: name,
          options: Schema.Struct({}),
          deletes: [],
          fields: [{ name: "LastName", type: "text", required: true, writable: true }],
        }
      : undefined,
  open: notOpened,
}

export const modules: { readonly [use: string]: PluginModule } = {
  auth0: { source: directory },
  brevo: { sink: mail },
  salesforce: { sink: crm },
}

export const pluginsLayer = Layer.succeed(Plugins, {
  load: (use) => {
    const module = Object.hasOwn(modules, use) ? modules[use] : undefined
    return module === undefined
      ? Effect.fail(new PluginNotFound({ message: `no plugin \`${use}\`` }))
      : Effect.succeed(module)
  },
})
