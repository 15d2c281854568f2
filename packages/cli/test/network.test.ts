/** Runs in a company's network: through its proxy, with its certificate authority, and what is said when one is wrong. */
import { makeApi } from "@sluice/core"
import { environment } from "@sluice/sandbox"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Random from "effect/Random"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { layer as httpLayer } from "../src/node/http.ts"
import { certify, makeAuthority, type Pair, type ProxyOptions, serveProxy, serveTls } from "./network.ts"
import { type Bench, bench, config, type Finished, sluice } from "./process.ts"

const HOST = "vendors.example.com"
const USER = "canary-proxy-user"
const PASSWORD = "canary-proxy-password"

let vendors: Bench
let ca: Pair
let pair: Pair
let files: { readonly ca: string; readonly otherCa: string }

beforeAll(async () => {
  vendors = await bench()
  ca = await makeAuthority("Test Company CA")
  pair = await certify(ca, HOST)
  const other = await makeAuthority("Another CA")
  files = { ca: vendors.write("ca.pem", `Its name\n${ca.cert}`), otherCa: vendors.write("other.pem", other.cert) }
})

afterAll(() => vendors.close())

/** Where the sandbox is behind TLS and a proxy, under a name that only the proxy knows. */
const company = async (proxy: Omit<ProxyOptions, "port"> = {}, certificate = pair) => {
  const tls = await serveTls(certificate, new URL(vendors.env.AUTH0_BASE_URL ?? "").origin)
  const tunnel = await serveProxy({ ...proxy, port: tls.port })
  return {
    tls,
    tunnel,
    [Symbol.asyncDispose]: async () => {
      await tunnel[Symbol.asyncDispose]()
      await tls[Symbol.asyncDispose]()
    },
  }
}

const shown = ({ stdout, stderr }: Finished): string => (stdout + stderr).replaceAll(/\s+/g, " ")

/** No waits between attempts. */
const atOnce = Effect.provideService(Random.Random, { nextDoubleUnsafe: () => 0, nextIntUnsafe: () => 0 })

/** One call of a plugin's kind, and why it failed. */
const failure = (env: Readonly<Record<string, string>>) =>
  Effect.gen(function* () {
    const api = yield* makeApi({
      baseUrl: `https://${HOST}`,
      insecure: false,
      share: 1,
      limits: { all: { limit: 100, windowMillis: 1000 } },
      account: "test",
      readLimit: () => undefined,
      authorize: Effect.succeed,
      classify: () => ({ _tag: "Accept" }),
    })
    const request = HttpClientRequest.get("/users")
    return yield* api.call({ name: "test", bucket: "all", request, repeatable: false, decode: () => Effect.void })
  }).pipe(Effect.scoped, Effect.provide(httpLayer({ env })), atOnce, Effect.flip, Effect.runPromise)

describe("behind a proxy and a private authority", () => {
  it("a run passes by HTTPS_PROXY with its user, and trusts what NODE_EXTRA_CA_CERTS names; the vendor sees no proxy user", async () => {
    await using net = await company({ user: `${USER}:${PASSWORD}` })
    const proxy = `http://${USER}:${PASSWORD}@127.0.0.1:${net.tunnel.port}`
    const env = { ...environment(`https://${HOST}`), HTTPS_PROXY: proxy, NODE_EXTRA_CA_CERTS: files.ca }
    const run = await sluice(["run", config, "--state", vendors.state], env)
    assert.strictEqual(run.code, 0, run.stderr)
    assert.isNotEmpty(net.tls.seen)
    assert.isTrue(net.tunnel.asked.every((each) => each === `${HOST}:443`))
    assert.notMatch(JSON.stringify(net.tls.seen), /proxy-authorization|canary-proxy/i)
    assert.notInclude(shown(run), "canary-proxy")
  })

  it("both may stand in .env beside the file, in lower case too; SSL_CERT_FILE takes the usual authorities' place", async () => {
    await using net = await company()
    const address = `127.0.0.1:${net.tunnel.port}`
    for (const [proxy, trust] of [
      ["https_proxy", "NODE_EXTRA_CA_CERTS"],
      ["HTTPS_PROXY", "SSL_CERT_FILE"],
    ] as const) {
      const file = vendors.write("company.env", `${proxy}=${address}\n${trust}=${files.ca}\n`)
      const args = ["check", config, "--connect", "--state", vendors.state, "--env-file", file]
      const { code, stderr } = await sluice(args, environment(`https://${HOST}`))
      assert.strictEqual(code, 0, stderr)
    }
  })

  const certificates: ReadonlyArray<
    readonly [string, () => Promise<Pair>, (files: { readonly otherCa: string }) => Record<string, string>, RegExp]
  > = [
    ["no authority is named", async () => pair, () => ({}), /not trusted \(\w+\): .*NODE_EXTRA_CA_CERTS/],
    [
      "another authority is named",
      async () => pair,
      ({ otherCa }) => ({ NODE_EXTRA_CA_CERTS: otherCa }),
      /not trusted \(\w+\): .*NODE_EXTRA_CA_CERTS/,
    ],
    [
      "the certificate is another host's",
      () => certify(ca, "other.example.com"),
      () => ({ NODE_EXTRA_CA_CERTS: files.ca }),
      /for another host \(ERR_TLS_CERT_ALTNAME_INVALID\)/,
    ],
    [
      "the certificate has ended",
      () => certify(ca, HOST, new Date(Date.UTC(2026, 0, 1))),
      () => ({ NODE_EXTRA_CA_CERTS: files.ca }),
      /not valid at this time \(CERT_HAS_EXPIRED\): check this machine's clock/,
    ],
  ]
  for (const [name, certificate, env, says] of certificates) {
    it(`S15: where ${name}, the error says what to do`, async () => {
      await using net = await company({}, await certificate())
      const error = await failure({ HTTPS_PROXY: `http://127.0.0.1:${net.tunnel.port}`, ...env(files) })
      assert.strictEqual(error._tag, "Barred")
      assert.match(error.message, says)
      assert.isEmpty(net.tls.seen)
    })
  }

  const proxies: ReadonlyArray<readonly [string, Omit<ProxyOptions, "port">, string, RegExp]> = [
    [
      "takes another user",
      { user: "someone:else" },
      "Barred",
      /does not take its user name and password \(407\): correct HTTPS_PROXY/,
    ],
    ["does not let the host through", { status: 403 }, "Barred", /does not let this host through \(403\)/],
    ["has no way to the vendor", { status: 502 }, "Unavailable", /no connection \(the proxy answered 502\)/],
  ]
  for (const [name, options, tag, says] of proxies) {
    it(`a proxy that ${name} is named, its user and password are not`, async () => {
      await using net = await company(options)
      const proxy = `http://${USER}:${PASSWORD}@127.0.0.1:${net.tunnel.port}`
      const error = await failure({ HTTPS_PROXY: proxy, NODE_EXTRA_CA_CERTS: files.ca })
      assert.strictEqual(error._tag, tag)
      assert.match(error.message, says)
      assert.notInclude(JSON.stringify(error), "canary-proxy")
    })
  }
})

