/** Text as one gzip member, made piece by piece: a file of a million users is never whole in memory. */
import { constants, crc32, deflateRawSync } from "node:zlib"

const header = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff)
/** A last block without anything in it. */
const lastBlock = Uint8Array.of(3, 0)

/** `cut` leaves out the end, by which a reader could tell that it has all. */
export function* gzipped(texts: Iterable<string>, cut: boolean): Generator<Uint8Array> {
  yield header
  let sum = 0
  let size = 0
  for (const text of texts) {
    const bytes = Buffer.from(text, "utf8")
    sum = crc32(bytes, sum)
    size += bytes.length
    yield deflateRawSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH, level: 1 })
  }
  if (cut) return
  const trailer = Buffer.alloc(8)
  trailer.writeUInt32LE(sum)
  trailer.writeUInt32LE(size % 2 ** 32, 4)
  yield lastBlock
  yield trailer
}
