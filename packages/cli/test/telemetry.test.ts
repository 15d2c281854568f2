/** Telemetry as a collector gets it: read by OpenTelemetry's definitions, free of people and secrets, and never in the way. */
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Bench, bench, config, sluice } from "./process.ts"
import { receive, type SpanSeen } from "./receiver.ts"

let vendors: Bench
let runs = 0

beforeAll(async () => {
  vendors = await bench({ users: 30 })
  const { control } = vendors.sandbox
  control.upsertUser({ user_id: control.userId(3), email: "canaryperson@example.com", given_name: "Canaryname" })
})

afterAll(() => vendors.close())

const run = (env: Readonly<Record<string, string>>, ...flags: ReadonlyArray<string>) => {
  runs += 1
  return sluice(["run", config, "--json", "--state", `${vendors.state}${runs}`, ...flags], { ...vendors.env, ...env })
}

const named = (spans: ReadonlyArray<SpanSeen>, name: string) => spans.filter((span) => span.name === name)

describe("telemetry", () => {
  it("spans per run, page, batch and call hang together; metrics count what the report counts", async () => {
    await using collector = await receive()
    const { code, stdout, stderr } = await run({
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin,
      OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20test-token",
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test",
    })
    assert.strictEqual(code, 0, stderr)
    assert.isTrue(collector.received.every(({ headers }) => headers.authorization === "Bearer test-token"))
    const spans = collector.spans()
    const [root, ...others] = named(spans, "sluice.run")
    assert.isDefined(root)
    assert.isEmpty(others)
    assert.isTrue(spans.every(({ traceId, spanId }) => traceId === root?.traceId && /^[0-9a-f]{16}$/.test(spanId)))
    const [report] = JSON.parse(stdout).pipelines
    assert.deepInclude(root?.attributes, { "sluice.status": "completed", "sluice.run_id": report.run_id })
    for (const page of named(spans, "sluice.page")) assert.strictEqual(page.parentSpanId, root?.spanId)
    const batches = named(spans, "sluice.batch")
    assert.isNotEmpty(batches)
    const writes = named(spans, "contacts.create")
    assert.isTrue(writes.every(({ parentSpanId }) => batches.some(({ spanId }) => spanId === parentSpanId)))
    assert.isEmpty(spans.filter(({ name }) => /sql/.test(name)))
    const calls = spans.filter(({ attributes }) => "server.address" in attributes)
    assert.isAtLeast(calls.length, report.calls.tenant)
    // One span for a record would be more than there are.
    assert.isBelow(spans.length, report.calls.tenant + 3 * report.calls.brevo + 10)
    const [resource] = collector.resources()
    assert.deepInclude(resource, { "service.name": "sluice", "deployment.environment.name": "test" })
    const points = collector.points()
    const value = (name: string) => points.get(name)
    const { created } = report.routes["brevo.contacts"]
    assert.strictEqual(value("sluice.records.read{pipeline=users}"), report.read)
    assert.strictEqual(value("sluice.rows{outcome=created,pipeline=users,route=brevo.contacts}"), created)
    assert.strictEqual(value("sluice.calls{connection=brevo,pipeline=users}"), report.calls.brevo)
    assert.strictEqual(value("sluice.runs{pipeline=users,status=completed}"), 1)
  })

  it("S01, S04: holds no secret, no person and no query of an address, even of a run that fails", async () => {
    await using collector = await receive()
    const { faults } = vendors.sandbox.control
    faults.add({
      vendor: "auth0",
      path: "/api/v2/users",
      fault: { kind: "throttle", retryAfter: "0", bare: true },
      times: 1,
    })
    faults.add({ vendor: "brevo", method: "POST", fault: { kind: "error", status: 401, when: "before" } })
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin, OTEL_EXPORTER_OTLP_COMPRESSION: "gzip" }
    const { code } = await run(env)
    faults.clear()
    assert.strictEqual(code, 3)
    assert.isTrue(collector.spans().some(({ failed }) => failed))
    assert.strictEqual(collector.points().get("sluice.calls.throttled{connection=tenant,pipeline=users}"), 1)
    const sent = collector.received.map(({ bytes }) => bytes.toString("latin1")).join("\n")
    const { AUTH0_CLIENT_SECRET = "", BREVO_API_KEY = "" } = vendors.env
    for (const found of [
      "canary",
      "@example",
      "auth0|",
      "auth0%7C",
      "/contacts/",
      AUTH0_CLIENT_SECRET,
      BREVO_API_KEY,
      "Bearer",
    ]) {
      assert.notInclude(sent.toLowerCase(), found.toLowerCase())
    }
  })

  it("OTEL_SERVICE_NAME, an endpoint of one signal, and http/json are honoured; OTEL_SDK_DISABLED sends nothing", async () => {
    await using collector = await receive()
    const traces = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.origin}/v1/traces` }
    await run({ ...traces, OTEL_SERVICE_NAME: "users-sync", OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" })
    assert.isNotEmpty(collector.received)
    for (const { path, headers, bytes } of collector.received) {
      assert.strictEqual(path, "/v1/traces")
      assert.strictEqual(headers["content-type"], "application/json")
      assert.include(bytes.toString(), "users-sync")
    }
    const before = collector.received.length
    await run({ ...traces, OTEL_SDK_DISABLED: "true" })
    assert.strictEqual(collector.received.length, before)
  })

  it("a receiver that refuses, hangs or is not there changes nothing but a warning", async () => {
    await using refusing = await receive((response) => response.writeHead(503).end())
    await using hanging = await receive(() => {})
    for (const [endpoint, warnings] of [
      [refusing.origin, 1],
      [hanging.origin, 0],
      ["http://127.0.0.1:9", 1],
    ] as const) {
      const env = { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_TIMEOUT: "300" }
      const { code, stdout, stderr } = await run(env)
      assert.strictEqual(code, 0, stderr)
      assert.strictEqual(JSON.parse(stdout).ok, true)
      assert.strictEqual(stderr.match(/telemetry does not get through/g)?.length ?? 0, warnings)
    }
  })

  it("a variable that is wrong, or asks for gRPC, is a warning", async () => {
    for (const [env, says] of [
      [{ OTEL_EXPORTER_OTLP_ENDPOINT: "collector" }, /a variable whose name begins with OTEL_/],
      [{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9", OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }, /not sent by grpc/],
    ] as const) {
      const { code, stderr } = await run(env)
      assert.strictEqual(code, 0)
      assert.match(stderr, says)
    }
  })
})
