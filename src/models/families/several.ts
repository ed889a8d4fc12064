/** Weights that are made of several arrays of a checkpoint. */
import { zeros } from "../../tensor/array.ts";
import type { SeveralSource } from "./checkpoint.ts";
import { toFloat32, transposed } from "./layout.ts";

/** One array for each place along the first axis: a norm of each head. */
export function stacked(count: number, nameOf: (i: number) => string): SeveralSource {
  const names = Array.from({ length: count }, (_, i) => nameOf(i));
  return {
    arrays: names.map((name) => ({ name, shape: ({ shape }) => shape.slice(1) })),
    read(arrays, { shape }) {
      const weight = zeros("float32", shape);
      const size = weight.data.length / count;
      for (const [i, array] of arrays.entries()) weight.data.set(toFloat32(names[i], array).data, i * size);
      return weight;
    },
  };
}

/**
 * An embedding [d_vocab narrow], and PyTorch's `Linear` [d_model narrow] from it to the stream:
 * `W_E = embedding · linearᵀ`, [d_vocab d_model].
 * @param narrow the embedding's width
 */
export function widened(embedding: string, linear: string, narrow: number): SeveralSource {
  return {
    arrays: [
      { name: embedding, shape: ({ shape: [vocab] }) => [vocab, narrow] },
      { name: linear, shape: ({ shape: [, wide] }) => [wide, narrow] },
    ],
    read: ([tokens, wide], _spec, product) => product(toFloat32(embedding, tokens), toFloat32(linear, wide)),
  };
}

/**
 * PyTorch's `Linear` [narrow d_model] from the stream, then an unembedding [d_vocab narrow]:
 * `W_U = linearᵀ · unembeddingᵀ`, [d_model d_vocab].
 * @param narrow the unembedding's width
 */
export function narrowed(linear: string, unembedding: string, narrow: number): SeveralSource {
  return {
    arrays: [
      { name: linear, shape: ({ shape: [wide] }) => [narrow, wide] },
      { name: unembedding, shape: ({ shape: [, vocab] }) => [vocab, narrow] },
    ],
    read: ([from, tokens], _spec, product) =>
      product(transposed(toFloat32(linear, from)), toFloat32(unembedding, tokens)),
  };
}
