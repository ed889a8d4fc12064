/** The pictures of a finding, one below the other, as one figure. */
import type { Finding } from "../finding/finding.ts";
import { DEFAULT_WIDTH, drawSvg } from "./draw/draw.ts";
import { svgDocument, svgText, wrap } from "./draw/drawing.ts";
import { drawn } from "./views/picture-of.ts";

const MARGIN = 24;
const GAP = 36;

/** One standalone SVG: the question, then every picture with its title and caption. */
export async function renderSvg(given: Finding): Promise<string> {
  const finding = drawn(given);
  const width = Math.max(DEFAULT_WIDTH, ...finding.pictures.map((spec) => spec.width ?? 0));
  const parts: string[] = [];
  let y = MARGIN;
  for (const line of wrap(finding.question, width, 20 * 0.63)) {
    y += 26;
    parts.push(svgText(line, MARGIN, y - 6, `font-size="20" font-weight="700"`));
  }
  y += 4;
  for (const line of wrap(finding.summary[0].text, width, 13 * 0.58)) {
    y += 19;
    parts.push(svgText(line, MARGIN, y - 4, `font-size="13"`));
  }
  for (const spec of finding.pictures) {
    const svg = await drawSvg(spec, { width: spec.width ?? width, padding: 0 });
    y += GAP;
    parts.push(svg.replace("<svg ", `<svg x="${MARGIN}" y="${y}" `));
    y += Number(svg.match(/ height="([\d.]+)"/)![1]);
  }
  return svgDocument(width + 2 * MARGIN, y + MARGIN, finding.question, parts.join(""));
}
