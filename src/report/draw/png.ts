/** PNGs (W3C, "Portable Network Graphics"): with few colours, one byte per pixel (colour type 3), or with any (colour type 6). */

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** @param pixels `width` x `height` indices into `palette`, which has up to 256 colours as `#rrggbb` */
export function indexedPng(
  width: number,
  height: number,
  pixels: Uint8Array,
  palette: readonly string[],
): Promise<Uint8Array> {
  const colors = palette.flatMap((color) => [1, 3, 5].map((i) => Number.parseInt(color.slice(i, i + 2), 16)));
  return png({ width, height, type: 3, pixels }, [chunk("PLTE", Uint8Array.from(colors))]);
}

/** @param pixels red, green, blue and opacity of each pixel */
export function rgbaPng(width: number, height: number, pixels: Uint8Array): Promise<Uint8Array> {
  return png({ width, height, type: 6, pixels }, []);
}

interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly type: 3 | 6;
  readonly pixels: Uint8Array;
}

async function png({ width, height, type, pixels }: Pixels, between: readonly Uint8Array[]): Promise<Uint8Array> {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, type], 8);
  // Each row begins with the number of its filter: none.
  const wide = pixels.length / Math.max(1, height);
  const rows = new Uint8Array((wide + 1) * height);
  for (let y = 0; y < height; y++) rows.set(pixels.subarray(y * wide, (y + 1) * wide), y * (wide + 1) + 1);
  const chunks = [
    chunk("IHDR", header),
    ...between,
    chunk("IDAT", await deflated(rows)),
    chunk("IEND", new Uint8Array()),
  ];
  return joined([Uint8Array.from(SIGNATURE), ...chunks]);
}

/** The signature and the header, which come first. */
const BEGINNING = SIGNATURE.length + 12 + 13;

/** A PNG with texts by keyword, as its metadata (chunks of type iTXt: in UTF-8, not compressed, of no language). */
export function pngWithTexts(png: Uint8Array, texts: Readonly<Record<string, string>>): Uint8Array<ArrayBuffer> {
  const chunks = Object.entries(texts).map(([keyword, text]) =>
    chunk("iTXt", new TextEncoder().encode(`${keyword}\0\0\0\0\0${text}`)),
  );
  return joined([png.subarray(0, BEGINNING), ...chunks, png.subarray(BEGINNING)]);
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const bytes of parts) {
    all.set(bytes, at);
    at += bytes.length;
  }
  return all;
}

async function deflated(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Length, name, content, and the checksum of the latter two. */
function chunk(name: string, content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + content.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, content.length);
  for (let i = 0; i < 4; i++) bytes[4 + i] = name.charCodeAt(i);
  bytes.set(content, 8);
  view.setUint32(8 + content.length, crc32(bytes.subarray(4, 8 + content.length)));
  return bytes;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

function crc32(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const byte of bytes) c = TABLE[(c ^ byte) & 0xff] ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}
