/** How much memory a run in a page may take: WebAssembly's addresses end at 4 GB, and a small device has less. */
import type { MemoryReader } from "../platform.ts";

const WASM_BYTES = 2 ** 32;
/** For what else is there: compiled graphs, what earlier runs keep. */
const SHARE = 0.75;

/** `deviceMemory` is in GiB, rounded and at most 8; not every browser reports it. */
export function webMemory(): MemoryReader {
  const { deviceMemory } = (globalThis.navigator ?? {}) as { readonly deviceMemory?: number };
  const device = typeof deviceMemory === "number" ? (deviceMemory * 2 ** 30) / 2 : Infinity;
  return {
    read: () => SHARE * Math.min(WASM_BYTES, device),
    limit: (bytes) =>
      device < WASM_BYTES
        ? `a page on this device may only have ${bytes}`
        : `a page may only have ${bytes} (WebAssembly's addresses end at 4 GB)`,
  };
}
