/** Which certificate authorities are trusted: Node's own, and those that the environment names by file. */
import { X509Certificate } from "node:crypto"
import * as fs from "node:fs"
import * as tls from "node:tls"
import * as Effect from "effect/Effect"
import { EnvironmentRefused, type Variables } from "./environment.ts"

const LARGEST_FILE = 4 * 1024 * 1024

const certificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

const refused = (variable: string, file: string, problem: string) =>
  new EnvironmentRefused({ message: `${variable} names ${file}, which ${problem}` })

const readCertificates = (variable: string, file: string) =>
  Effect.try({
    try: () => {
      if (fs.statSync(file).size > LARGEST_FILE) throw new RangeError()
      const found = fs.readFileSync(file, "utf8").match(certificate) ?? []
      for (const each of found) new X509Certificate(each)
      return found
    },
    catch: (cause) => {
      const missing = cause instanceof Error && "code" in cause && cause.code === "ENOENT"
      return refused(variable, file, missing ? "does not exist" : "cannot be read as certificates (PEM)")
    },
  }).pipe(
    Effect.filterOrFail(
      (found) => found.length > 0,
      () => refused(variable, file, "holds no certificate (-----BEGIN CERTIFICATE-----)"),
    ),
  )

/**
 * What TLS connections trust; undefined where nothing is named, so that Node's own way stays. Node by itself reads
 * NODE_EXTRA_CA_CERTS only from the process and is silent about a file that is not there; SSL_CERT_FILE takes the place
 * of the usual authorities, as it does for curl and Go.
 */
export const authorities: (env: Variables) => Effect.Effect<tls.SecureContext | undefined, EnvironmentRefused> =
  Effect.fnUntraced(function* ({ NODE_EXTRA_CA_CERTS: extra = "", SSL_CERT_FILE: instead = "" }) {
    if (extra === "" && instead === "") return undefined
    const usual = instead === "" ? tls.getCACertificates("default") : yield* readCertificates("SSL_CERT_FILE", instead)
    const added = extra === "" ? [] : yield* readCertificates("NODE_EXTRA_CA_CERTS", extra)
    return tls.createSecureContext({ ca: [...usual, ...added] })
  })
