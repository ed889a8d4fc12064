/**
 * What the weights say on their own: stacks over layers, the matrices that heads read and write through, composition.
 * Source: TransformerLens' properties and methods of `HookedTransformer`, and its `utils.composition_scores`.
 */
import { Tensor } from "../graph/tensor.ts";
import { blockNames } from "../models/compose.ts";
import type { HookedTransformerConfig } from "../models/config/config.ts";
import type { Weights } from "../models/weights/weights.ts";
import { type NDArray, ndarray, zeros } from "../tensor/array.ts";
import { ArgumentError, InputError, ShapeError } from "../tensor/errors.ts";
import { FLAG } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import { shown } from "../tensor/show.ts";
import { idRows } from "../text/token-ids.ts";
import type { TokenRules } from "../text/token-rules.ts";
import { type Addition, additionsBefore, components, type WriterOutput } from "./components.ts";
import { FactoredMatrix } from "./factored-matrix.ts";
import { needReadStream } from "./model-has.ts";

/** What views are made of. */
export interface Weighted {
  readonly cfg: HookedTransformerConfig;
  readonly weights: Weights;
}

/**
 * A weight of every block, [layer ...]. Nothing is copied until a run needs the stack, and then once.
 * @throws WeightsError if the blocks have none of that name.
 */
export function stacked({ cfg, weights }: Weighted, name: string): Tensor {
  const layers = blockNames(cfg).map((block) => weights.get(`${block}.${name}`).unsqueeze(0, "layer"));
  return layers.length === 1 ? layers[0] : Tensor.apply("concat", layers, { axis: -layers[0].shape.length });
}

/**
 * The circuit that makes scores: `W_Q W_Kᵀ` of each head, [layer head d_model d_model], query to key. Norms of queries and keys
 * and rotary positions change them between the two, and are not in it.
 */
export function qk(model: Weighted): FactoredMatrix {
  return new FactoredMatrix(stacked(model, "attn.W_Q"), stacked(model, "attn.W_K").transpose());
}

/**
 * The circuit that moves information: `W_V W_O` of each head, [layer head d_model d_model]. A norm of what attention writes stands
 * behind it, and is not in it.
 */
export function ov(model: Weighted): FactoredMatrix {
  return new FactoredMatrix(stacked(model, "attn.W_V"), stacked(model, "attn.W_O"));
}

/** `L0H0`, `L0H1`, ... */
export function headLabels(model: Pick<Weighted, "cfg">): string[] {
  const { writers } = components(model);
  return writers.filter(({ head }) => head !== undefined).map(({ name }) => name);
}

export interface AccumulatedBiasOptions {
  /** Up to the input of that layer's MLP: with its attention's bias. */
  readonly mlpInput?: boolean | undefined;
  /** With the MLPs' output biases. Default true. */
  readonly includeMlpBiases?: boolean | undefined;
}

const ACCUMULATED_BIAS: OptionKinds<AccumulatedBiasOptions> = { mlpInput: FLAG, includeMlpBiases: FLAG };

/**
 * All that biases have added to the residual stream before a layer, [d_model]: `Σ_{l < layer} b_O + b_out`.
 * @throws ArgumentError for a layer that does not exist, and for biases behind which a norm stands: what they add depends on
 * the norm's scale at each position.
 */
