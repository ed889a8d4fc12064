/** Metadata of picture files: how the finding that they show was made. */
import type { Provenance } from "../finding/finding.ts";
import { pngWithTexts } from "./draw/png.ts";
import { escapeMarkup } from "./escape.ts";
import { checksumText, provenanceLines } from "./provenance-text.ts";

/** The drawing with a metadata element, which is not drawn. */
export function stampedSvg(svg: string, provenance: Provenance | undefined): string {
  if (!provenance) return svg;
  const text = provenanceLines(provenance).map(escapeMarkup).join("\n");
  return svg.replace(/>/, () => `><metadata>${text}</metadata>`);
}

/** The picture with its texts. */
export function stampedPng(png: Uint8Array, provenance: Provenance | undefined): Uint8Array {
  return provenance ? pngWithTexts(png, pngTexts(provenance)) : png;
}

/** Texts under the keywords that PNG has for them. */
export function pngTexts(provenance: Provenance): Readonly<Record<string, string>> {
  const { version, date, command } = provenance;
  return {
    Software: version,
    "Creation Time": date,
    ...(command ? { Source: command } : {}),
    Comment: checksumText(provenance),
  };
}
