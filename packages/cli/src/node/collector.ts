/** How this process collects garbage. */
import { setFlagsFromString } from "node:v8"

/**
 * V8 watches, place by place in the code, how many objects outlive a minor collection, and makes those of a lasting
 * place in the old space from then on. In a stream everything in hand outlives the first, small collections; made in the
 * old space, what holds a page then keeps its records until a major one, which proves V8 right for ever. Without it a
 * second run keeps a fiftieth of what it makes, where it kept half (docs/adr/0023-no-pretenuring.md).
 */
export const tuneCollector = (): void => setFlagsFromString("--no-allocation-site-pretenuring")
