/** The places of every site: what attribution patching estimates there, and what actual patching changes. */
import type { Tensor } from "../../graph/tensor.ts";
import { headName, nameAlong, neuronName } from "../../lens/components.ts";
import type { HookedTransformer } from "../../lens/hooked-transformer.ts";
import { getActName } from "../../models/act-name.ts";
import { quoted } from "../../tensor/words.ts";
import type { Pair } from "../agreement.ts";
import {
  type AttributionPatchingMeasurement,
  type AttributionSite,
  attributionSites,
} from "../attribution-patching.ts";
import type { Contrast } from "../contrast.ts";
import type { AnalysisContext } from "../options.ts";
import { stages } from "../stages.ts";
import { patchFrom, sweep } from "../sweep.ts";
import { largestIndices } from "../top-tokens.ts";

/** One place of one site. */
export interface PatchedPlace extends Pair {
  readonly site: AttributionSite;
  readonly layer: number;
  /** Its index along each of the site's axes. */
  readonly at: Readonly<Record<string, number>>;
}

/** The most places of a site that are actually patched, one by one, for the comparison; a site with more is not compared. */
export const MOST_PLACES = 10_000;
/** How many of the largest estimates are listed for sites that are not patched. */
export const MOST_UNPATCHED = 1000;
/** Which sites share a colour in a picture: no more groups than there are distinguishable colours. */
const GROUPS: Readonly<Record<AttributionSite, string>> = {
  resid_pre: "stream",
  resid_mid: "stream",
  attn_out: "layers' outputs",
  mlp_out: "layers' outputs",
  z: "heads",
  q: "heads",
  k: "heads",
  v: "heads",
  pattern: "patterns",
  post: "neurons",
};
/** Actually patches every place of the sites that have few enough: the metric of each. */
export async function patchPlaces(
  model: HookedTransformer,
  { clean, corrupted, metric }: Contrast,
  attributed: AttributionPatchingMeasurement,
  { signal, onProgress }: AnalysisContext,
): Promise<Map<AttributionSite, Tensor>> {
  const sites = attributionSites(model);
  const compared = sites.filter((site) => attributed.effects.get(site)!.data.length <= MOST_PLACES);
  const layers = Array.from({ length: model.cfg.nLayers }, (_, layer) => layer);
  const [, cache] = await model.runWithCache(clean.input, {
    returnType: null,
    namesFilter: compared.flatMap((site) => layers.map((layer) => getActName(site, layer))),
    signal,
  });
  const size = (site: AttributionSite) => attributed.effects.get(site)!.data.length;
  const progress = stages(onProgress, compared.map(size), "places");
  const measured = new Map<AttributionSite, Tensor>();
  for (const [i, site] of compared.entries()) {
    const over = attributed.effects.get(site)!.axes;
    const edit = patchFrom(cache);
    const swept = await sweep(model, corrupted.input, { site, over, edit, metric, signal, onProgress: progress[i] });
    measured.set(site, swept.values);
  }
  return measured;
}

/** What patching changes, rounded to the precision of float32 logits: exactly 0 where nothing changes. */
export function changeOf(metric: number, corrupted: number): number {
  return Math.round((metric - corrupted) * 1e5) / 1e5 + 0;
}

/** Every place of a site, estimated and patched. */
export function placesOf(
  site: AttributionSite,
  effects: Tensor,
  values: Tensor,
  contrast: Contrast,
  corrupted: number,
): PatchedPlace[] {
  const place = placeNamer(site, effects, contrast);
  return Array.from(effects.data, (estimated, i) => ({
    ...place(i),
    estimated,
    measured: changeOf(values.data[i], corrupted),
  }));
}

/** The places of a site with the largest estimates; of millions, only these are named. */
export function largestPlaces(site: AttributionSite, effects: Tensor, contrast: Contrast): PatchedPlace[] {
  const place = placeNamer(site, effects, contrast);
  const sizes = (effects.data as Float32Array).map(Math.abs);
  return largestIndices(sizes, MOST_UNPATCHED).map((i) => ({
    ...place(i),
    estimated: effects.data[i],
    measured: Number.NaN,
  }));
}

/** Describes a place of a site, by its number. */
function placeNamer(
  site: AttributionSite,
  { axes, shape }: Tensor,
  { clean }: Contrast,
): (i: number) => Omit<PatchedPlace, "estimated" | "measured"> {
  const token = (pos: number) => `${quoted(clean.tokens[pos])} (position ${pos})`;
  return (i) => {
    const index: Record<string, number> = {};
    let rest = i;
    for (let a = axes.length - 1; a >= 0; a--) {
      index[axes[a]] = rest % shape[a];
      rest = Math.floor(rest / shape[a]);
    }
    const { layer, ...at } = index;
    const where =
      at.head !== undefined
        ? headName(layer, at.head)
        : at.kv_head !== undefined
          ? nameAlong("kv_head", layer, at.kv_head)
          : `layer ${layer}`;
    const name =
      site === "pattern"
        ? `pattern of ${where} from ${token(at.query)} to ${token(at.key)}`
        : `${site} of ${at.d_mlp === undefined ? where : `neuron ${neuronName(layer, at.d_mlp)}`} at ${token(at.pos)}`;
    return { site, layer, at, name, group: GROUPS[site] };
  };
}
