/** OpenTelemetry's variables: whether they ask for anything, and their defaults. */
import type { Variables } from "./environment.ts"

/** For what is left to send when the observed has ended, whatever OTEL_EXPORTER_OTLP_TIMEOUT says. */
const LONGEST_FLUSH = 5000

/** An answer of a receiver takes no longer, so that not much waits for one that hangs. */
export const TIMEOUT = 3000

export type Signal = "TRACES" | "METRICS"

export const set = (env: Variables, name: string): string | undefined => {
  const value = env[name]?.trim()
  return value === "" ? undefined : value
}

/** Whether the environment asks for telemetry. */
export const isObserved = (env: Variables): boolean =>
  set(env, "OTEL_SDK_DISABLED")?.toLowerCase() !== "true" &&
  ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"].some(
    (name) => set(env, name) !== undefined,
  )

const timeoutOf = (env: Variables, signal: Signal): string => {
  const asked = Number(
    set(env, `OTEL_EXPORTER_OTLP_${signal}_TIMEOUT`) ?? set(env, "OTEL_EXPORTER_OTLP_TIMEOUT") ?? TIMEOUT,
  )
  return String(Math.min(LONGEST_FLUSH, asked > 0 ? asked : TIMEOUT))
}

/** The variables with the defaults of OpenTelemetry's specification, where Effect has others or none. */
export const settings = (env: Variables): Record<string, string> => {
  const given = Object.entries(env).flatMap(([name, value]) =>
    name.startsWith("OTEL_") && value !== undefined && value.trim() !== "" ? [[name, value] as const] : [],
  )
  const named = /(^|,)\s*service\.name=/.test(env.OTEL_RESOURCE_ATTRIBUTES ?? "")
  return {
    OTEL_TRACES_EXPORTER: "otlp",
    OTEL_METRICS_EXPORTER: "otlp",
    ...(named ? {} : { OTEL_SERVICE_NAME: "sluice" }),
    ...Object.fromEntries(given),
    OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: timeoutOf(env, "TRACES"),
    OTEL_EXPORTER_OTLP_METRICS_TIMEOUT: timeoutOf(env, "METRICS"),
  }
}

export const protocolOf = (env: Variables, signal: Signal): string =>
  set(env, `OTEL_EXPORTER_OTLP_${signal}_PROTOCOL`) ?? set(env, "OTEL_EXPORTER_OTLP_PROTOCOL") ?? "http/protobuf"
