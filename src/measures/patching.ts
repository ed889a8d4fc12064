/**
 * Activation patching: what a corrupted run regains when one activation is replaced by that of a clean run. Each is a sweep over one
 * site. Source: TransformerLens' `patching` module; the functions have its names in camelCase.
 */
import { Tensor } from "../graph/tensor.ts";
import type { ActivationCache } from "../lens/activation-cache.ts";
import { checkModel } from "../lens/check.ts";
import type { Metric } from "../lens/metric.ts";
import type { Model } from "../lens/model.ts";
import { headsAt, needSite } from "../lens/model-has.ts";
import { INPUT, LONG } from "../lens/option-kinds.ts";
import type { ModelInput } from "../lens/tokens.ts";
import { ndarray } from "../tensor/array.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { listOf, WHOLE } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import { patchFrom, type SweepOptions, sweep } from "./sweep.ts";

/** The options of a sweep, without site, axes and edit. */
export type PatchingOptions = Omit<SweepOptions, "site" | "over" | "edit" | "metric">;

const SITES = ["resid_pre", "resid_mid", "attn_out", "mlp_out", "z", "q", "k", "v", "pattern"];
const KINDS: OptionKinds<PatchingOptions> = { ...INPUT, ...LONG, layers: listOf(WHOLE, "layers") };

/**
 * Patches one kind of activation from the clean run into the corrupted one, at each place of the axes in its name; keys and
 * values that several heads share are places of their own, along `kv_head`.
 * @throws ArgumentError for an activation that the model lacks
 */
export type ActPatch = (
  model: Model,
  corruptedTokens: ModelInput,
  cleanCache: ActivationCache,
  metric: Metric,
  options?: PatchingOptions,
) => Promise<Tensor>;

const actPatch =
  (site: string, over: readonly string[]): ActPatch =>
  async (model, corruptedTokens, cleanCache, metric, options = {}) => {
    checkModel("Activation patching", model);
    checkOptions("activation patching", options, KINDS);
    needSite(model, site, SITES);
    const axis = headsAt(model, site)?.axis ?? "head";
    const along = over.map((name) => (name === "head" ? axis : name));
    const edit = patchFrom(cleanCache);
    return (await sweep(model, corruptedTokens, { ...options, site, over: along, edit, metric })).values;
  };

const byPos = ["layer", "pos"] as const;
const byPosHead = ["layer", "pos", "head"] as const;
const byHead = ["layer", "head"] as const;

/** The residual stream before each block, at each position: `[layer pos]`. */
export const getActPatchResidPre = actPatch("resid_pre", byPos);
/** The residual stream between attention and MLP, at each position: `[layer pos]`. */
export const getActPatchResidMid = actPatch("resid_mid", byPos);
/** What each layer's attention writes, at each position: `[layer pos]`. */
export const getActPatchAttnOut = actPatch("attn_out", byPos);
/** What each layer's MLP writes, at each position: `[layer pos]`. */
export const getActPatchMlpOut = actPatch("mlp_out", byPos);

/** Each head's output (z), at each position: `[layer pos head]`. */
export const getActPatchAttnHeadOutByPos = actPatch("z", byPosHead);
/** Each head's queries, at each position: `[layer pos head]`. */
export const getActPatchAttnHeadQByPos = actPatch("q", byPosHead);
/** Each head's keys, at each position: `[layer pos head]`. */
export const getActPatchAttnHeadKByPos = actPatch("k", byPosHead);
/** Each head's values, at each position: `[layer pos head]`. */
export const getActPatchAttnHeadVByPos = actPatch("v", byPosHead);
/** The pattern of one destination at a time: `[layer head query]`. */
export const getActPatchAttnHeadPatternByPos = actPatch("pattern", ["layer", "head", "query"]);
/** One number of a pattern at a time: `[layer head query key]`. */
export const getActPatchAttnHeadPatternDestSrcPos = actPatch("pattern", ["layer", "head", "query", "key"]);

/** Each head's output (z), at all positions together: `[layer head]`. */
export const getActPatchAttnHeadOutAllPos = actPatch("z", byHead);
/** Each head's queries, at all positions together: `[layer head]`. */
export const getActPatchAttnHeadQAllPos = actPatch("q", byHead);
/** Each head's keys, at all positions together: `[layer head]`. */
export const getActPatchAttnHeadKAllPos = actPatch("k", byHead);
/** Each head's values, at all positions together: `[layer head]`. */
export const getActPatchAttnHeadVAllPos = actPatch("v", byHead);
/** Each head's pattern, at all positions together: `[layer head]`. */
export const getActPatchAttnHeadPatternAllPos = actPatch("pattern", byHead);

/** Outputs, queries, keys, values and patterns: `[out/q/k/v/pattern layer head]`. @throws ArgumentError where heads share their keys and values, which are fewer */
export const getActPatchAttnHeadAllPosEvery = everyOfHeads([
  getActPatchAttnHeadOutAllPos,
  getActPatchAttnHeadQAllPos,
  getActPatchAttnHeadKAllPos,
  getActPatchAttnHeadVAllPos,
  getActPatchAttnHeadPatternAllPos,
]);

/**
 * The same at each position, `[out/q/k/v/pattern layer pos head]`; for the pattern, pos is the destination.
 * @throws ArgumentError where heads share their keys and values, which are fewer
 */
export const getActPatchAttnHeadByPosEvery = everyOfHeads([
  getActPatchAttnHeadOutByPos,
  getActPatchAttnHeadQByPos,
  getActPatchAttnHeadKByPos,
  getActPatchAttnHeadVByPos,
  actPatch("pattern", ["layer", "query", "head"]),
]);

/** Streams, attention and MLPs: `[resid_pre/attn_out/mlp_out layer pos]`. */
export const getActPatchBlockEvery = together("site", [getActPatchResidPre, getActPatchAttnOut, getActPatchMlpOut]);

/** The same of heads, which must have keys and values of their own. */
function everyOfHeads(patches: readonly ActPatch[]): ActPatch {
  const every = together("site", patches);
  return async (model, ...rest) => {
    checkModel("Activation patching", model);
    const [own, shared] = [headsAt(model, "q")!.count, headsAt(model, "k")!.count];
    if (own === shared) return every(model, ...rest);
    throw new ArgumentError(
      `In ${model.cfg.modelName} ${own} heads share ${shared} keys and values, so they do not fit into one tensor with the heads' outputs and queries: patch out, q, k, v and pattern separately.`,
      { asked: own, found: shared },
    );
  };
}

function together(axis: string, patches: readonly ActPatch[]): ActPatch {
  return async (...args) => {
    const parts: Tensor[] = [];
    for (const patch of patches) parts.push(await patch(...args));
    const [first] = parts;
    const data = new Float32Array(parts.length * first.data.length);
    parts.forEach((part, i) => {
      data.set(part.data as Float32Array, i * first.data.length);
    });
    return Tensor.leaf(ndarray("float32", [parts.length, ...first.shape], data), [axis, ...first.axes]);
  };
}
