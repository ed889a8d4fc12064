/** Attribution patching's pictures: the estimates beside what patching in truth gives, on one scale. */
import type { Tensor } from "../../graph/tensor.ts";
import type { AttributionPatching, AttributionSite } from "../../lens/attribution-patching.ts";
import type { HookedTransformer } from "../../lens/hooked-transformer.ts";
import { type Contrast, placeLabels } from "../contrast.ts";
import type { FacetsSpec, PictureSpec } from "../picture.ts";

/** Rows of heads up to which a picture has one for each head; with more, heads stand in a grid, all positions together. */
const MOST_ROWS = 32;
/** Heads whose patterns are drawn. */
const PATTERNS = 4;

type Matrix = readonly (readonly number[])[];

export function attributionPictures(
  model: HookedTransformer,
  contrast: Contrast,
  { effects, corrupted }: AttributionPatching,
  measured: ReadonlyMap<AttributionSite, Tensor>,
): PictureSpec[] {
  const { nLayers, nHeads } = model.cfg;
  const positions = { label: "position", ticks: placeLabels(contrast) };
  const truth = (site: AttributionSite, ...index: number[]) => measured.get(site)!.get(...index) - corrupted;
  const estimate = (site: AttributionSite, ...index: number[]) => effects.get(site)!.get(...index);
  const at = range(contrast.clean.ids.length);
  const color = { label: "effect", unit: "logits" };

  const streams = (["resid_pre", "attn_out", "resid_mid", "mlp_out"] as const).filter((site) => effects.has(site));
  const byPos = (of: typeof estimate, site: AttributionSite): Matrix =>
    range(nLayers).map((layer) => at.map((pos) => of(site, layer, pos)));
  const layers = { label: "layer", ticks: range(nLayers).map(String) };
  const stream: FacetsSpec = {
    kind: "facets",
    name: "stream",
    part: "positions",
    title: "The stream, and what layers write to it",
    caption: "Left the estimate, right what patching the place changes. Blue brings the clean answer back.",
    facets: streams.flatMap((site) => [
      { title: `${site}, estimated`, values: byPos(estimate, site) },
      { title: `${site}, patched`, values: byPos(truth, site) },
    ]),
    x: positions,
    y: layers,
    color,
  };

  const rows = range(nLayers).flatMap((layer) => range(nHeads).map((head) => ({ layer, head })));
  const each = rows.length <= MOST_ROWS;
  const total = (of: typeof estimate, site: AttributionSite, layer: number, head: number) =>
    at.reduce((sum, pos) => sum + of(site, layer, pos, head), 0);
  const byHead = (of: typeof estimate, site: AttributionSite): Matrix =>
    each
      ? rows.map(({ layer, head }) => at.map((pos) => of(site, layer, pos, head)))
      : range(nLayers).map((layer) => range(nHeads).map((head) => total(of, site, layer, head)));
  const heads: FacetsSpec = {
    kind: "facets",
    name: "heads",
    part: "heads",
    title: "Heads' outputs (z), queries, keys and values",
    caption: `Left the estimate, right what patching ${each ? "the place changes" : "each position alone changes, added up over positions"}.`,
    facets: (["z", "q", "k", "v"] as const).flatMap((site) => [
      { title: `${site}, estimated`, values: byHead(estimate, site) },
      { title: `${site}, patched`, values: byHead(truth, site) },
    ]),
    x: each ? positions : { label: "head" },
    y: each ? { label: "head", ticks: rows.map(({ layer, head }) => `L${layer}H${head}`) } : layers,
    color,
  };

  const sizeOf = ({ layer, head }: (typeof rows)[number]) =>
    at.reduce((sum, q) => sum + at.reduce((s, k) => s + Math.abs(estimate("pattern", layer, head, q, k)), 0), 0);
  const strongest = [...rows].sort((a, b) => sizeOf(b) - sizeOf(a)).slice(0, PATTERNS);
  const square = (of: typeof estimate, { layer, head }: (typeof rows)[number]): Matrix =>
    at.map((query) => at.map((key) => of("pattern", layer, head, query, key)));
  const patterns: FacetsSpec = {
    kind: "facets",
    name: "patterns",
    part: "heads",
    title: `Patterns of the ${strongest.length} heads with the largest estimates`,
    caption: "Each weight of a pattern on its own: rows are queries, columns keys.",
    facets: strongest.flatMap((row) => [
      { title: `L${row.layer}H${row.head}, estimated`, values: square(estimate, row) },
      ...(measured.has("pattern") ? [{ title: `L${row.layer}H${row.head}, patched`, values: square(truth, row) }] : []),
    ]),
    x: { label: "key", ticks: positions.ticks },
    y: { label: "query", ticks: positions.ticks },
    color,
  };
  return [stream, heads, patterns];
}

function range(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}
