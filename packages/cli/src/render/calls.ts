/** A call to a vendor as one line, which a search can find, for `--debug`. */
import type { SeenCall } from "../node/calls.ts"
import { clean, duration, type Page } from "./text.ts"

export const renderCall = (seen: SeenCall, { style }: Page): string => {
  const { method, host, path, answer, millis, call, attempt, requestId, limits } = seen
  const took = millis < 1000 ? `${millis} ms` : duration(millis)
  const notes = [
    ...(call === undefined ? [] : [call]),
    ...(attempt === 1 ? [] : [`attempt ${attempt}`]),
    ...(requestId === undefined ? [] : [`request id ${requestId}`]),
    ...limits.map(([header, value]) => `${header} ${value}`),
  ]
  const paint = answer.startsWith("2") ? style.green : style.red
  return [
    style.dim("debug"),
    method.padEnd(6),
    paint(clean(answer)),
    `${clean(host)}${clean(path)}`,
    took,
    style.dim(clean(notes.join(", "))),
  ].join("  ")
}
