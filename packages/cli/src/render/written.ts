/** A line for each file that was written. */
import type { Written } from "../authoring/newFiles.ts"
import { clean, type Page } from "./text.ts"

export const renderWritten = ({ file, action }: Written, { style }: Page): string =>
  `${style.green("✓")} ${action === "written" ? "wrote" : "added to"} ${style.bold(clean(file))}`
