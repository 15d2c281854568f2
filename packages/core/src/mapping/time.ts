/**
 * Moments and days from text or epoch numbers, exactly or not at all.
 *
 * Text is ISO 8601: a day (`2024-02-29`), or a day and a time with its offset (`2024-02-29T12:00:00Z`, `+02:00`;
 * a space may stand for the `T`, seconds may be missing, fractions are cut to milliseconds). A time without an
 * offset is refused, because nobody says where it was read off; so are days that do not exist, leap seconds (no
 * timestamp can hold one) and years outside 1 to 9999.
 *
 * A number is epoch seconds from 1e8 up to 1e11 and epoch milliseconds from there on: both ranges start in March
 * 1973 and do not overlap. Smaller numbers are refused: 20240131 is no moment of 1970.
 */
import { Fault } from "./fault.ts"

const iso =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,12}))?)?([Zz]|[+-]\d{2}(?::?\d{2})?)?)?$/

const notTime = new Fault("not_a_date", "is no ISO 8601 date or time")
const noSuchTime = new Fault("no_such_date", "is a date or time that does not exist")
const noZone = new Fault("no_time_zone", "is a time without a time zone; append one, such as Z")
const ambiguous = new Fault("not_a_date", "is a number that is neither epoch seconds nor milliseconds (1973 to 9999)")

const firstMillis = Date.parse("0001-01-01T00:00:00.000Z")
const lastMillis = Date.parse("9999-12-31T23:59:59.999Z")

/** Milliseconds since 1970 in UTC; a day alone is its midnight in UTC. */
export function parseTime(value: string | number): number | Fault {
  const millis = typeof value === "number" ? fromEpoch(value) : fromText(value)
  return millis instanceof Fault || (millis >= firstMillis && millis <= lastMillis) ? millis : noSuchTime
}

/** `2024-02-29T12:00:00.000Z` */
export const toMoment = (value: string | number): string | Fault =>
  isMoment(value) ? value : printed(parseTime(value), momentLength)

/** `2024-02-29`, the day in UTC. */
export const toDay = (value: string | number): string | Fault =>
  isMoment(value) ? value.slice(0, dayLength) : printed(parseTime(value), dayLength)

const momentLength = 24
const dayLength = 10

const printed = (millis: number | Fault, length: number): string | Fault =>
  millis instanceof Fault ? millis : new Date(millis).toISOString().slice(0, length)

/** Days that exist, without those of leap years and of the first thousand years. */
const sureDay = String.raw`[1-9]\d{3}-(?:${[
  String.raw`(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])`,
  "(?:0[13-9]|1[0-2])-(?:29|30)",
  "(?:0[13578]|1[02])-31",
].join("|")})`
const sureMoment = new RegExp(String.raw`^${sureDay}T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$`)

/** Most times of an API are written just as they are printed here: nothing is made of them and printed again. */
const isMoment = (value: string | number): value is string => typeof value === "string" && sureMoment.test(value)

const onlyDay = new RegExp(`^${sureDay}$`)

/** A day that exists, as `toDay` writes it. */
export const isDay = (text: string): boolean => onlyDay.test(text) || toDay(text) === text

function fromEpoch(value: number): number | Fault {
  if (!(value >= 1e8)) return ambiguous
  return Math.floor(value < 1e11 ? value * 1000 : value)
}

function fromText(text: string): number | Fault {
  const match = iso.exec(text)
  if (match === null) return notTime
  const [, year = "", month = "", day = "", hour, minute = "00", second = "00", fraction = "", zone] = match
  if (hour !== undefined && zone === undefined) return noZone
  if (!exists(Number(year), Number(month), Number(day))) return noSuchTime
  if (Number(hour ?? 0) > 23 || Number(minute) > 59 || Number(second) > 59) return noSuchTime
  const time = `${hour ?? "00"}:${minute}:${second}.${fraction.padEnd(3, "0").slice(0, 3)}`
  const offset = offsetMinutes(zone ?? "Z")
  return offset === undefined ? noSuchTime : Date.parse(`${year}-${month}-${day}T${time}Z`) - offset * 60_000
}

function exists(year: number, month: number, day: number): boolean {
  if (year < 1 || month < 1 || month > 12 || day < 1) return false
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  const days = month === 2 ? (leap ? 29 : 28) : month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
  return day <= days
}

function offsetMinutes(zone: string): number | undefined {
  if (zone === "Z" || zone === "z") return 0
  const hours = Number(zone.slice(1, 3))
  const minutes = Number(zone.slice(3).replace(":", "") || 0)
  if (hours > 23 || minutes > 59) return undefined
  return (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes)
}
