/**
 * Attribution patching: activation patching to first order. One run with gradients gives, for every place
 * together, what patching it alone would do if the rest of the model were linear.
 */

import { showShape } from "../graph/axes.ts";
import { Tensor } from "../graph/tensor.ts";
import { ActivationCache } from "../lens/activation-cache.ts";
import { checkModel } from "../lens/check.ts";
import type { Model } from "../lens/model.ts";
import { hasSite, needSite } from "../lens/model-has.ts";
import type { ModelInput } from "../lens/tokens.ts";
import { getActName } from "../models/act-name.ts";
import { ArgumentError, ShapeError, UnknownNameError } from "../tensor/errors.ts";
import type { OptionKinds } from "../tensor/options.ts";
import { patchPlaces } from "./attribution-patching/patched.ts";
import { computeByLayers } from "./by-layers.ts";
import { answersOptions, RUNS, type RunsOptions, readRuns, roundedToLogits } from "./contrast.ts";
import { Measured, type RowSource } from "./measured.ts";
import { checkSameLength, metricGradients, metricNumber } from "./metric-gradients.ts";
import { type AnalysisOptions, type GivenOptions, settled } from "./options.ts";

/** The axes that each site's attributions keep after `layer`; they are summed over the others. */
const SITES = {
  resid_pre: ["pos"],
  resid_mid: ["pos"],
  attn_out: ["pos"],
  mlp_out: ["pos"],
  z: ["pos", "head"],
  q: ["pos", "head"],
  k: ["pos", "head", "kv_head"],
  v: ["pos", "head", "kv_head"],
  pattern: ["head", "query", "key"],
  post: ["pos", "d_mlp"],
} as const;

/** A kind of activation to patch; `post` are the neurons. */
export type AttributionSite = keyof typeof SITES;

/** Every site, in firing order within a block. */
export const ATTRIBUTION_SITES = Object.keys(SITES) as readonly AttributionSite[];

/** The options of `measureAttributionPatching`: two runs, and these. */
export const ATTRIBUTION_PATCHING_OPTIONS = {
  sites: {
    type: "texts",
    placeholder: "site",
    description: `what to attribute to: ${ATTRIBUTION_SITES.join(", ")}`,
    defaultText: "all that the model has",
  },
  mostPatched: {
    type: "integer",
    placeholder: "N",
    description: "sites with at most this many places are also patched, one place at a time",
    default: 0,
    least: 0,
  },
} as const satisfies AnalysisOptions;

const OPTIONS = { ...answersOptions, ...ATTRIBUTION_PATCHING_OPTIONS } as const;

type CachedRuns = RunsOptions<ModelInput | ActivationCache>;
const READ: OptionKinds<CachedRuns> = RUNS;

/** The options of `measureAttributionPatching`; `clean` may be the cache of a run, together with a metric. */
export type MeasureAttributionPatchingOptions = GivenOptions<typeof OPTIONS> &
  CachedRuns & { readonly sites?: readonly AttributionSite[] | undefined };

/** A place, the estimate of what patching it would change, and what it changes; which axes it has depends on the site. */
export interface AttributionPatchingRow {
  readonly site: AttributionSite;
  readonly layer: number;
  readonly pos?: number | undefined;
  readonly head?: number | undefined;
  readonly kv_head?: number | undefined;
  readonly d_mlp?: number | undefined;
  readonly query?: number | undefined;
  readonly key?: number | undefined;
  /** In units of the metric. */
  readonly estimated: number;
  /** The change of the metric when this place alone is patched; `null` where the site was not (`mostPatched`). */
  readonly patched: number | null;
}

/** The result of `measureAttributionPatching`: a row for each place of each site. */
export interface AttributionPatchingMeasurement extends Measured<AttributionPatchingRow> {
  /**
   * By site, the first-order effect of patching on the metric: `resid_pre`, `resid_mid`, `attn_out`, `mlp_out` [layer pos];
   * `z`, `q`, `k`, `v` [layer pos head] (keys and values that heads share: [layer pos kv_head]); `pattern` [layer head query key]; `post` [layer pos d_mlp]. Effects add up: the
   * sum over an axis is the effect of patching all along it.
   */
  readonly effects: ReadonlyMap<AttributionSite, Tensor>;
  /** For each site that was patched, the metric with each place patched alone, with the axes of its `effects`. */
  readonly patched: ReadonlyMap<AttributionSite, Tensor>;
  /** The metric of the corrupted run, which the effects are changes of. */
  readonly corrupted: number;
  /** The metric of the clean run; `undefined` if a cache was passed instead of prompts. */
  readonly clean: number | undefined;
}

/** The sites that a model has: those of an MLP only if it has MLPs, `resid_mid` only if these read what attention wrote. */
export function attributionSites(model: Model): AttributionSite[] {
  checkModel("attributionSites", model);
  return ATTRIBUTION_SITES.filter((site) => hasSite(model, site));
}

/**
 * What patching each activation of the clean run into the corrupted one would change, to first order:
 * `(clean - corrupted) · d metric / d activation`, with the gradient at the corrupted run, for all sites and places in one
 * run, or in one run per few layers if only that fits. In units of the metric. With several prompts, it is the effect of patching the place in all of them.
 *
 * With `mostPatched`, the places of every site that has no more of them are then patched, one at a time, to say how far the estimate can be trusted.
 *
 * Source: Nanda 2023, "Attribution patching: activation patching at industrial scale"; Kramár et al. 2024, "AtP*".
 *
 * @throws ShapeError for prompts of different lengths or a metric that is not one number; InputError as for activation patching;
 * ArgumentError for a site that the model lacks or a metric that does not depend on it.
 */
