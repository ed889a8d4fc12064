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

export const getActPatchResidPre = actPatch("resid_pre", byPos);
export const getActPatchResidMid = actPatch("resid_mid", byPos);
export const getActPatchAttnOut = actPatch("attn_out", byPos);
export const getActPatchMlpOut = actPatch("mlp_out", byPos);

export const getActPatchAttnHeadOutByPos = actPatch("z", byPosHead);
export const getActPatchAttnHeadQByPos = actPatch("q", byPosHead);
export const getActPatchAttnHeadKByPos = actPatch("k", byPosHead);
export const getActPatchAttnHeadVByPos = actPatch("v", byPosHead);
/** [layer head query]: the pattern of one destination at a time. */
export const getActPatchAttnHeadPatternByPos = actPatch("pattern", ["layer", "head", "query"]);
/** [layer head query key]: one number of a pattern at a time. */
export const getActPatchAttnHeadPatternDestSrcPos = actPatch("pattern", ["layer", "head", "query", "key"]);

export const getActPatchAttnHeadOutAllPos = actPatch("z", byHead);
export const getActPatchAttnHeadQAllPos = actPatch("q", byHead);
export const getActPatchAttnHeadKAllPos = actPatch("k", byHead);
export const getActPatchAttnHeadVAllPos = actPatch("v", byHead);
export const getActPatchAttnHeadPatternAllPos = actPatch("pattern", byHead);

/** [out/q/k/v/pattern layer head]. @throws ArgumentError where heads share their keys and values, which are fewer */
export const getActPatchAttnHeadAllPosEvery = everyOfHeads([
  getActPatchAttnHeadOutAllPos,
  getActPatchAttnHeadQAllPos,
  getActPatchAttnHeadKAllPos,
  getActPatchAttnHeadVAllPos,
  getActPatchAttnHeadPatternAllPos,
]);

/**
 * [out/q/k/v/pattern layer pos head]; for the pattern, pos is the destination.
 * @throws ArgumentError where heads share their keys and values, which are fewer
 */
export const getActPatchAttnHeadByPosEvery = everyOfHeads([
  getActPatchAttnHeadOutByPos,
  getActPatchAttnHeadQByPos,
  getActPatchAttnHeadKByPos,
  getActPatchAttnHeadVByPos,
  actPatch("pattern", ["layer", "query", "head"]),
]);

/** [resid_pre/attn_out/mlp_out layer pos]. */
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