describe("exit codes of a network that does not let through", () => {
  /** What a run and a check end with, and what they advise. */
  const ended = async (env: Readonly<Record<string, string>>) => {
    const all = { ...environment(`https://${HOST}`), ...env }
    const run = await sluice(["run", config, "--state", vendors.state], all)
    const check = await sluice(["check", config, "--connect", "--state", vendors.state], all)
    assert.notInclude(shown(run) + shown(check), "correct the pipeline file")
    return { codes: [run.code, check.code], said: shown(run) }
  }

  it("a proxy that is not there is an outage, as a vendor that is not there is: 1, and the next run goes on", async () => {
    const net = await company()
    const HTTPS_PROXY = `http://127.0.0.1:${net.tunnel.port}`
    await net[Symbol.asyncDispose]()
    const { codes, said } = await ended({ HTTPS_PROXY, NODE_EXTRA_CA_CERTS: files.ca })
    assert.deepStrictEqual(codes, [1, 1])
    assert.match(said, /no connection \(ECONNREFUSED\).*HTTPS_PROXY.*goes on from where this one stopped/)
  })

  it("what the environment has to put right, user of a proxy or authority, is 3 and not a mistake of the file", async () => {
    await using net = await company({ user: "someone:else" })
    const proxy = `http://${USER}:${PASSWORD}@127.0.0.1:${net.tunnel.port}`
    assert.deepStrictEqual((await ended({ HTTPS_PROXY: proxy, NODE_EXTRA_CA_CERTS: files.ca })).codes, [3, 3])
    await using open = await company()
    assert.deepStrictEqual((await ended({ HTTPS_PROXY: `http://127.0.0.1:${open.tunnel.port}` })).codes, [3, 3])
  })

  it("an address of a proxy that is none is 3 as well", async () => {
    const { codes, said } = await ended({ HTTPS_PROXY: "socks5://127.0.0.1:1080" })
    assert.deepStrictEqual(codes, [3, 3])
    assert.include(said, "HTTPS_PROXY is not the address of an http or https proxy")
  })
})

describe("files of certificates", () => {
  it("a file that is missing, or holds none, is refused by variable and name", async () => {
    const none = vendors.write("none.pem", "no certificate")
    const broken = vendors.write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    for (const [env, says] of [
      [{ NODE_EXTRA_CA_CERTS: "/nowhere/ca.pem" }, /NODE_EXTRA_CA_CERTS names \/nowhere\/ca.pem, which does not exist/],
      [{ SSL_CERT_FILE: none }, /SSL_CERT_FILE names \S+none.pem, which holds no certificate/],
      [{ SSL_CERT_FILE: broken }, /SSL_CERT_FILE names \S+broken.pem, which cannot be read as certificates/],
    ] as const) {
      const error = await failure(env)
      assert.strictEqual(error._tag, "EnvironmentRefused")
      assert.match(error.message, says)
    }
  })
})
