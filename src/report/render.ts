import type { Finding } from "../analyses/finding.ts";
import { UnknownNameError } from "../tensor/errors.ts";
import { type CsvOptions, renderCsv } from "./csv.ts";
import { renderHtml } from "./html.ts";
import { renderJson } from "./json.ts";
import { type PngOptions, rasterize } from "./rasterize.ts";
import { renderSvg } from "./svg.ts";
import { renderText, type TextOptions } from "./text.ts";

/** The formats that a finding can be rendered to. */
export const REPORT_FORMATS = ["text", "json", "csv", "svg", "html", "png"] as const;
/** One of `REPORT_FORMATS`. */
export type ReportFormat = (typeof REPORT_FORMATS)[number];

/** How `render` writes a finding. */
export interface RenderOptions {
  readonly text?: TextOptions;
  readonly csv?: CsvOptions;
  readonly png?: PngOptions;
}

/**
 * The finding in one of the formats: PNG as bytes, all others as a string.
 *
 * @throws UnknownNameError for an unknown format, or a CSV table that does not exist.
 * @throws GlassformerError for a PNG where nothing can draw one, or no font is there to write with.
 */
export function render(finding: Finding, format: "png", options?: RenderOptions): Promise<Uint8Array>;
export function render(
  finding: Finding,
  format: Exclude<ReportFormat, "png">,
  options?: RenderOptions,
): Promise<string>;
export function render(finding: Finding, format: ReportFormat, options?: RenderOptions): Promise<string | Uint8Array>;
export async function render(
  finding: Finding,
  format: ReportFormat,
  options: RenderOptions = {},
): Promise<string | Uint8Array> {
  switch (format) {
    case "text":
      return renderText(finding, options.text);
    case "json":
      return renderJson(finding);
    case "csv":
      return renderCsv(finding, options.csv);
    case "svg":
      return renderSvg(finding);
    case "html":
      return renderHtml(finding);
    case "png":
      return rasterize(await renderSvg(finding), options.png);
    default:
      throw new UnknownNameError("report format", String(format), REPORT_FORMATS);
  }
}