export async function measureAttributionPatching(
  model: Model,
  options: MeasureAttributionPatchingOptions = {},
): Promise<AttributionPatchingMeasurement> {
  const asked = settled("measureAttributionPatching", model, options, OPTIONS, READ);
  const { signal } = asked;
  const sites = chosenSites(model, asked.sites);
  const of = "measureAttributionPatching";
  const { clean, corrupted, metric, read } = await readRuns<ModelInput | ActivationCache>(of, model, asked, signal);
  const graph = model.graph(corrupted, read);
  const layers = Array.from({ length: model.cfg.nLayers }, (_, layer) => layer);
  const names = sites.map((site) => layers.map((layer) => getActName(site, layer)));

  const streams = layers.slice(1).map((layer) => getActName("resid_pre", layer));
  const withGradients = metricGradients(graph, metric, [...names.flat(), ...streams]);
  const source = clean instanceof ActivationCache ? undefined : model.graph(clean, read);
  if (source) checkSameLength(source, graph);
  const cleanAt = (name: string): Tensor => (source ? source.at(name) : (clean as ActivationCache).get(name));

  const effects = names.map((ofSite, s) =>
    ofSite.map((name, layer) => {
      const i = s * layers.length + layer;
      const value = withGradients.values[i];
      const other = cleanAt(name);
      if (other.shape.join() !== value.shape.join()) {
        throw new ShapeError(
          `"${name}" is ${showShape(other)} in the clean run, but ${showShape(value)} in the corrupted one: the prompts must have the same number of tokens.`,
          { asked: value.shape, found: other.shape },
        );
      }
      const kept: readonly string[] = SITES[sites[s]];
      const effect = other.sub(value).mul(withGradients.gradients[i]);
      return effect.sum(value.axes.filter((axis) => !kept.includes(axis))).unsqueeze(0, "layer");
    }),
  );
  const before = (layer: number) => names.flat().length + layer - 1;
  const computed = await computeByLayers(
    model,
    {
      layers: layers.length,
      values: (from, to) => effects.map((parts) => stacked(parts.slice(from, to))),
      numbers: [withGradients.metric, ...(source ? [metricNumber(source, metric)] : [])],
      streams: (layer) => [withGradients.values[before(layer)], ...(source ? [source.at(streams[layer - 1])] : [])],
      gradient: (layer) => withGradients.gradients[before(layer)],
    },
    signal,
  );
  const [corruptedMetric, cleanMetric] = computed.numbers.map((number) => number.item());
  const found = new Map(sites.map((site, s) => [site, computed.values[s]]));
  const patched = await patchPlaces(model, { corrupted, metric, read, cleanAt }, found, asked);
  return Measured.of(placesIn(found, patched, corruptedMetric), {
    effects: found,
    patched,
    corrupted: corruptedMetric,
    clean: cleanMetric,
  });
}

/** The places of all sites: there may be millions. */
function placesIn(
  effects: ReadonlyMap<AttributionSite, Tensor>,
  patched: ReadonlyMap<AttributionSite, Tensor>,
  corrupted: number,
): RowSource<AttributionPatchingRow> {
  const parts = [...effects];
  const axes = [...new Set(parts.flatMap(([, { axes }]) => axes))];
  const length = parts.reduce((sum, [, { data }]) => sum + data.length, 0);
  const row = (i: number): AttributionPatchingRow => {
    let [part, rest] = [0, i];
    while (rest >= parts[part][1].data.length) rest -= parts[part++][1].data.length;
    const [site, { axes, shape, data }] = parts[part];
    const estimated = data[rest];
    const metric = patched.get(site)?.data[rest];
    const at: Record<string, number> = {};
    for (let a = axes.length - 1; a >= 0; a--) {
      at[axes[a]] = rest % shape[a];
      rest = Math.floor(rest / shape[a]);
    }
    const { layer, ...others } = at;
    const change = metric === undefined ? null : roundedToLogits(metric - corrupted);
    return { site, layer, ...others, estimated, patched: change };
  };
  return { length, columns: ["site", ...axes, "estimated", "patched"], row };
}

/** Layers' values along the first axis. */
function stacked(parts: readonly Tensor[]): Tensor {
  return Tensor.apply("concat", parts, { axis: -parts[0].shape.length });
}

/** @throws UnknownNameError, ArgumentError for sites that do not exist, that the model lacks, or that are named twice or not at all */
function chosenSites(model: Model, asked: readonly string[] | undefined): readonly AttributionSite[] {
  const has = attributionSites(model);
  const sites = (asked ?? has) as readonly AttributionSite[];
  for (const site of sites) {
    if (!Object.hasOwn(SITES, site)) throw new UnknownNameError("site", site, has, `The sites are ${has.join(", ")}.`);
    needSite(model, site, ATTRIBUTION_SITES);
  }
  if (sites.length > 0 && new Set(sites).size === sites.length) return sites;
  throw new ArgumentError(`sites must name one or more sites, each once, not [${sites.join(", ")}].`, { asked: sites });
}
