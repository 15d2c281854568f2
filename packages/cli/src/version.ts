/** The version of the command line, and of what it runs on. */
export const VERSION = "0.1.0"

/** What a report of a run says of the program. */
export const versions = (): { readonly sluice: string; readonly node: string } => ({
  sluice: VERSION,
  node: process.versions.node,
})
