/** How much of a contrast returns when one activation of the clean run is in place of the corrupted run's. */
import type { Tensor } from "../graph/tensor.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import { type HeadsOf, hasSite, headsAt } from "../lens/model-has.ts";
import { getActName } from "../models/act-name.ts";
import { ArgumentError, UnknownNameError } from "../tensor/errors.ts";
import type { Contrast } from "./contrast.ts";
import type { AnalysisContext } from "./options.ts";
import { stages } from "./stages.ts";
import { patchFrom, sweep } from "./sweep.ts";

/** What can be patched: by position, or by head at all positions. */
export const SITES = {
  resid_pre: { site: "resid_pre", by: "pos", what: "the residual stream before a layer" },
  attn_out: { site: "attn_out", by: "pos", what: "an attention layer's output" },
  mlp_out: { site: "mlp_out", by: "pos", what: "an MLP's output" },
  head_out: { site: "z", by: "head", what: "a head's output" },
  head_q: { site: "q", by: "head", what: "a head's queries" },
  head_k: { site: "k", by: "head", what: "a head's keys" },
  head_v: { site: "v", by: "head", what: "a head's values" },
  head_pattern: { site: "pattern", by: "head", what: "a head's pattern" },
} as const;

/** What can be patched. */
export type PatchingSite = keyof typeof SITES;
/** Their names. */
export const SITE_NAMES = Object.keys(SITES) as PatchingSite[];

/** One patched place. */
export interface PatchedCell {
  readonly site: PatchingSite;
  readonly layer: number;
  /** What the site is patched along. */
  readonly axis: "pos" | HeadsOf["axis"];
  /** The position or the head. */
  readonly at: number;
  readonly metric: number;
  readonly normalized: number;
}

/** The metric with each place patched alone: for each site, [layer pos] or [layer head]. */
export type Patched = ReadonlyMap<PatchingSite, Tensor>;

/** @throws UnknownNameError for a site that does not exist, ArgumentError for one that this model lacks. */
export function chosenSites(model: HookedTransformer, asked: readonly string[] | undefined): PatchingSite[] {
  const here = SITE_NAMES.filter((site) => hasSite(model, SITES[site].site));
  for (const name of asked ?? []) {
    if (!SITE_NAMES.includes(name as PatchingSite)) throw new UnknownNameError("site to patch", name, SITE_NAMES);
    if (here.includes(name as PatchingSite)) continue;
    throw new ArgumentError(`"${name}" cannot be patched: this model has no MLPs.`, { asked: name, found: here });
  }
  return here.filter((site) => !asked || asked.length === 0 || asked.includes(site));
}

/** Patches every place of the sites. All places of a layer run side by side, and what is before the layer is computed once. */
export async function measurePatching(
  model: HookedTransformer,
  { clean, corrupted, metric }: Contrast,
  sites: readonly PatchingSite[],
  { memory, signal, onProgress }: AnalysisContext & { readonly memory?: number | undefined },
): Promise<Patched> {
  const layers = Array.from({ length: model.cfg.nLayers }, (_, l) => l);
  const [, cache] = await model.runWithCache(clean.input, {
    returnType: null,
    namesFilter: sites.flatMap((site) => layers.map((layer) => getActName(SITES[site].site, layer))),
    signal,
  });
  const headsOf = (site: PatchingSite) => headsAt(model, SITES[site].site)!;
  const byPos = (site: PatchingSite) => SITES[site].by === "pos";
  const places = (site: PatchingSite) => (byPos(site) ? clean.ids.length : headsOf(site).count);
  const progress = stages(onProgress, sites.map(places));

  const effects = new Map<PatchingSite, Tensor>();
  for (const [i, site] of sites.entries()) {
    const { values } = await sweep(model, corrupted.input, {
      site: SITES[site].site,
      over: ["layer", byPos(site) ? "pos" : headsOf(site).axis],
      edit: patchFrom(cache),
      metric,
      memory,
      signal,
      onProgress: progress[i],
    });
    effects.set(site, values);
  }
  return effects;
}

/** Every place of a site. */
export function cellsOf(site: PatchingSite, values: Tensor, contrast: Contrast): PatchedCell[] {
  const [, width] = values.shape;
  const axis = values.axes[1] as PatchedCell["axis"];
  return Array.from(values.data, (metric, i) => ({
    ...{ site, axis },
    layer: Math.floor(i / width),
    at: i % width,
    metric,
    normalized: contrast.normalized(metric),
  }));
}