export function accumulatedBias(model: Weighted, layer: number, options: AccumulatedBiasOptions = {}): Tensor {
  checkOptions("accumulatedBias", options, ACCUMULATED_BIAS);
  const { cfg, weights } = model;
  const { mlpInput = false, includeMlpBiases = true } = options;
  const last = cfg.nLayers - (mlpInput ? 1 : 0);
  if (!(Number.isInteger(layer) && layer >= 0 && layer <= last)) {
    throw new ArgumentError(
      `accumulatedBias needs a layer from 0 to ${last}${mlpInput ? " with mlpInput" : ""}, but got ${shown(layer)}.`,
      {
        asked: layer,
        found: last,
      },
    );
  }
  const before = additionsBefore(model, layer, mlpInput);
  const counted = before.filter(({ kind }) => kind === "attention" || (kind === "mlp" && includeMlpBiases));
  for (const { output } of counted) checkBias(output, weights);
  const biases = (kind: Addition["kind"]) =>
    counted.flatMap(({ output, ...one }) => (one.kind === kind ? [output?.bias, output?.norm?.b] : []));
  const sum = new Float64Array(cfg.dModel);
  for (const name of [...biases("attention"), ...biases("mlp")]) {
    if (name === undefined) continue;
    const { data } = weights.get(name);
    for (let i = 0; i < sum.length; i++) sum[i] += data[i];
  }
  return Tensor.leaf(ndarray("float32", [cfg.dModel], Float32Array.from(sum)), ["d_model"]);
}

/** @throws ArgumentError for a bias that is not 0 and behind which a norm stands */
function checkBias(output: WriterOutput | undefined, weights: Weights): void {
  if (!output?.norm || output.bias === undefined) return;
  if (weights.get(output.bias).data.every((x: number) => x === 0)) return;
  throw new ArgumentError(
    `${output.norm.where} norms what ${output.bias} is part of, so what the bias adds to the residual stream depends on the norm's scale: use the component "bias" of getFullResidDecomposition, which is of a run.`,
    { asked: output.bias, found: output.norm.where },
  );
}

/** Tokens of the vocabulary: one, or several by prompt, or by prompt and position; texts of one token each, or ids. */
export type TokenChoice = string | number | readonly (string | number)[] | readonly (readonly number[])[] | Tensor;

/**
 * The direction of the residual stream that makes a token more probable: the token's column of W_U, [... d_model].
 * @throws InputError for a text that is not one token, or an id outside the vocabulary.
 */
export function residualDirections({ cfg, weights }: Weighted, tokens: TokenChoice, text?: TokenRules): Tensor {
  needReadStream("A direction for a token", { cfg });
  const ids = tokens instanceof Tensor ? tokens : Tensor.leaf(tokenIds(tokens, text, cfg.dVocabOut));
  if (ids.dtype !== "int32") {
    throw new ShapeError(`Tokens must be int32, but got ${ids.dtype} [${ids.shape}].`, {
      asked: "int32",
      found: ids.dtype,
    });
  }
  const bad = ids.array?.data.find((id: number) => !(id >= 0 && id < cfg.dVocabOut));
  if (bad !== undefined) {
    throw new InputError(`Token id ${bad} is outside the ${cfg.dVocabOut} tokens that the model predicts.`, {
      asked: bad,
      found: cfg.dVocabOut,
    });
  }
  const columns = weights.get("unembed.W_U").gather(-1, ids);
  const rank = columns.shape.length;
  return columns.permute([...Array.from({ length: rank - 1 }, (_, i) => i + 1), 0]);
}

function tokenIds(tokens: unknown, text: TokenRules | undefined, vocabulary: number): NDArray<"int32"> {
  const idOf = (token: unknown): unknown => {
    if (typeof token !== "string") return token;
    if (text) return text.toSingleToken(token);
    throw new InputError(`This model has no tokenizer, so it cannot read ${shown(token)}: use a token id.`, {
      asked: token,
    });
  };
  if (typeof tokens === "string" || typeof tokens === "number") {
    const [row] = idRows([idOf(tokens)], vocabulary).rows;
    return ndarray("int32", [], Int32Array.from(row));
  }
  const { rows, single } = idRows(Array.isArray(tokens) ? Array.from(tokens, idOf) : tokens, vocabulary);
  const width = rows[0]?.length ?? 0;
  if (width === 0 || rows.some((row) => row.length !== width)) {
    throw new ShapeError("Tokens must be a list, or rows of equal length, with at least one token.", { found: tokens });
  }
  const data = Int32Array.from(rows.flatMap((row) => Array.from(row)));
  return ndarray("int32", single ? [width] : [rows.length, width], data);
}

