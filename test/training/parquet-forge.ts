/** Writes Parquet files that claim whatever a test wants, true or not. */

/** A field of a Thrift struct: its kind and its bytes. */
export type Field = readonly [kind: number, bytes: Uint8Array];
export type Struct = Readonly<Record<number, Field | undefined>>;

export const joined = (...parts: readonly (Uint8Array | readonly number[])[]) =>
  Uint8Array.from(Buffer.concat(parts.map((part) => Uint8Array.from(part))));
export const utf8 = (text: string) => new TextEncoder().encode(text);
export const u32 = (value: number) => new Uint8Array(Uint32Array.of(value).buffer);

export function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let left = value;
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) + 128);
  return Uint8Array.of(...bytes, left);
}
export const zigzag = (value: number) => varint(value < 0 ? -2 * value - 1 : 2 * value);

export const integer = (value: number): Field => [6, zigzag(value)];
export const flag = (value: boolean): Field => [value ? 1 : 2, new Uint8Array()];
export const binary = (bytes: Uint8Array | string): Field => {
  const content = typeof bytes === "string" ? utf8(bytes) : bytes;
  return [8, joined(varint(content.length), content)];
};
/** @param count what the list claims */
export const list = (kind: number, entries: readonly Uint8Array[], count = entries.length): Field => [
  9,
  joined([0xf0 + kind], varint(count), Buffer.concat(entries)),
];
export const struct = (fields: Struct): Uint8Array => joined(...fieldsOf(fields), [0]);
export const nested = (fields: Struct): Field => [12, struct(fields)];

function* fieldsOf(fields: Struct): Generator<Uint8Array> {
  for (const [id, field] of Object.entries(fields)) {
    if (field) yield joined([field[0]], zigzag(Number(id)), field[1]);
  }
}

export interface PageClaims {
  readonly values: number;
  readonly encoding?: number;
  /** The announced unpacked size. Default: that of the body. */
  readonly size?: number;
  readonly packedSize?: number;
  readonly dictionary?: boolean;
  readonly more?: Struct;
}

/** A page's header and its bytes. */
export function page(body: Uint8Array, claims: PageClaims): Uint8Array {
  const { values, encoding = 0, size = body.length, packedSize = body.length, dictionary = false, more } = claims;
  const header = struct({
    1: integer(dictionary ? 2 : 0),
    2: integer(size),
    3: integer(packedSize),
    [dictionary ? 7 : 5]: nested({
      1: integer(values),
      2: integer(encoding),
      ...(dictionary ? {} : { 3: integer(3), 4: integer(3) }),
    }),
    ...more,
  });
  return joined(header, body);
}

/** A page of version 2. */
export function pageV2(body: Uint8Array, values: number, levels: Uint8Array, claimed = levels.length): Uint8Array {
  const of = nested({
    1: integer(values),
    2: integer(0),
    3: integer(values),
    4: integer(0),
    5: integer(claimed),
    6: integer(0),
    7: flag(false),
  });
  const size = levels.length + body.length;
  return joined(struct({ 1: integer(3), 2: integer(size), 3: integer(size), 8: of }), levels, body);
}

/** Texts in PLAIN encoding. */
export const plain = (...texts: readonly string[]) =>
  joined(...texts.flatMap((text) => [u32(utf8(text).length), utf8(text)]));

/** A run that repeats `value`, of one byte. */
export const run = (count: number, value: number) => joined(varint(2 * count), [value]);

/** Lengths that are all the same, in one block, with any claimed count. */
export const equalLengths = (count: number, length: number, perBlock = 128) =>
  joined(varint(perBlock), varint(1), varint(count), zigzag(length), zigzag(0), [0]);

export interface FileClaims {
  readonly rows: number;
  readonly codec?: number;
  readonly optional?: boolean;
  readonly pages?: readonly Uint8Array[];
  /** The bytes of the column according to the footer. Default: those of the pages. */
  readonly size?: number;
  readonly start?: number;
  /** Elements of the schema, the root first. */
  readonly schema?: Field;
  readonly groups?: Field;
  readonly more?: Struct;
  readonly footerLength?: number;
}

export const element = (name: string, children?: number): Uint8Array =>
  struct({
    ...(children === undefined ? { 1: integer(6), 3: integer(0) } : {}),
    4: binary(name),
    5: children === undefined ? undefined : integer(children),
  });

/** A file with one column, `text`. */
export function forged(claims: FileClaims): Uint8Array {
  const { rows, codec = 0, optional = false, pages = [], more } = claims;
  const body = joined(...pages);
  const column = struct({ 1: integer(6), 3: integer(optional ? 1 : 0), 4: binary("text"), 6: integer(0) });
  const meta = {
    1: integer(6),
    3: list(8, [joined([4], utf8("text"))]),
    4: integer(codec),
    5: integer(rows),
    6: integer(body.length),
    7: integer(claims.size ?? body.length),
    9: integer(claims.start ?? 4),
  };
  const group = struct({ 1: list(12, [struct({ 2: integer(4), 3: nested(meta) })]), 2: integer(0), 3: integer(rows) });
  const footer = struct({
    1: integer(1),
    2: claims.schema ?? list(12, [element("root", 1), column]),
    3: integer(rows),
    4: claims.groups ?? list(12, [group]),
    ...more,
  });
  return joined(utf8("PAR1"), body, footer, u32(claims.footerLength ?? footer.length), utf8("PAR1"));
}

/** Zeros by Zstandard: blocks that repeat a byte, each four bytes long. @param told the size that the frame says, or none */
export function zstdZeros(blocks: number, blockSize = 2 ** 17, told?: number): Uint8Array {
  const block = (last: boolean) => {
    const head = (last ? 1 : 0) + 2 + blockSize * 8;
    return [head & 255, (head >> 8) & 255, (head >> 16) & 255, 0];
  };
  const head = told === undefined ? [0, 0x58] : [0x80, 0x58, ...u32(told)];
  return joined(
    [0x28, 0xb5, 0x2f, 0xfd, ...head],
    Array.from({ length: blocks }, (_, i) => block(i === blocks - 1)).flat(),
  );
}

/** Zeros by Snappy: one, and copies of 64 of it. */
export const snappyZeros = (told: number, copies: number) =>
  joined(varint(told), [0, 0], Array.from({ length: copies }, () => [0xfe, 1, 0]).flat());

/** Zeros by LZ4: one, and a copy of `count` of it. */
export const lz4Zeros = (count: number) =>
  joined([0x1f, 0, 1, 0], new Uint8Array(Math.floor((count - 19) / 255)).fill(255), [(count - 19) % 255]);
