/** What a model has, according to its parts and hook points: MLPs, a stream between attention and MLP, kinds of heads. */
import { getActName } from "../models/act-name.ts";
import { compose } from "../models/compose.ts";
import { recordingOf } from "../models/recording.ts";
import { bare } from "../models/structure.ts";
import { ArgumentError } from "../tensor/errors.ts";
import type { CachedModel } from "./cached.ts";
import type { Splices } from "./splices.ts";

type Configured = Pick<CachedModel, "cfg">;

/** Whether a model has MLPs, and so neurons. */
export function hasMlps({ cfg }: Configured): boolean {
  return compose(cfg).blocks.some(({ mlp }) => mlp !== null);
}

/**
 * Whether there is a stream between a block's attention and its MLP that is like those between blocks: the MLP reads what
 * attention has written, with a norm of its own.
 */
export function hasMid({ cfg }: Configured): boolean {
  return compose(cfg).blocks.some(
    ({ mlp, order, normPlacement }) => mlp !== null && order === "sequential" && normPlacement === "before",
  );
}

/**
 * Whether a pass that starts at a layer from the stream there computes what the whole one does. Not in an encoder-decoder; nor where a
 * part stands at the beginning of a block, and would stand there again, or reads another point than its own, which may be before the layer.
 */
export function startsAtLayers({ cfg, splices }: Configured & { readonly splices?: Splices | undefined }): boolean {
  if (compose(cfg).decoder !== null) return false;
  const isSpliced = (name: string) => name.endsWith(".hook_resid_pre") && splices!.at(name).length > 0;
  return !splices || (splices.reads.size === 0 && !splices.hookNames.some(isSpliced));
}

/** The hook point of the residual stream after the last block. */
export function lastStream({ cfg }: Configured): string {
  const { normPlacement } = compose(cfg).blocks.at(-1)!;
  return `blocks.${cfg.nLayers - 1}.hook_${normPlacement === "after" ? "normalized_" : ""}resid_post`;
}

/** Whether a model fills in masked tokens, instead of predicting the next. */
export function fillsMasks({ cfg }: Configured): boolean {
  return compose(cfg).mlmHead !== null;
}

/** @throws ArgumentError in a model that does not predict the next token */
export function needNextToken(what: string, model: Configured): void {
  if (!fillsMasks(model)) return;
  throw new ArgumentError(
    `${what} is about the next token, but ${model.cfg.modelName} fills in masked tokens and sees the text on both sides: use fillMask, or a metric of your own.`,
    { asked: what },
  );
}

/** The length above which a text's positions turn all queries and keys otherwise, earlier ones too; `undefined` in most models. */
export function longAbove({ cfg }: Configured): number | undefined {
  return compose(cfg).blocks.find(({ attention }) => attention.rotary?.long)?.attention.rotary?.long?.above;
}

/** @throws ArgumentError in a model whose unembedding does not read the residual stream: a nonlinearity stands between */
export function needReadStream(what: string, model: Configured): void {
  if (!fillsMasks(model)) return;
  throw new ArgumentError(
    `${what} reads the residual stream with the unembedding, but in ${model.cfg.modelName} a head with a nonlinearity stands between them: use the logit lens, patching or gradients.`,
    { asked: what },
  );
}

/** @throws ArgumentError in an encoder-decoder, which has two stacks of blocks */
export function needOneStack(what: string, { cfg }: Configured): void {
  if (compose(cfg).decoder === null) return;
  throw new ArgumentError(
    `${what} is for models with one stack of blocks, but ${cfg.modelName} has an encoder and a decoder, each with its own positions and residual stream: read and change its hook points by name.`,
    { asked: what },
  );
}

/** Where the tokens' embeddings are: the hook point, [batch pos d_model], after a norm of theirs, and the name of the weight. */
export function tokenEmbedding({ cfg }: Configured): { readonly point: string; readonly weight: string } {
  const { structure, points } = recordingOf(cfg);
  const [{ result, weight }] = structure.lookups;
  // In a model without learned positions the first block's norm reads the embeddings too.
  const hasNorm = compose(cfg).embedding.norm !== null;
  const normed = hasNorm ? structure.norms.find(({ input }) => bare(input) === bare(result))?.result : undefined;
  const [point] = [...points].find(([, value]) => value !== normed && bare(value) === bare(normed ?? result))!;
  return { point, weight: weight.label! };
}

/** Whether norms have weights of their own, as those of models that were loaded without foldLn. */
export function hasNormWeights({ cfg }: Configured): boolean {
  const { blocks, finalNorm } = compose(cfg);
  return [finalNorm, ...blocks.map(({ norm }) => norm)].some((norm) => norm?.weights);
}

