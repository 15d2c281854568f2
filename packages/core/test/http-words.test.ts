/** What is repeated of a vendor's own words: enough to act on, and nobody's data. */
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import { assert, describe, it } from "vitest"
import { vendorWords } from "../src/http/vendorWords.ts"

const request = HttpClientRequest.put("https://api.example.com/v3/contacts/lovelace?identifierType=ext_id").pipe(
  HttpClientRequest.setHeader("api-key", "xkeysib-canary-secret"),
  HttpClientRequest.bearerToken("canary-token"),
  HttpClientRequest.bodyJsonUnsafe({
    email: "ada@example.com",
    attributes: { SMS: "+4915770000042", COMPANY: "meridian bank", AUTH0_ID__C: "x", AGE: 36 },
  }),
)

describe("a vendor's own words", () => {
  it.each([
    ["Unable to update contact, SMS is already associated with another Contact"],
    ["Key not found"],
    ["Insufficient scope, expected any of: read:users"],
    ["COMPANY must be text; AUTH0_ID__C must be unique"],
    ["We have detected you are using an unrecognised IP address"],
  ])("are repeated where they hold no data: %s", (text) => {
    assert.strictEqual(vendorWords(text, request), text)
  })

  it.each([
    ["Invalid phone number +4915770000042", "Invalid phone number +***"],
    ["ada@example.com is taken", "*** is taken"],
    ["value MERIDIAN is too long", "value *** is too long"],
    ["value meridi is too long", "value *** is too long"],
    ["no contact lovelace", "no contact ***"],
    ["the key xkeysib-canary-secret is revoked", "the key *** is revoked"],
    ["taken by Grace Hopper, id 00Q5e000001xyz", "taken by ***, id ***"],
    ["value \"any thing\" of 'SMS'", "value *** of 'SMS'"],
    ["see https://example.com/?token=abc", "see ***"],
    ["line\r\n\u001b[2J\u202eforged", "line [2J forged"],
  ])("of %j stays %j", (text, expected) => {
    assert.strictEqual(vendorWords(text, request), expected)
  })

  it("are masked as a whole where a vendor quotes all that it was sent", () => {
    const body = request.body._tag === "Uint8Array" ? new TextDecoder().decode(request.body.body) : ""
    const said = vendorWords(`xkeysib-canary-secret sent ${body} ${request.url}`, request) ?? ""
    for (const canary of ["ada", "canary", "0000042", "meridian", "bank", "lovelace", "36"])
      assert.notInclude(said, canary)
  })

  it("are cut between words, and left out where nobody can tell what was sent", () => {
    assert.isAtMost(vendorWords("no ".repeat(500), request)?.length ?? 999, 201)
    assert.isUndefined(vendorWords("no", HttpClientRequest.setBody(request, HttpBody.raw("ada"))))
  })
})
