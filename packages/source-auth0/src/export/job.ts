/** Waits for an export job: a page without users at each look, so that a run that stops finds the job again. */
import { type Page, PositionLost, Protocol, Refused, SourceError } from "@sluice/core"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Job, Jobs } from "./jobs.ts"

type Pages = Stream.Stream<Page, SourceError>

const longestPause = 30_000

/** Twice as long each time; by Auth0's own estimate where it gives one, but then not ever so often either. */
export const pauseMillis = (nth: number, left: number | undefined): number => {
  const usual = Math.min(longestPause, 1000 * 2 ** (nth - 1))
  return left === undefined || left <= 0 ? usual : Math.min(longestPause, Math.max(usual / 4, 1000, left * 1000))
}

/** Auth0 says nowhere how long a job takes; this is a guess, for the estimate alone. */
const secondsFor = (users: number): number => 30 + Math.ceil(users / 2_000)

/** A count before and after, the job, looking at it, and its file. */
export const exportCost = (users = 0): { readonly calls: number; readonly seconds: number } => {
  const seconds = secondsFor(users)
  let calls = 4
  for (let waited = 0; waited < seconds * 1000; calls++) waited += pauseMillis(calls - 3, undefined)
  return { calls, seconds }
}

/** Of a text in a vendor's words only plain words are repeated: names, addresses and ids are none. */
const plain = (text: string): string =>
  text
    .slice(0, 200)
    .split(/\s+/)
    .map((word, place) => (/^[a-z]{1,20}[.,:;]?$/.test(place === 0 ? word.toLowerCase() : word) ? word : "…"))
    .join(" ")

const lost = (message: string) => new SourceError({ reason: new PositionLost({ message: `Auth0: ${message}` }) })

const failed = ({ status_details }: Job) => {
  const details = status_details === undefined ? "" : `: ${plain(status_details)}`
  const message = `Auth0: the export job failed${details}. Run again, or set \`read\` to search.`
  return new SourceError({ reason: new Refused({ message, code: "export_failed" }) })
}

const unfinished = ({ percentage_done }: Job, wait: Duration.Duration) => {
  const done = percentage_done === undefined ? "" : ` (${percentage_done} % done)`
  const message = `Auth0: the export job is still running after ${Duration.format(wait)}${done}. Run again to go on waiting for it, or set \`read\` to search.`
  return new SourceError({ reason: new Refused({ message, code: "export_unfinished" }) })
}

/** The job as it is now. Auth0 forgets it after 24 hours. */
export const lookUp = (jobs: Jobs, id: string): Effect.Effect<Job, SourceError> =>
  Effect.flatMap(jobs.get(id), (job) => {
    if (job === undefined) return Effect.fail(lost("the export job is gone."))
    if (job.id === id) return Effect.succeed(job)
    return Effect.fail(
      new SourceError({ reason: new Protocol({ message: "Auth0: another job than asked for came." }) }),
    )
  })

interface Waiting {
  readonly job: Job
  readonly nth: number
  readonly waited: number
}

/** Ends with the pages of `read`, once the job is completed. */
export const whenCompleted = (
  jobs: Jobs,
  job: Job,
  options: {
    /** Made by this scan: that it failed is news. An older one that failed is made anew. */
    readonly fresh: boolean
    readonly wait: Duration.Duration
    readonly polled: () => void
    /** A page that remembers the job. */
    readonly reminder: Page
    readonly read: (job: Job) => Pages
  },
): Pages => {
  const most = Duration.toMillis(options.wait)
  const reminder = Stream.succeed(options.reminder)
  const step = Effect.fnUntraced(function* ({ job, nth, waited }: Waiting) {
    if (job.status === "completed") return [[options.read(job)], Option.none<Waiting>()] as const
    if (job.status === "failed") return yield* options.fresh ? failed(job) : lost("the export job had failed.")
    const pause = pauseMillis(nth, job.time_left_seconds)
    if (waited + pause > most) return yield* unfinished(job, options.wait)
    yield* Effect.sleep(pause)
    options.polled()
    const next = { job: yield* lookUp(jobs, job.id), nth: nth + 1, waited: waited + pause }
    return [next.job.status === "completed" ? [] : [reminder], Option.some(next)] as const
  })
  const looks = Stream.flatten(Stream.paginate<Waiting, Pages, SourceError>({ job, nth: 1, waited: 0 }, step))
  return options.fresh ? Stream.concat(reminder, looks) : looks
}
