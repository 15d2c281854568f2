/** `pnpm guides`: works through the guides and puts what commands print now where a guide shows it. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "../files.ts"
import { temporaryFolder } from "../sluice.ts"
import { GUIDES, guidePage, timeless, workThrough } from "./session.ts"

const place = temporaryFolder()
const passages = await workThrough(place.path)
for (const guide of GUIDES) {
  let page = guidePage(guide)
  for (const { block, commands, shown } of passages.filter((each) => each.guide === guide)) {
    for (const { line, code, wanted, err } of commands) {
      if (code !== wanted) process.stderr.write(`${guide}.md:${block.line}: ${line} ended with ${code}\n${err}`)
    }
    const printed = commands.map(({ out }) => out).join("")
    if (shown === undefined || timeless(shown) === timeless(printed)) continue
    const before = page.indexOf(`\`\`\`sh\n${block.text}\`\`\``)
    const at = page.indexOf(`\`\`\`text\n${shown}\`\`\``, before)
    page = `${page.slice(0, at)}\`\`\`text\n${printed}${page.slice(at + "```text\n".length + shown.length)}`
  }
  writeFileSync(join(root, `docs/guide/${guide}.md`), page)
}
place.remove()
