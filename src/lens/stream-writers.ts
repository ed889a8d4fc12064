/** What writes to the residual stream, read from a cache: embeddings, layers, heads, neurons. */
import { Tensor } from "../graph/tensor.ts";
import type { HookedTransformerConfig } from "../models/config.ts";
import { ndarray } from "../tensor/array.ts";
import { type AxisSlice, indicesOf } from "./axis-slice.ts";
import type { Cached } from "./cached.ts";
import { heads, neurons, type StackPart, slab, values } from "./stack-parts.ts";
import { needMlps } from "./stream-place.ts";

/** What enters the stream before the first layer. Shortformer and rotary positions never do. */
export function embeddings(cfg: HookedTransformerConfig): [label: string, name: string][] {
  const embed: [string, string] = ["embed", "hook_embed"];
  return cfg.positionalEmbeddingType === "standard" ? [embed, ["pos_embed", "hook_pos_embed"]] : [embed];
}

/** Captured values under labels. */
export function named(
  from: Cached,
  what: string,
  names: readonly (readonly [label: string, name: string])[],
): StackPart {
  const each = from.need(
    what,
    names.map(([, name]) => name),
  );
  return values(
    names.map(([label]) => label),
    each,
  );
}

/** The heads of the layers before `layer`: from `hook_result` where it was captured, as a hook may have changed it. */
export function headParts(from: Cached, layer: number): StackPart[] {
  const { cfg, weights } = from.model;
  const names = Array.from({ length: layer }, (_, l) => {
    const result = `blocks.${l}.attn.hook_result`;
    return from.has(result) ? result : `blocks.${l}.attn.hook_z`;
  });
  return from.need("The heads' results", names).map((value, l) => {
    const labels = Array.from({ length: cfg.nHeads }, (_, h) => `L${l}H${h}`);
    if (names[l].endsWith("z")) return heads(labels, value, weights.get(`blocks.${l}.attn.W_O`));
    const rank = value.shape.length;
    const first = value.permute([rank - 2, ...Array.from({ length: rank - 2 }, (_, i) => i), rank - 1]);
    return slab(labels, first.rename(["component", ...first.axes.slice(1)]));
  });
}

/** The neurons, or some of each layer, of the layers before `layer`. */
export function neuronParts(from: Cached, layer: number, slice: AxisSlice | undefined): StackPart[] {
  return Array.from({ length: layer }, (_, l) => {
    const { post, W_out, indices } = neuronsOf(from, "The neurons' results", l, slice);
    return neurons(
      indices.map((i) => `L${l}N${i}`),
      post,
      W_out,
    );
  });
}

/** Activations [... d_mlp] and output weights [d_mlp d_model] of some of a layer's neurons. */
function neuronsOf(from: Cached, what: string, layer: number, slice: AxisSlice | undefined) {
  const [post] = from.need(what, [`blocks.${layer}.mlp.hook_post`]);
  const W_out = from.model.weights.get(`blocks.${layer}.mlp.W_out`);
  const all = W_out.shape[0];
  const kept = slice === undefined ? {} : slice;
  const indices = indicesOf(typeof kept === "number" ? [kept] : kept, all, "d_mlp");
  if (slice === undefined) return { post, W_out, indices };
  const chosen = Tensor.leaf(ndarray("int32", [indices.length], Int32Array.from(indices)), ["d_mlp"]);
  return { post: post.gather(-1, chosen), W_out: W_out.gather(0, chosen), indices };
}

/** Each head's output, [batch pos head d_model], from z [batch pos head d_head]. */
export function headResults(z: Tensor, W_O: Tensor): Tensor {
  return z
    .unsqueeze(-2)
    .matmul(W_O)
    .squeeze(-2)
    .rename([...z.axes.slice(0, -1), "d_model"]);
}

/** Each neuron's output in one layer, [batch pos d_mlp d_model]. */
export function neuronResults(cache: Cached, layer: number, slice: AxisSlice | undefined): Tensor {
  needMlps(cache.model.cfg);
  const { post, W_out } = neuronsOf(cache, "getNeuronResults", layer, slice);
  return post.unsqueeze(-1, "d_model").mul(W_out);
}
