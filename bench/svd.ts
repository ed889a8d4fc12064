/**
 * Decompositions of products of thin factors at GPT-2 small's size: `QK.svd()` of 144 heads, and `refactorFactoredAttnMatrices`. Next to
 * them the same by ml-matrix (its QR of both factors, its SVD of the small matrix between them), of the heads of one layer.
 */
import { Matrix, QrDecomposition, SingularValueDecomposition } from "ml-matrix";
import { Tensor } from "../src/graph/tensor.ts";
import { FactoredMatrix } from "../src/lens/factored-matrix.ts";
import { NO_PROCESSING, processWeights } from "../src/models/processing/process-weights.ts";
import { squareSvd } from "../src/tensor/square-svd.ts";
import { inTurn, type Measured, peakMb, rounded } from "./measure.ts";
import { gpt2Like, gpt2Small, noise, randomWeights } from "./models.ts";

const { nLayers, nHeads, dModel, dHead } = gpt2Small;

function factor(layers: number, seed: number): Tensor {
  const shape = [layers, nHeads, dModel, dHead];
  const data = noise(layers * nHeads * dModel * dHead, 0.05, seed);
  return Tensor.leaf({ dtype: "float32", shape, data }, ["layer", "head", "d_model", "d_head"]);
}

/** A new one each time, because a decomposition is kept. */
const scores = (layers: number, Q: Tensor, K: Tensor) =>
  new FactoredMatrix(Q.slice(0, 0, layers), K.slice(0, 0, layers).transpose());

function byMlMatrix(Q: Tensor, K: Tensor, head: number): void {
  const size = dModel * dHead;
  const [q, k] = [Q, K].map((x) => {
    const numbers = x.data.subarray(head * size, (head + 1) * size);
    return new QrDecomposition(Matrix.from1DArray(dModel, dHead, Array.from(numbers as Float32Array)));
  });
  const core = q.upperTriangularMatrix.mmul(k.upperTriangularMatrix.transpose());
  const svd = new SingularValueDecomposition(core, { autoTranspose: true });
  q.orthogonalMatrix.mmul(svd.leftSingularVectors);
  k.orthogonalMatrix.mmul(svd.rightSingularVectors);
}

export async function svd() {
  const [Q, K] = [factor(nLayers, 1), factor(nLayers, 2)];
  const small = Float64Array.from(noise(dHead * dHead, 1, 3));
  const smallMatrix = Matrix.from1DArray(dHead, dHead, Array.from(small));
  // Heads do not depend on the vocabulary.
  const cfg = gpt2Like({ d_vocab: 100 });
  const raw = randomWeights(cfg);
  const { core, coreByMlMatrix } = await inTurn(
    {
      core: async () => squareSvd(small, dHead),
      coreByMlMatrix: async () => new SingularValueDecomposition(smallMatrix, { autoTranspose: true }),
    },
    25,
  );
  const { layer, layerByMlMatrix } = await inTurn(
    {
      layer: async () => scores(1, Q, K).svd(),
      layerByMlMatrix: async () => {
        for (let head = 0; head < nHeads; head++) byMlMatrix(Q, K, head);
      },
    },
    7,
  );
  const { all, refactor } = await inTurn(
    {
      all: async () => scores(nLayers, Q, K).svd(),
      refactor: async () => processWeights(cfg, raw, { ...NO_PROCESSING, refactorFactoredAttnMatrices: true }),
    },
    5,
  );
  const times = ({ median_ms, min_ms }: Measured) => ({ median_ms: rounded(median_ms), min_ms: rounded(min_ms) });
  return {
    median_ms: rounded(all.median_ms),
    qk_svd: { heads: nLayers * nHeads, ...times(all) },
    refactor: times(refactor),
    one_layer: { heads: nHeads, ...times(layer), ml_matrix_ms: rounded(layerByMlMatrix.median_ms) },
    ml_matrix_over_one_layer: rounded(layerByMlMatrix.median_ms / layer.median_ms),
    square: { size: dHead, ...times(core), ml_matrix_ms: rounded(coreByMlMatrix.median_ms) },
    ml_matrix_over_square: rounded(coreByMlMatrix.median_ms / core.median_ms),
    peak_mb: peakMb(),
  };
}
