/** How much of a contrast returns when one activation of the clean run is in place of the corrupted run's. */

import type { Tensor } from "../graph/tensor.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import { hasSite, headsAt } from "../lens/model-has.ts";
import { getActName } from "../models/act-name.ts";
import { ArgumentError, UnknownNameError } from "../tensor/errors.ts";
import { answersOptions, type Ends, endsOf, RUNS, type RunsOptions, readRuns } from "./contrast.ts";
import { Measured } from "./measured.ts";
import { type AnalysisOptions, type GivenOptions, memoryOption, settled } from "./options.ts";
import { stages } from "./stages.ts";
import { patchFrom, sweep } from "./sweep.ts";

/** What can be patched, by TransformerLens' short names: by position, or by head at all positions. */
export const SITES = {
  resid_pre: { by: "pos", what: "the residual stream before a layer" },
  attn_out: { by: "pos", what: "an attention layer's output" },
  mlp_out: { by: "pos", what: "an MLP's output" },
  z: { by: "head", what: "a head's output" },
  q: { by: "head", what: "a head's queries" },
  k: { by: "head", what: "a head's keys" },
  v: { by: "head", what: "a head's values" },
  pattern: { by: "head", what: "a head's pattern" },
} as const;

/** What can be patched. */
export type PatchingSite = keyof typeof SITES;
/** Their names. */
export const SITE_NAMES = Object.keys(SITES) as PatchingSite[];

/** The metric with each place patched alone: for each site, [layer pos] or [layer head]. */
export type Patched = ReadonlyMap<PatchingSite, Tensor>;

/** @throws UnknownNameError for a site that does not exist, ArgumentError for one that this model lacks. */
function chosenSites(model: HookedTransformer, asked: readonly string[] | undefined): PatchingSite[] {
  const here = SITE_NAMES.filter((site) => hasSite(model, site));
  for (const name of asked ?? []) {
    if (!SITE_NAMES.includes(name as PatchingSite)) throw new UnknownNameError("site to patch", name, SITE_NAMES);
    if (here.includes(name as PatchingSite)) continue;
    throw new ArgumentError(`"${name}" cannot be patched: this model has no MLPs.`, { asked: name, found: here });
  }
  return here.filter((site) => !asked || asked.length === 0 || asked.includes(site));
}

/** The options of `measureActivationPatching`: two runs, and these. */
export const ACTIVATION_PATCHING_OPTIONS = {
  sites: {
    type: "texts",
    placeholder: "site",
    description: `what to patch: ${SITE_NAMES.join(", ")}`,
    defaultText: "all",
  },
  memory: memoryOption(),
} as const satisfies AnalysisOptions;

const OPTIONS = { ...answersOptions, ...ACTIVATION_PATCHING_OPTIONS } as const;

/** The options of `measureActivationPatching`. */
export type MeasureActivationPatchingOptions = GivenOptions<typeof OPTIONS> & RunsOptions;

/** A patched place, its metric, and what share of the distance between the two runs it regains. */
export interface ActivationPatchingRow {
  readonly site: PatchingSite;
  readonly layer: number;
  readonly pos?: number | undefined;
  readonly head?: number | undefined;
  readonly kv_head?: number | undefined;
  /** The metric: by default a difference of logits. */
  readonly patched: number;
  /** 0: the corrupted run; 1: the clean one. */
  readonly regained: number;
}

/** The result of `measureActivationPatching`: a row for each place of each site. */
export interface ActivationPatchingMeasurement extends Measured<ActivationPatchingRow>, Ends {
  /** The metric with each place patched alone. */
  readonly patched: Patched;
}

/**
 * Activation patching: the corrupted input is run with one activation of the clean run in its place, for every layer and
 * position and for every head, and the metric is measured. All places of a layer run side by side, and what is before the
 * layer is computed once.
 * @throws InputError for prompts of different lengths, answers of several tokens, or a model that does not distinguish the
 * prompts; UnknownNameError for a site that does not exist; ArgumentError for one that this model lacks.
 */
export async function measureActivationPatching(
  model: HookedTransformer,
  options: MeasureActivationPatchingOptions = {},
): Promise<ActivationPatchingMeasurement> {
  const asked = settled("measureActivationPatching", model, options, OPTIONS, RUNS);
  const { memory, signal, onProgress } = asked;
  const sites = chosenSites(model, asked.sites);
  const runs = await readRuns("measureActivationPatching", model, asked, signal);
  const ends = await endsOf(model, runs, signal);
  const layers = Array.from({ length: model.cfg.nLayers }, (_, l) => l);
  const [, cache] = await model.runWithCache(runs.clean, {
    ...runs.read,
    returnType: null,
    namesFilter: sites.flatMap((site) => layers.map((layer) => getActName(site, layer))),
    signal,
  });
  const headsOf = (site: PatchingSite) => headsAt(model, site)!;
  const byPos = (site: PatchingSite) => SITES[site].by === "pos";
  const [, pos] = model.graph(runs.corrupted, runs.read).tokens!.shape;
  const places = (site: PatchingSite) => (byPos(site) ? pos : headsOf(site).count);
  const progress = stages(onProgress, sites.map(places), "places");

  const patched = new Map<PatchingSite, Tensor>();
  for (const [i, site] of sites.entries()) {
    const { values } = await sweep(model, runs.corrupted, {
      ...runs.read,
      site,
      over: ["layer", byPos(site) ? "pos" : headsOf(site).axis],
      edit: patchFrom(cache),
      metric: runs.metric,
      memory,
      signal,
      onProgress: progress[i],
    });
    patched.set(site, values);
  }
  const rows = [...patched].flatMap(([site, { axes, shape, data }]) =>
    Array.from(data, (metric, i): ActivationPatchingRow => {
      const layer = Math.floor(i / shape[1]);
      return { site, layer, [axes[1]]: i % shape[1], patched: metric, regained: ends.normalized(metric) };
    }),
  );
  return Measured.of(rows, { ...ends, patched });
}
