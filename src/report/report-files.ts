/** A finding as separate files: each picture and each table on its own, for papers, slides and other programs. */
import type { Finding } from "../finding/finding.ts";
import { exported, FINDING, REPORT } from "./exported.ts";
import { renderHtml } from "./html.ts";
import { renderJson } from "./json.ts";
import { fittingScale, rasterize } from "./rasterize.ts";
import { stampedPng } from "./stamp.ts";

export interface ReportFile {
  readonly name: string;
  readonly content: string | Uint8Array;
}

/**
 * The report, the finding as JSON, each picture as SVG, PNG and JSON, each table as CSV and JSON.
 * @throws GlassformerError for PNGs if no rasterizer or no font is available
 */
export async function reportFiles(finding: Finding): Promise<ReportFile[]> {
  const files: ReportFile[] = [
    { name: REPORT, content: await renderHtml(finding) },
    { name: FINDING, content: renderJson(finding) },
  ];
  for (const { file, forms } of exported(finding)) {
    const made = await Promise.all(Object.values(forms).map((make) => make()));
    for (const [i, ending] of Object.keys(forms).entries()) {
      files.push({ name: `${file}.${ending}`, content: made[i] });
    }
    if (!("svg" in forms)) continue;
    const [svg] = made;
    const png = await rasterize(svg, { scale: fittingScale(svg) });
    files.push({ name: `${file}.png`, content: stampedPng(png, finding.provenance) });
  }
  return files;
}
