/** GET /account: who the key belongs to. Another account name gives another organisation. */
import type { SandboxOptions } from "../options.ts"
import { mix } from "../random.ts"

export const accountAnswer = (options: SandboxOptions) => {
  const name = options.account ?? "sandbox"
  let number = 7
  for (const letter of name) number = mix(number, letter.codePointAt(0) ?? 0)
  return {
    organization_id: `sandbox${number.toString(16).padStart(8, "0")}`,
    user_id: number % 1_000_000,
    enterprise: false,
    companyName: `Sandbox ${name}`,
    email: `owner@${name}.example.com`,
    firstName: "Sandy",
    lastName: "Box",
    address: { street: "1 Example Street", city: "Exampleton", zipCode: "00000", country: "Nowhere" },
    plan: [{ type: "free", creditsType: "sendLimit", credits: 300 }],
    relay: { enabled: false, data: { userName: `owner@${name}.example.com`, relay: "smtp.example.com", port: 587 } },
    marketingAutomation: { enabled: false },
  }
}
