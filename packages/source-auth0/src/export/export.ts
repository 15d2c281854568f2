/** A whole scan by an export job: made or found again, waited for, its file streamed, its count compared. */
import {
  type CallReason,
  type Downloads,
  gunzip,
  type LinkDenied,
  type Page,
  Protocol,
  SourceError,
  type SourceRecord,
  Unavailable,
} from "@sluice/core"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { passes } from "../find.ts"
import type { User } from "../management.ts"
import { type Exporting, endPage } from "../position.ts"
import { recordOf, type Tally } from "../reading.ts"
import { fieldsOf, type UsersRequest } from "../request.ts"
import { comparable, earlier, timeOf } from "../times.ts"
import { exportFields } from "./fields.ts"
import { lookUp, whenCompleted } from "./job.ts"
import type { Job, Jobs } from "./jobs.ts"
import { type Lines, readLines } from "./lines.ts"
import { makeRecent } from "./recent.ts"

type Pages = Stream.Stream<Page, SourceError>

export interface Exports {
  readonly jobs: Jobs
  readonly download: Downloads
  /** Whether Auth0 keeps files of this tenant there. */
  readonly expects: (host: string) => boolean
  readonly insecure: boolean
}

/** Users of a page for each user of a page of search. */
const PAGE_FACTOR = 10

const NAME = "auth0.exports.file"

/** How often a link that is refused is replaced by another. */
const MOST_LINKS = 3

/** Search still shows who was deleted a moment ago. */
const SETTLING = "1 minute"

const failure = (reason: CallReason) => new SourceError({ reason })

/** The link lives for a minute, and the job has a new one each time it is looked at (auth0 trap 18). */
const open = (
  exports: Exports,
  job: Job,
  link = 1,
): Effect.Effect<Stream.Stream<Uint8Array, CallReason>, SourceError> => {
  const { download, expects, insecure, jobs } = exports
  if (job.location === undefined) {
    return Effect.fail(failure(new Protocol({ message: "Auth0: the completed export job names no file." })))
  }
  const denied = ({ status }: LinkDenied) => {
    const message = `Auth0: the file of the export is refused (${status}).`
    return link < MOST_LINKS
      ? Effect.flatMap(lookUp(jobs, job.id), (again) => open(exports, again, link + 1))
      : Effect.fail(failure(new Unavailable({ message, inDoubt: false })))
  }
  const otherwise = "If Auth0 keeps your files there, name the host in `export_hosts` of the source."
  return download({ name: NAME, url: job.location, expects, otherwise, insecure }).pipe(
    Effect.matchEffect({
      onSuccess: Effect.succeed,
      onFailure: (error) => (error._tag === "LinkDenied" ? denied(error) : Effect.fail(failure(error))),
    }),
  )
}

const fileOf = (exports: Exports, job: Job): Stream.Stream<Uint8Array, SourceError> =>
  Stream.unwrap(Effect.map(open(exports, job), (bytes) => Stream.mapError(gunzip(NAME, bytes), failure)))

/**
 * Makes pages, and counts the users whom search can count, too: those that the filters leave out as well, for who passes
 * them can change while the job runs, and when a user was created cannot.
 */
const makePages = (request: UsersRequest, tally: Tally, job: Job, from: Exporting | undefined) => {
  const fields = fieldsOf(request)
  const recent = makeRecent()
  const until = comparable(job.created_at)
  let counted = from?.counted ?? 0

  const isCounted = (user: User): boolean => {
    const time = timeOf(user, "created_at")
    return time !== undefined && comparable(time) <= until
  }
  const position = (lines: number): Exporting => ({ version: 1, phase: "export", job: job.id, lines, counted })

  const page = ({ users, read }: Lines): Page => {
    const records: Array<SourceRecord> = []
    for (const user of users) {
      const record = recordOf(user, fields)
      const news = recent.see(record)
      if (news === "first" && isCounted(user)) counted += 1
      if (news === "old") tally.duplicates += 1
      else if (passes(user, request.options)) records.push(record)
    }
    tally.delivered += records.length
    tally.exported += users.length
    return { records, position: position(read) }
  }
  return { page, counted: () => counted, start: { records: [], position: position(from?.lines ?? 0) } }
}

export interface ExportScan {
  /** Where a stopped scan stopped; undefined begins one. */
  readonly from: Exporting | undefined
  /** Counts who was created until then, by search, whatever the filters. */
  readonly count: (until: string) => Effect.Effect<number | undefined, SourceError>
}

export const exportUsers = (
  exports: Exports,
  request: UsersRequest,
  tally: Tally,
  { from, count }: ExportScan,
): Pages =>
  Stream.unwrap(
    Effect.gen(function* () {
      const { jobs } = exports
      const job = yield* from === undefined ? jobs.create(exportFields(request)) : lookUp(jobs, from.job)
      const pages = makePages(request, tally, job, from)
      const overlap = Duration.toMillis(request.options.overlap)
      tally.overlap = Math.round(overlap / 1000)

      /** How many search counts, where that is more than came. */
      const more = Effect.map(count(job.created_at), (total) =>
        total !== undefined && total > pages.counted() ? total : undefined,
      )
      /** Nobody is missing whom search counts: a file may end early and look whole. */
      const compared = Effect.gen(function* () {
        if ((yield* more) === undefined) return
        yield* Effect.sleep(SETTLING)
        const total = yield* more
        if (total === undefined) return
        tally.gap = `Auth0 counts ${total} users created up to ${job.created_at} and the export brought ${pages.counted()}. Run again to read the rest.`
      })
      // What changed since the job began may or may not be in the file, so the next scan begins there, by Auth0's own
      // clock. What a gap left out is read again: the next scan reads all.
      const end = Stream.suspend(() => {
        const next = request.sync === "full" || tally.gap !== undefined ? undefined : earlier(job.created_at, overlap)
        return Stream.succeed(endPage(request.sync, next))
      })

      return whenCompleted(jobs, job, {
        fresh: from === undefined,
        wait: request.options.export_wait,
        polled: () => {
          tally.polls += 1
        },
        reminder: pages.start,
        read: (completed) => {
          const lines = readLines(fileOf(exports, completed), from?.lines ?? 0, request.options.per_page * PAGE_FACTOR)
          return Stream.map(lines, pages.page).pipe(Stream.concat(Stream.fromEffectDrain(compared)), Stream.concat(end))
        },
      })
    }),
  )