/** Which input of the later head is composed with: its queries, keys or values. */
export type CompositionMode = "Q" | "K" | "V";

/**
 * How much of what each head writes, each later head reads, [layer head to_layer to_head]:
 * `‖W_OV R‖ / (‖W_OV‖ ‖R‖)` in Frobenius norms, with R the later head's `W_QK` (Q), `W_QKᵀ` (K) or `W_OV` (V); 0 where
 * the second head is not in a later layer. Norms of queries, keys and what is written, and rotary positions, are not in it. Source: Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits".
 */
export function compositionScores(model: Weighted, mode: CompositionMode): Tensor {
  if (mode !== "Q" && mode !== "K" && mode !== "V") {
    throw new ArgumentError(
      `The mode of composition must be "Q", "K" or "V" (of the later head), not ${shown(mode)}.`,
      {
        asked: mode,
      },
    );
  }
  const { cfg } = model;
  const layers = Array.from({ length: cfg.nLayers }, (_, l) => headGrams(model, l, mode));
  const none = Tensor.leaf(zeros("float32", [cfg.nHeads, 1, cfg.nHeads]), ["head", "to_layer", "to_head"]);
  const rows = layers.map((from, l) =>
    joined(
      layers.map((to, k) => (k > l ? scores(from, to).unsqueeze(1, "to_layer") : none)),
      1,
    ).unsqueeze(0, "layer"),
  );
  return joined(rows, 0);
}

/** What composition needs of a layer's heads: as writers `W_V W_O`, and as readers `read rest`. */
interface HeadGrams {
  /** W_O, [head d_head d_model], what a head writes with, and W_Vᵀ W_V, [head d_head d_head]. */
  readonly writes: Tensor;
  readonly before: Tensor;
  /** What a head reads with, [head d_model d_head], and (rest restᵀ), [head d_head d_head]. */
  readonly reads: Tensor;
  readonly after: Tensor;
  /** Norms of the whole, [head]. */
  readonly writerNorm: Tensor;
  readonly readerNorm: Tensor;
}

function headGrams({ weights }: Weighted, layer: number, mode: CompositionMode): HeadGrams {
  const weight = (name: string) => weights.get(`blocks.${layer}.attn.${name}`);
  const columns = (x: Tensor) => x.einsum("hme,hmf->hef", x);
  const rows = (x: Tensor) => x.einsum("hem,hfm->hef", x);
  const norm = (a: Tensor, b: Tensor) => a.mul(b).sum([-2, -1]).sqrt();
  const [values, writes] = [weight("W_V"), weight("W_O")];
  const reads = mode === "Q" ? weight("W_Q") : mode === "K" ? weight("W_K") : values;
  const after = mode === "Q" ? columns(weight("W_K")) : mode === "K" ? columns(weight("W_Q")) : rows(writes);
  const before = columns(values);
  return {
    writes,
    before,
    reads,
    after,
    writerNorm: norm(before, rows(writes)),
    readerNorm: norm(columns(reads), after),
  };
}

/** [head to_head]. With M = W_O read, `‖W_V M rest‖² = Σ (W_VᵀW_V M) ∘ (M rest restᵀ)`: nothing is d_model wide. */
function scores(from: HeadGrams, to: HeadGrams): Tensor {
  const [head, d_head] = from.writes.shape;
  const between = from.writes.mergeAxes(0, 2).matmul(to.reads).splitAxis(-2, { head, d_head }); // [to_head head d_head d_head]
  const squared = from.before
    .matmul(between)
    .mul(between.matmul(to.after.unsqueeze(1)))
    .sum([-2, -1]);
  const norms = to.readerNorm.unsqueeze(1).mul(from.writerNorm);
  return squared.relu().sqrt().div(norms).transpose(0, 1).rename(["head", "to_head"]);
}

function joined(parts: readonly Tensor[], axis: number): Tensor {
  return parts.length === 1 ? parts[0] : Tensor.apply("concat", parts, { axis: axis - parts[0].shape.length });
}
