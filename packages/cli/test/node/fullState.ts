/** Preloaded into a run: the state may grow by SLUICE_TEST_PAGES pages, as on a disk that fills up meanwhile (B11). */
import { DatabaseSync } from "node:sqlite"

const { SLUICE_TEST_PAGES = "0" } = process.env

const exec = DatabaseSync.prototype.exec
DatabaseSync.prototype.exec = function (this: DatabaseSync, sql: string): void {
  exec.call(this, sql)
  if (!sql.includes("synchronous = FULL")) return
  const pages = Number(this.prepare("PRAGMA page_count").get()?.page_count)
  exec.call(this, `PRAGMA max_page_count = ${pages + Number(SLUICE_TEST_PAGES)}`)
}
