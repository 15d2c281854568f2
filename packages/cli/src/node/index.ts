/** What Node gives to core: the layers a program needs to run pipelines. */

export { layer as sqliteLayer, type SqliteOptions } from "./sqliteClient.ts"
export { StateUnusable } from "./stateFile.ts"
