/** Commands in advice, so written that they can be pasted into a shell. */

/** For a POSIX shell. */
export const forShell = (text: string): string =>
  /^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`

/** The FILE of a command line as it was typed, with where its variables come from. */
export const typed = (file: string, envFile: string | undefined): string =>
  [forShell(file), ...(envFile === undefined ? [] : [`--env-file ${forShell(envFile)}`])].join(" ")
