/** What is known of the streams of this process: colours, width, whether somebody looks at it and can answer. */
import { coloured, type Page, plain } from "./render/text.ts"

export interface ProcessOptions {
  /** No colours. */
  readonly plain: boolean
  /** Every call is shown, a line each: a bar that is redrawn would be in between. */
  readonly debug: boolean
}

/** Of a stream of Node's. */
export interface Screen {
  readonly isTTY?: boolean
  readonly columns?: number
}

export interface Streams {
  readonly stdin: Screen
  readonly stdout: Screen
  readonly stderr: Screen
}

type Environment = Readonly<Record<string, string | undefined>>

export interface Terminal {
  readonly outPage: Page
  readonly errPage: Page
  /** Progress is drawn on a terminal and printed in lines elsewhere. */
  readonly live: boolean
  /** Somebody is there to answer a question. */
  readonly asks: boolean
}

/** `--no-color` and NO_COLOR win over FORCE_COLOR, that over TERM=dumb and over a stream that is no terminal. */
const isColoured = (screen: Screen, env: Environment, { plain }: ProcessOptions): boolean => {
  const { FORCE_COLOR = "", NO_COLOR = "", TERM } = env
  if (plain || NO_COLOR !== "" || FORCE_COLOR === "0" || FORCE_COLOR === "false") return false
  return FORCE_COLOR !== "" || (screen.isTTY === true && TERM !== "dumb")
}

const pageOf = (screen: Screen, env: Environment, options: ProcessOptions): Page => {
  const colour = isColoured(screen, env, options)
  const columns = screen.columns ?? Number(env.COLUMNS)
  return { width: Math.max(40, Math.min(columns > 0 ? columns : 100, 200)), style: colour ? coloured : plain }
}

const unattended = (env: Environment): boolean => env.TERM === "dumb" || env.CI !== undefined

export const terminalOf = (
  { stdin, stdout, stderr }: Streams,
  env: Environment,
  options: ProcessOptions,
): Terminal => ({
  outPage: pageOf(stdout, env, options),
  errPage: pageOf(stderr, env, options),
  live: stderr.isTTY === true && !unattended(env) && !options.debug,
  asks: stdin.isTTY === true && stdout.isTTY === true && !unattended(env),
})
