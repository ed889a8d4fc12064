/** Renders findings and numbers for people to look at. */

export type { LogitLensCell, RankedToken } from "../finding/picture.ts";
export { type AttentionHeadsOptions, attentionHeads, attentionPattern } from "./attention-heads.ts";
export { type BarOptions, bar } from "./bar.ts";
export { type CsvOptions, renderCsv } from "./csv.ts";
export type { DrawOptions } from "./draw/draw.ts";
export { element } from "./element.ts";
export { type HistOptions, hist } from "./hist.ts";
export { type ImshowOptions, imshow } from "./imshow.ts";
export { type LineOptions, line } from "./line.ts";
export {
  type LogitLensCellsOptions,
  type LogitLensTableOptions,
  logitLensCells,
  logitLensTable,
} from "./logit-lens-table.ts";
export {
  type ActivationsState,
  type AttentionState,
  type GraphState,
  type Mountable,
  type Mounted,
  type MountOptions,
  mount,
  type ViewEvents,
  type ViewPlace,
  type ViewState,
} from "./mount.ts";
export type { Matrix, Numbers, Vector } from "./numbers.ts";
export { mainTable } from "./parts.ts";
export { type Picture, type PictureOptions, picture } from "./picture.ts";
export type { PngOptions } from "./rasterize.ts";
export { REPORT_FORMATS, type RenderOptions, type ReportFormat, render } from "./render.ts";
export { type ReportFile, reportFiles } from "./report-files.ts";
export { type ScatterOptions, scatter } from "./scatter.ts";
export type { Series } from "./series.ts";
export { renderText, type TextOptions } from "./text.ts";
export { type TextNeuronActivationsOptions, textNeuronActivations } from "./text-neuron-activations.ts";
export { tokenTicks } from "./token-ticks.ts";
export { type TokensOptions, tokens } from "./tokens.ts";
export { type TopkTableOptions, type TopkTokensOptions, topkTable, topkTokens } from "./topk-tokens.ts";
