/** Our protobuf against that of @bufbuild/protobuf. */
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import { MessageWriter } from "../../src/engine/protobuf.ts";
import { eachField } from "../../src/text/vocabularies/protobuf.ts";

const field = fc.integer({ min: 1, max: 5000 });
const value = fc.oneof(
  fc.maxSafeInteger(),
  fc.float(),
  fc.string({ unit: "grapheme" }),
  fc.uint8Array({ maxLength: 300 }),
);
type Field = readonly [number, number | string | Uint8Array];

const isInteger = (one: unknown): one is number => Number.isSafeInteger(one) && !Object.is(one, -0);

test("what is written are the bytes that protobuf's own writer makes, messages within messages too", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(field, value)), fc.array(fc.tuple(field, value)), field, (outer, inner, number) => {
      const ours = new MessageWriter();
      write(ours, outer);
      ours.message(number, (to) => write(to, inner));
      const theirs = new BinaryWriter();
      writeTheirs(theirs, outer);
      theirs.tag(number, WireType.LengthDelimited).fork();
      writeTheirs(theirs, inner);
      theirs.join();
      expect(ours.finish()).toEqual(theirs.finish());
    }),
  );
});

test("what protobuf's own writer has written is read back, what is not known left out", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(field, value)), field, (fields, number) => {
      const theirs = new BinaryWriter();
      writeTheirs(theirs, fields);
      theirs.tag(number, WireType.Bit64).double(1);
      const found: Field[] = [];
      // A file's bytes may be a part of a larger buffer.
      eachField(Buffer.from(theirs.finish()), (at, one) => {
        found.push([at, typeof one === "number" ? one : Uint8Array.from(one)]);
      });
      const bytes = (one: string | Uint8Array) => (typeof one === "string" ? new TextEncoder().encode(one) : one);
      expect(found).toEqual(fields.map(([at, one]) => [at, typeof one === "number" ? one : bytes(one)]));
    }),
  );
});

test("bytes are refused where protobuf's own reader refuses them", () => {
  const readTheirs = (bytes: Uint8Array) => {
    const reader = new BinaryReader(bytes);
    while (reader.pos < reader.len) {
      const [at, wire] = reader.tag();
      if (wire === WireType.StartGroup || wire === WireType.EndGroup) throw new Error("groups are not read");
      reader.skip(wire, at);
    }
  };
  const refuses = (read: () => void) => {
    try {
      read();
      return false;
    } catch {
      return true;
    }
  };
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
      expect(refuses(() => eachField(bytes, () => {}))).toBe(refuses(() => readTheirs(bytes)));
    }),
    { numRuns: 3000 },
  );
});

function write(to: MessageWriter, fields: readonly Field[]): void {
  for (const [at, one] of fields) {
    if (isInteger(one)) to.integer(at, one);
    else if (typeof one === "number") to.float(at, one);
    else if (typeof one === "string") to.text(at, one);
    else to.bytes(at, one);
  }
}

function writeTheirs(to: BinaryWriter, fields: readonly Field[]): void {
  for (const [at, one] of fields) {
    if (isInteger(one)) to.tag(at, WireType.Varint).int64(one);
    else if (typeof one === "number") to.tag(at, WireType.Bit32).float(one);
    else if (typeof one === "string") to.tag(at, WireType.LengthDelimited).string(one);
    else to.tag(at, WireType.LengthDelimited).bytes(one);
  }
}
