/** The weights that a configuration has, by TransformerLens' names, and the check that a model has exactly those. */
import { type NDArray, sizeOf } from "../../tensor/array.ts";
import { WeightsError } from "../../tensor/errors.ts";
import type { HookedTransformerConfig } from "../config.ts";

/** Weights by name in TransformerLens' layout: everything multiplies from the right, `x @ W`. */
export type WeightArrays = ReadonlyMap<string, NDArray<"float32">>;

/**
 * Name and shape of every weight, in the order in which the forward pass meets them: `W_E` [d_vocab, d_model], `W_pos`
 * [n_ctx, d_model]; in a block `W_Q W_K W_V` [head, d_model, d_head], `b_Q b_K b_V` [head, d_head], `W_O` [head, d_head,
 * d_model], `b_O` [d_model], `W_in` [d_model, d_mlp], `b_in` [d_mlp], `W_out` [d_mlp, d_model], `b_out` [d_model]; the
 * norms' `w` and `b`; `W_U` [d_model, d_vocab], `b_U` [d_vocab].
 */
export function expectedWeights(config: HookedTransformerConfig): Map<string, readonly number[]> {
  const { nLayers, dModel, dHead, nHeads, dVocab, dVocabOut, nCtx } = config;
  const shapes = new Map<string, readonly number[]>();
  const norm = (name: string, width: number, rms = config.normalizationType === "RMS") => {
    if (config.normalizationType !== "LN" && config.normalizationType !== "RMS") return;
    shapes.set(`${name}.w`, [width]);
    if (!rms) shapes.set(`${name}.b`, [width]);
  };

  shapes.set("embed.W_E", [dVocab, dModel]);
  shapes.set("pos_embed.W_pos", [nCtx, dModel]);
  for (let layer = 0; layer < nLayers; layer++) {
    const block = `blocks.${layer}`;
    norm(`${block}.ln1`, dModel);
    for (const part of ["Q", "K", "V"]) {
      shapes.set(`${block}.attn.W_${part}`, [nHeads, dModel, dHead]);
      shapes.set(`${block}.attn.b_${part}`, [nHeads, dHead]);
    }
    shapes.set(`${block}.attn.W_O`, [nHeads, dHead, dModel]);
    shapes.set(`${block}.attn.b_O`, [dModel]);
    if (config.attnOnly || config.dMlp === null) continue;
    norm(`${block}.ln2`, dModel);
    shapes.set(`${block}.mlp.W_in`, [dModel, config.dMlp]);
    shapes.set(`${block}.mlp.b_in`, [config.dMlp]);
    if (hasInnerNormWeights(config)) norm(`${block}.mlp.ln`, config.dMlp);
    shapes.set(`${block}.mlp.W_out`, [config.dMlp, dModel]);
    shapes.set(`${block}.mlp.b_out`, [dModel]);
  }
  norm("ln_final", dModel, config.finalRms || config.normalizationType === "RMS");
  shapes.set("unembed.W_U", [dModel, dVocabOut]);
  shapes.set("unembed.b_U", [dVocabOut]);
  return shapes;
}

/** The LayerNorm inside a `solu_ln` MLP has weights only where the blocks' norms are full LayerNorms. */
function hasInnerNormWeights(config: HookedTransformerConfig): boolean {
  return config.actFn === "solu_ln" && config.normalizationType === "LN";
}

/** What `checkWeights` found to be wrong; the error's `found`. */
export interface WeightProblems {
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
  readonly wrongShape: readonly { name: string; expected: readonly number[]; found: readonly number[] }[];
}

/**
 * Passes if the weights are those of the configuration: each there, in its shape, in float32, and nothing left over.
 *
 * @throws WeightsError that names each weight that is missing, unexpected or of the wrong shape; `found` is a
 * `WeightProblems`.
 */
export function checkWeights(config: HookedTransformerConfig, weights: ReadonlyMap<string, NDArray>): void {
  const expected = expectedWeights(config);
  const missing = [...expected.keys()].filter((name) => !weights.has(name));
  const unexpected = [...weights.keys()].filter((name) => !expected.has(name));
  const wrongShape: { name: string; expected: readonly number[]; found: readonly number[] }[] = [];
  for (const [name, shape] of expected) {
    const array = weights.get(name);
    if (array === undefined) continue;
    if (array.dtype !== "float32" || array.data.length !== sizeOf(array.shape)) {
      throw new WeightsError(
        `Weight ${name} holds ${array.data.length} numbers of ${array.dtype} for the shape [${array.shape}]; weights are float32 and fill their shape.`,
        { asked: name, found: array.dtype },
      );
    }
    if (!sameShape(array.shape, shape)) wrongShape.push({ name, expected: shape, found: array.shape });
  }
  if (missing.length + unexpected.length + wrongShape.length === 0) return;

  const sentences = ["The weights are not those of the configuration."];
  if (missing.length > 0) sentences.push(`Missing: ${listed(missing)}.`);
  if (unexpected.length > 0) sentences.push(`Unexpected: ${listed(unexpected)}.`);
  if (wrongShape.length > 0) {
    const shapes = wrongShape.map((w) => `${w.name} is [${w.found}] instead of [${w.expected}]`);
    sentences.push(`Wrong shape: ${listed(shapes)}.`);
  }
  throw new WeightsError(sentences.join(" "), {
    asked: [...expected.keys()],
    found: { missing, unexpected, wrongShape } satisfies WeightProblems,
  });
}

/** The first dozen; the error's fields have all of them. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, 12).join(", ");
  return names.length > 12 ? `${shown} and ${names.length - 12} more` : shown;
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}