/** @throws ArgumentError in a model whose norms have weights, saying why they were not folded where the load said so */
export function needFoldedNorms(what: string, model: Configured & { readonly notes: readonly string[] }): void {
  if (!hasNormWeights(model)) return;
  const leftOut = model.notes.find((note) => note.startsWith("fold_ln is left out: "));
  const why = leftOut
    ? `which ${model.cfg.modelName} does not allow (${leftOut.replace(/\.$/, "")}): use ablation, patching or gradients.`
    : "load the model with foldLn, as fromPretrained does by default.";
  throw new ArgumentError(
    `${what} needs the norms' weights folded into the weights after them${leftOut ? "," : ":"} ${why}`,
    { asked: "LNPre", found: model.cfg.normalizationType },
  );
}

/** @throws ArgumentError in a model without a stream between attention and MLP. */
export function needMid(what: string, model: Configured): void {
  if (hasMid(model)) return;
  const after = compose(model.cfg).blocks.some(({ normPlacement }) => normPlacement === "after");
  const why = !hasMlps(model)
    ? "it has no MLPs"
    : after
      ? "a norm stands after each addition"
      : "its attention and MLP read the same stream";
  throw new ArgumentError(`${what} needs the stream between attention and MLP, which this model lacks: ${why}.`, {
    asked: what,
  });
}

/**
 * Whether a layer's MLP, or the MLP of every layer that has one, is made of neurons that all positions share: in a mixture of
 * experts each position has those of the experts that are chosen for it.
 */
export function hasNeurons(model: Configured, layer?: number): boolean {
  return hasMlps(model) && mixtureOf(model, layer) === undefined;
}

/** @throws ArgumentError in a model without MLPs, and for mixtures of experts, in a layer or in any. */
export function needNeurons(model: Configured, layer?: number): void {
  if (!hasMlps(model)) {
    throw new ArgumentError("This model has no neurons: it is attention-only.", { asked: "neurons" });
  }
  const mixture = mixtureOf(model, layer);
  if (mixture === undefined) return;
  const [, at] = /^blocks\.(\d+)\./.exec(mixture)!;
  throw new ArgumentError(
    `Layer ${at} has no neurons that all positions share: its MLP is a mixture of experts. Each expert has its own, "${mixture}".`,
    { asked: "neurons", found: mixture, nearest: mixture },
  );
}

/** The neurons of the first expert, if a layer, or any, has experts. */
function mixtureOf({ cfg }: Configured, layer?: number): string | undefined {
  const within = layer === undefined ? "blocks." : `blocks.${layer}.`;
  return recordingOf(cfg).hookNames.find((name) => name.startsWith(within) && /\.experts\.0\.hook_post$/.test(name));
}

/**
 * The axes of a site, a kind of hook point in short (`z`, `mlp_out`), with their sizes for one token; `undefined` if no
 * layer has it.
 */
function axesAt({ cfg }: Configured, site: string): ReadonlyMap<string, number> | undefined {
  const { points } = recordingOf(cfg);
  for (let layer = 0; layer < cfg.nLayers; layer++) {
    const value = points.get(getActName(site, layer));
    if (value) return new Map(value.axes.map((axis, i) => [axis, value.shape[i]]));
  }
  return undefined;
}

/** Whether a model has a site. */
export function hasSite(model: Configured, site: string): boolean {
  return axesAt(model, site) !== undefined;
}

/** @throws ArgumentError for a site of other models that this one lacks, with those `of` a list that it has. */
export function needSite(model: Configured, site: string, of: readonly string[]): void {
  if (hasSite(model, site)) return;
  const { modelName } = model.cfg;
  const has = of.filter((one) => hasSite(model, one));
  const why = !hasMlps(model)
    ? `${modelName} has no MLPs, so it has`
    : site === "resid_mid" && !hasMid(model)
      ? `In ${modelName} attention and MLP read the same stream, so it has`
      : `${modelName} has`;
  throw new ArgumentError(`${why} no "${site}"; its sites are ${has.join(", ")}.`, { asked: site, found: has });
}

/** A site's heads: those of queries and outputs, or of keys and values where several heads share one. */
export interface HeadsOf {
  readonly axis: "head" | "kv_head";
  readonly count: number;
}

/** The heads of a site; `undefined` for a site without heads. */
export function headsAt(model: Configured, site: string): HeadsOf | undefined {
  const axes = axesAt(model, site);
  for (const axis of ["head", "kv_head"] as const) {
    const count = axes?.get(axis);
    if (count !== undefined) return { axis, count };
  }
  return undefined;
}
