/** The texts of a PNG by keyword, read chunk by chunk. */
export function textsOf(png: Uint8Array): Record<string, string> {
  const view = new DataView(png.buffer, png.byteOffset);
  const texts: Record<string, string> = {};
  for (let at = 8; at < png.length; at += 12 + view.getUint32(at)) {
    const content = png.subarray(at + 8, at + 8 + view.getUint32(at));
    if (new TextDecoder().decode(png.subarray(at + 4, at + 8)) !== "iTXt") continue;
    const end = content.indexOf(0);
    texts[new TextDecoder().decode(content.subarray(0, end))] = new TextDecoder().decode(content.subarray(end + 5));
  }
  return texts;
}
