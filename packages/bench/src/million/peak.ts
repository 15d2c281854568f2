/** Loaded into a process by --import: leaves the most memory it ever had, in KiB, in the file that PEAK_FILE names. */
import { writeFileSync } from "node:fs"

const { PEAK_FILE } = process.env
if (PEAK_FILE !== undefined) {
  process.once("exit", () => writeFileSync(PEAK_FILE, String(process.resourceUsage().maxRSS)))
}
