/** `pnpm build [FOLDER]`: the command line as it is published, in packages/cli/dist or the folder named. */
import { join, resolve } from "node:path"
import { bundle } from "./bundle.ts"
import { writePackage } from "./package.ts"

const [folder = join(import.meta.dirname, "../dist")] = process.argv.slice(2)
const target = resolve(folder)
const bundled = await bundle(target)
writePackage(target, bundled)
process.stdout.write(`${target}\n`)
