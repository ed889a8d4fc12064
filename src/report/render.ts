import type { Finding } from "../finding/finding.ts";
import { ArgumentError, UnknownNameError } from "../tensor/errors.ts";
import { COUNT, FLAG, OBJECT, POSITIVE, TEXT } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import { shown } from "../tensor/show.ts";
import { type CsvOptions, renderCsv } from "./csv.ts";
import { renderHtml } from "./html.ts";
import { renderJson } from "./json.ts";
import { type PngOptions, rasterize } from "./rasterize.ts";
import { stampedPng, stampedSvg } from "./stamp.ts";
import { renderSvg } from "./svg.ts";
import { renderText, type TextOptions } from "./text.ts";

/** The formats that a finding can be rendered to. */
export const REPORT_FORMATS = ["text", "json", "csv", "svg", "html", "png"] as const;
/** One of `REPORT_FORMATS`. */
export type ReportFormat = (typeof REPORT_FORMATS)[number];

/** How `render` writes a finding. */
export interface RenderOptions {
  readonly text?: TextOptions | undefined;
  readonly csv?: CsvOptions | undefined;
  readonly png?: PngOptions | undefined;
}

const KINDS: OptionKinds<RenderOptions> = { text: OBJECT, csv: OBJECT, png: OBJECT };
const TEXT_KINDS: OptionKinds<TextOptions> = { width: COUNT, color: FLAG, maxRows: COUNT, lines: COUNT, hint: TEXT };
const CSV_KINDS: OptionKinds<CsvOptions> = { table: TEXT };
const PNG_KINDS: OptionKinds<PngOptions> = { scale: POSITIVE, background: TEXT };

/**
 * The finding in one of the formats: PNG as bytes, all others as a string.
 *
 * @throws UnknownNameError for an unknown format, or a CSV table that does not exist.
 * @throws GlassformerError for a PNG if no rasterizer or no font is available.
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
  checkOptions("render", options, KINDS);
  if (options.text) checkOptions("render's text", options.text, TEXT_KINDS);
  if (options.csv) checkOptions("render's csv", options.csv, CSV_KINDS);
  if (options.png) checkOptions("render's png", options.png, PNG_KINDS);
  checkFinding(finding);
  switch (format) {
    case "text":
      return renderText(finding, options.text);
    case "json":
      return renderJson(finding);
    case "csv":
      return renderCsv(finding, options.csv);
    case "svg":
      return stampedSvg(await renderSvg(finding), finding.provenance);
    case "html":
      return renderHtml(finding);
    case "png":
      return stampedPng(await rasterize(await renderSvg(finding), options.png), finding.provenance);
    default:
      throw new UnknownNameError("report format", typeof format === "string" ? format : shown(format), REPORT_FORMATS);
  }
}

/** @throws ArgumentError for something that is not a finding */
function checkFinding(finding: unknown): void {
  const { tables, pictures, summary, baselines } = (OBJECT.accepts(finding) ? finding : {}) as Partial<Finding>;
  if ([tables, pictures, summary, baselines].every(Array.isArray)) return;
  throw new ArgumentError(
    `render takes a finding, as returned by an analysis or by finding(), not ${shown(finding)}.`,
    {
      asked: finding,
    },
  );
}
