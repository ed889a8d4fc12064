/** Checksums by WebCrypto. */
import type { ByteSource } from "../load/index.ts";
import { GlassformerError } from "../tensor/errors.ts";
import { freeMemory } from "../tensor/free-memory.ts";

/** The SHA-256 of bytes, in hexadecimal. @throws GlassformerError where the page may not use WebCrypto (`http://`), which takes all bytes at a time, or has no memory for them */
export async function sha256(source: ByteSource): Promise<string> {
  const subtle = (globalThis as { readonly crypto?: Partial<Crypto> }).crypto?.subtle;
  if (!subtle || source.size > freeMemory()) {
    throw new GlassformerError(`The SHA-256 of ${source.name} cannot be computed in this page.`, {
      asked: source.name,
    });
  }
  const digest = await subtle.digest("SHA-256", (await source.read(0, source.size)) as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
