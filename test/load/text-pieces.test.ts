/** A text read in pieces equals the text read whole, wherever its characters are cut. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { memorySource } from "../../src/load/index.ts";
import { textPieces } from "../../src/load/text-pieces.ts";
import { FileFormatError } from "../../src/tensor/errors.ts";
import { decodeUtf8 } from "../../src/text/utf8.ts";

async function inPieces(bytes: Uint8Array, first: number): Promise<string> {
  let text = "";
  for await (const piece of textPieces(memorySource("a.txt", bytes), undefined, first)) text += piece;
  return text;
}

const letters = fc.array(fc.constantFrom("a", "é", "€", "🐈", "\n", "\uFEFF", "\u0301"), { maxLength: 40 });

test("every text is read correctly, whatever the size of the first piece", async () => {
  await fc.assert(
    fc.asyncProperty(letters, fc.integer({ min: 1, max: 9 }), async (parts, first) => {
      const bytes = new TextEncoder().encode(parts.join(""));
      expect(await inPieces(bytes, first)).toBe(new TextDecoder().decode(bytes));
    }),
  );
});

test("bytes that are not UTF-8 are reported with their offset in the whole file", async () => {
  const byte = fc.constantFrom(0x61, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x90, 0x88, 0xff, 0xed);
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 20 }),
      fc.array(byte),
      fc.integer({ min: 1, max: 9 }),
      async (a, b, first) => {
        const bytes = Uint8Array.of(0x61, ...[...a].map((x) => x || 1), ...b);
        const whole = (() => {
          try {
            return { text: decodeUtf8(bytes, "a.txt") };
          } catch (error) {
            return error as Error;
          }
        })();
        const pieces = await inPieces(bytes, first).then(
          (text) => ({ text }),
          (error) => error,
        );
        if (whole instanceof Error) {
          expect(pieces).toBeInstanceOf(FileFormatError);
          expect(pieces.message).toBe(whole.message);
        } else expect(pieces).toEqual(whole);
      },
    ),
    { numRuns: 500 },
  );
});
