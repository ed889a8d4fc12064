/** What writes to the residual stream, read from a cache: embeddings, layers, heads, neurons. */
import { Tensor } from "../graph/tensor.ts";
import { ndarray } from "../tensor/array.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";
import { type AxisSlice, indicesOf } from "./axis-slice.ts";
import type { Cached } from "./cached.ts";
import { type Addition, components, neuronName, type WriterOutput } from "./components.ts";
import { needNeurons } from "./model-has.ts";
import { addedParts, asAdded } from "./output-norm.ts";
import { heads, neurons, type StackPart, slab, values } from "./stack-parts.ts";

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

/** What was added to the stream, as captured. */
export function added(from: Cached, what: string, additions: readonly Addition[]): StackPart {
  return named(
    from,
    what,
    additions.map(({ label, point }) => [label, point]),
  );
}

/**
 * The heads of attention layers: from `hook_result` if it was captured, as a hook may have changed it. Where a norm stands behind
 * them, each is its part of what the norm adds, with the norm's scale in the run.
 */
export function headParts(from: Cached, additions: readonly Addition[]): StackPart[] {
  const layers = additions.flatMap(({ kind, output, writers }) => {
    if (kind !== "attention" || !output) return [];
    const [{ point }] = writers;
    return [{ output, captured: from.has(point) ? point : output.point, labels: writers.map(({ name }) => name) }];
  });
  const names = layers.map(({ captured }) => captured);
  return from.need("The heads' results", names).map((value, l) => {
    const { output, captured, labels } = layers[l];
    const added = (part: StackPart) => addedParts(part, output.norm, from, "The heads' results");
    if (captured === output.point) return added(heads(labels, value, from.model.weights.get(output.weight)));
    const rank = value.shape.length;
    const first = value.permute([rank - 2, ...Array.from({ length: rank - 2 }, (_, i) => i), rank - 1]);
    return added(slab(labels, first.rename(["component", ...first.axes.slice(1)])));
  });
}

/** The neurons of MLPs, or some of them. */
export function neuronParts(from: Cached, additions: readonly Addition[], slice: AxisSlice | undefined): StackPart[] {
  for (const { kind, layer } of additions) if (kind === "mlp") needNeurons(from.model, layer);
  return additions.flatMap(({ kind, layer, output }) => {
    if (kind !== "mlp" || !output) return [];
    const { post, W_out, indices } = neuronsOf(from, "The neurons' results", output, slice);
    const labels = indices.map((i) => neuronName(layer!, i));
    return [addedParts(neurons(labels, post, W_out), output.norm, from, "The neurons' results")];
  });
}

/** Activations [... d_mlp] and output weights [d_mlp d_model] of some of a layer's neurons. */
function neuronsOf(from: Cached, what: string, output: WriterOutput, slice: AxisSlice | undefined) {
  const [post] = from.need(what, [output.point]);
  const W_out = from.model.weights.get(output.weight);
  const all = W_out.shape[0];
  const kept = slice === undefined ? {} : slice;
  const indices = indicesOf(typeof kept === "number" ? [kept] : kept, all, "d_mlp");
  if (slice === undefined) return { post, W_out, indices };
  const chosen = Tensor.leaf(ndarray("int32", [indices.length], Int32Array.from(indices)), ["d_mlp"]);
  return { post: post.gather(-1, chosen), W_out: W_out.gather(0, chosen), indices };
}

/**
 * All that biases of attention layers, and of MLPs where they are meant too, add to the stream, [... d_model] or [d_model]: through
 * the norm behind them if there is one, with that norm's own bias.
 */
export function biasesOf(from: Cached, additions: readonly Addition[], withMlps: boolean): Tensor | undefined {
  const { weights } = from.model;
  const at = (scale: string) => from.need("The biases", [scale])[0];
  const each = additions.flatMap(({ kind, output }) => {
    if (!output || kind === "embedding" || (kind === "mlp" && !withMlps)) return [];
    const { bias, norm } = output;
    const own = norm?.b === undefined ? [] : [weights.get(norm.b)];
    return bias === undefined ? own : [asAdded(weights.get(bias), norm, weights, at), ...own];
  });
  return each.length > 0 ? each.reduce((a, b) => a.add(b)) : undefined;
}

/** Each head's output, [batch pos head d_model], from z [batch pos head d_head]. */
export function headResults(z: Tensor, W_O: Tensor): Tensor {
  return z
    .unsqueeze(-2)
    .matmul(W_O)
    .squeeze(-2)
    .rename([...z.axes.slice(0, -1), "d_model"]);
}

/** What each neuron adds in one layer, [batch pos d_mlp d_model]. */
export function neuronResults(cache: Cached, layer: number, slice: AxisSlice | undefined): Tensor {
  needNeurons(cache.model, layer);
  const mlp = components(cache.model).additions.find((one) => one.kind === "mlp" && one.layer === layer);
  if (!mlp?.output) {
    const last = cache.model.cfg.nLayers - 1;
    throw new ArgumentError(`getNeuronResults needs a layer from 0 to ${last}, but got ${shown(layer)}.`, {
      asked: layer,
      found: last,
    });
  }
  const { post, W_out } = neuronsOf(cache, "getNeuronResults", mlp.output, slice);
  const { weights } = cache.model;
  return asAdded(post.unsqueeze(-1, "d_model").mul(W_out), mlp.output.norm, weights, (scale) =>
    cache.need("getNeuronResults", [scale])[0].unsqueeze(-2),
  );
}
