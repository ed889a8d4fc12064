/**
 * The local replacement model: a pass in which everything that is not linear keeps the value that it had in a run. Patterns of attention and
 * denominators of norms are held, and so is what features write. What is left (norms' centring, weights and biases, values and
 * outputs of heads, sums, the unembedding) is affine in the tokens' embeddings and in what is written.
 */
import { Rewrite } from "../../graph/rewrite/rewrite.ts";
import type { Tensor } from "../../graph/tensor.ts";
import type { Model } from "../../lens/model.ts";
import type { ModelGraph } from "../../lens/model-graph.ts";
import { lastStream, needReadStream, tokenEmbedding } from "../../lens/model-has.ts";
import { recordingOf } from "../../models/recording.ts";
import { ArgumentError } from "../../tensor/errors.ts";

/** The value of a point of the unchanged pass, in whatever pass is looked at. */
export type At = (point: Tensor) => Tensor;

/** Something that is read in a pass, [batch pos d], as in the pass that `at` looks at. */
export type Reading = (at: At) => Tensor;

/** The hook points that are held in every linear pass of a model: patterns, and scales of norms on the way to what is read. */
export function heldPoints({ cfg }: Pick<Model, "cfg">): string[] {
  return recordingOf(cfg).hookNames.filter(
    (name) => /\.hook_(pattern|scale)$/.test(name) && !/[qk]_norm\.|\.mlp\./.test(name),
  );
}

/** @throws ArgumentError for a model whose pass is not affine once patterns and scales are held */
export function needAffine(of: string, model: Model): void {
  needReadStream(of, model);
  const { structure } = recordingOf(model.cfg);
  if (structure.attentions.some(({ clipsValues }) => clipsValues)) {
    throw new ArgumentError(
      `${of} needs values of attention to be linear in what heads read, but ${model.cfg.modelName} clips them: use patching or gradients.`,
      { asked: of },
    );
  }
  if (model.splices && model.splices.hookNames.length > recordingOf(model.cfg).hookNames.length) {
    throw new ArgumentError(
      `${of} holds what is not linear in a model, but does not know the parts that were spliced into this one: give it the model without them.`,
      { asked: of },
    );
  }
}

/** What a norm gives to whatever reads it, with its weights. @param where its name: `blocks.0.ln2` */
export function normed(model: Model, graph: ModelGraph, where: string): Reading {
  const use = recordingOf(model.cfg).structure.norms.find((one) => one.where === where)!;
  const weight = use.subtractsMean || !use.w ? undefined : model.weights.get(use.w.label!);
  const point = graph.at(`${where}.hook_normalized`);
  return (at) => (weight ? at(point).mul(weight) : at(point));
}

/** What the unembedding reads. */
export function finalReading(model: Model, graph: ModelGraph): Reading {
  const hasNorm = recordingOf(model.cfg).structure.norms.some(({ where }) => where === "ln_final");
  if (hasNorm) return normed(model, graph, "ln_final");
  const point = graph.at(lastStream(model));
  return (at) => at(point);
}

/** A place where features write: a hook point whose value is held, and replaced by another. */
export interface Writing {
  readonly point: Tensor;
  /** What is written besides what is held, in a pass; default: nothing. */
  readonly beside?: Reading | undefined;
}

/** A linear pass, and where it starts. */
export interface LinearPass {
  readonly at: At;
  /** What was put at the embeddings. */
  readonly start: Tensor;
  /** The values at the places where features write. */
  readonly written: readonly Tensor[];
}

/**
 * The pass with values held, from other embeddings and with other things written.
 * @param start the embeddings, [batch pos d_model]
 * @param written what is written at each of the places, in their order
 */
export function linearPass(
  graph: ModelGraph,
  held: ReadonlyMap<string, Tensor>,
  writings: readonly Writing[],
  {
    embedding,
    start,
    written,
  }: { readonly embedding: Tensor; readonly start: Tensor; readonly written: readonly Tensor[] },
): LinearPass {
  const rewrite = new Rewrite();
  for (const [name, value] of held) rewrite.replace(graph.at(name), value);
  rewrite.replace(embedding, start);
  const at: At = (point) => rewrite.get(point);
  const values = writings.map(({ point, beside }, i) => {
    const value = beside ? written[i].add(beside(at)) : written[i];
    rewrite.replace(point, value);
    return value;
  });
  return { at, start, written: values };
}

/** Where the tokens' embeddings are in a pass. */
export function embeddingPoint(model: Model, graph: ModelGraph): Tensor {
  return graph.at(tokenEmbedding(model).point);
}
