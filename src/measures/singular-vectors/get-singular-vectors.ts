/** What a weight matrix writes or reads most of, in tokens. Source: TransformerLens' `SVDInterpreter`. */
import { Tensor } from "../../graph/tensor.ts";
import { checkModel } from "../../lens/check.ts";
import { FactoredMatrix } from "../../lens/factored-matrix.ts";
import type { Model } from "../../lens/model.ts";
import { hasMlps, needNeurons, needReadStream } from "../../lens/model-has.ts";
import { ndarray, zeros } from "../../tensor/array.ts";
import { ArgumentError } from "../../tensor/errors.ts";
import { COUNT, NOT_NEGATIVE_WHOLE, SIGNAL } from "../../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../../tensor/options.ts";
import { shown } from "../../tensor/show.ts";

/** Which matrix: a head's `W_V W_O`, or an MLP's input or output weights. */
export type SingularVectorsOf = "OV" | "w_in" | "w_out";

/** Options of `getSingularVectors`. */
export interface GetSingularVectorsOptions {
  /** How many, from the largest singular value down. Default 10. */
  readonly numVectors?: number | undefined;
  /** Which head, for "OV". */
  readonly head?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const KINDS: OptionKinds<GetSingularVectorsOptions> = { numVectors: COUNT, head: NOT_NEGATIVE_WHOLE, signal: SIGNAL };

/** The result of `getSingularVectors`. */
export interface SingularVectors {
  /** All of them, from the largest down, [component]. */
  readonly singularValues: readonly number[];
  /** Unit vectors of the residual stream, [component d_model]. A vector's sign means nothing. */
  readonly vectors: Tensor;
  /** `vectors · W_U`: how much of each token lies in each of them, [component d_vocab], in logits. */
  readonly logits: Tensor;
}

/**
 * The directions of the residual stream that a matrix writes to ("OV", "w_out") or reads from ("w_in") most strongly,
 * and what tokens they are by the unembedding: `M = U S Vᵀ`, and the rows of `Vᵀ W_U`, for M = `W_V W_O` of a head,
 * `W_inᵀ` (times the weight of the norm before it, where it has one; of a gated MLP what the gate multiplies) or `W_out`.
 * Source: Millidge and Black 2022; TransformerLens' `SVDInterpreter.get_singular_vectors`, which gives the same
 * [d_vocab 1 component].
 * @throws ArgumentError for another matrix, for a layer, head or number of vectors that does not exist, or for a missing head
 */
export async function getSingularVectors(
  model: Model,
  of: SingularVectorsOf,
  layer: number,
  options: GetSingularVectorsOptions = {},
): Promise<SingularVectors> {
  checkModel("getSingularVectors", model);
  checkOptions("getSingularVectors", options, KINDS);
  needReadStream("getSingularVectors", model);
  const { numVectors = 10, head, signal } = options;
  const matrix = matrixOf(model, of, layer, head);
  const rank = Math.min(matrix.ldim, matrix.mdim, matrix.rdim);
  if (!(Number.isInteger(numVectors) && numVectors >= 1 && numVectors <= rank)) {
    throw new ArgumentError(
      `numVectors is ${numVectors}, but this matrix has ${rank} singular values: use a whole number from 1 to ${rank}.`,
      { asked: numVectors, found: rank },
    );
  }
  const { S, V } = (await matrix.compute({ signal })).svd();
  const { dModel } = model.cfg;
  const columns = V.shape[1];
  const rows = new Float32Array(numVectors * dModel);
  for (let v = 0; v < numVectors; v++) {
    for (let i = 0; i < dModel; i++) rows[v * dModel + i] = V.data[i * columns + v];
  }
  const vectors = Tensor.leaf(ndarray("float32", [numVectors, dModel], rows), ["component", "d_model"]);
  const [logits] = await model.compute([vectors.matmul(model.weights.get("unembed.W_U"))], { signal });
  return { singularValues: Array.from(S.data).slice(0, rank), vectors, logits };
}

/** M as a product, whose right singular vectors lie in the residual stream. */
function matrixOf(model: Model, of: SingularVectorsOf, layer: number, head: number | undefined): FactoredMatrix {
  const { cfg, weights } = model;
  if (!(Number.isInteger(layer) && layer >= 0 && layer < cfg.nLayers)) {
    throw new ArgumentError(`There is no layer ${shown(layer)}: this model's layers go from 0 to ${cfg.nLayers - 1}.`, {
      asked: layer,
      found: cfg.nLayers,
    });
  }
  if (head !== undefined && of !== "OV") {
    throw new ArgumentError(`Only "OV" has a head: ${shown(of)} is the matrix of a layer's MLP. Leave head out.`, {
      asked: head,
    });
  }
  const weight = (name: string) => weights.get(`blocks.${layer}.${name}`);
  switch (of) {
    case "OV": {
      if (head === undefined || !(Number.isInteger(head) && head >= 0 && head < cfg.nHeads)) {
        throw new ArgumentError(
          `"OV" is one head's matrix and needs a head from 0 to ${cfg.nHeads - 1}, but got ${head ?? "none"}.`,
          { asked: head, found: cfg.nHeads },
        );
      }
      return new FactoredMatrix(weight("attn.W_V").at({ head }), weight("attn.W_O").at({ head }));
    }
    case "w_in":
    case "w_out": {
      if (!hasMlps(model)) {
        throw new ArgumentError(`This model is attention-only and has no ${of}: use "OV" and a head.`, { asked: of });
      }
      needNeurons(model, layer);
      if (of === "w_out") return new FactoredMatrix(weight("mlp.W_out"), identity(cfg.dModel));
      const norm = weights.find(`blocks.${layer}.ln2.w`);
      const read = weight("mlp.W_in").transpose();
      return new FactoredMatrix(norm ? read.mul(norm) : read, identity(cfg.dModel));
    }
    default:
      throw new ArgumentError(`Singular vectors can be taken of "OV", "w_in" or "w_out", not of ${shown(of)}.`, {
        asked: of,
      });
  }
}

/** A matrix that is not a product of two is one with this. */
function identity(size: number): Tensor {
  const one = zeros("float32", [size, size]);
  for (let i = 0; i < size; i++) one.data[i * size + i] = 1;
  return Tensor.leaf(one, ["", "d_model"]);
}
