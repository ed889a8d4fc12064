/** Recognises a file by its first bytes, so that errors can say what a misnamed file really is. */
import { shown } from "../tensor/show.ts";
import { beginningOf, webPage } from "../text/beginnings.ts";
import { type ByteSource, readExactly } from "./bytes.ts";

/** What a source is, if it is recognised, to end "it is …": "zip", "a safetensors file", "an HTML page". */
export async function whatItIs(source: ByteSource, signal?: AbortSignal): Promise<string | undefined> {
  if (source.size === 0) return "empty (0 bytes)";
  const bytes = await readExactly(source, 0, Math.min(source.size, 512), signal);
  const start = String.fromCharCode(...bytes);
  const known = beginningOf(start);
  if (known) return known.kind ?? known.is;
  if (bytes.length > 8 && bytes[8] === 0x7b) {
    const header = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
    if (header <= BigInt(source.size - 8))
      return "a safetensors file (read it with readSafetensors, or give it a name ending in .safetensors)";
  }
  if (start.slice(257, 262) === "ustar") {
    return "a tar archive, but not one that torch wrote: unpack it first";
  }
  const page = webPage(start);
  if (page !== undefined) return page;
  if (start.startsWith("\x80") && bytes[1] >= 2 && bytes[1] <= 5) {
    return "a plain Python pickle, not written by torch.save (load it in Python, and torch.save the weights)";
  }
  if (/^\s*[{[]/.test(start) && !start.includes("\0")) return "JSON text, not weights";
  if (/^[\t\n\r\x20-\x7e]+$/.test(start)) return `text, not weights (${shown(start.trim(), 60)}): download it again`;
  return undefined;
}

/** What an adapter's folder has, and a model's does not. */
export const ADAPTER_CONFIG = "adapter_config.json";

/** Whether a repository is an adapter's, and not a model's. */
export function isAdapter(paths: readonly string[]): boolean {
  return paths.includes(ADAPTER_CONFIG) && !paths.includes("config.json");
}

/** How a file is packed, by its name's ending; undefined if it is not. */
export function packingOf(name: string): "gz" | "zst" | undefined {
  const [, ending] = /\.(gz|zst)$/i.exec(name) ?? [];
  return ending?.toLowerCase() as "gz" | "zst" | undefined;
}

/** The name that a packed file has once it is unpacked; any other name as it is. */
export const unpackedName = (name: string): string => name.replace(/\.(gz|zst)$/i, "");
