/**
 * The edges into targets: one backward pass through a linear pass for many targets, each a row of the batch. Gradients are
 * contracted with what sources write where they write it, so nothing is as large as features times features.
 */
import { grad } from "../../graph/rewrite/grad.ts";
import { Rewrite } from "../../graph/rewrite/rewrite.ts";
import { Tensor } from "../../graph/tensor.ts";
import { topological } from "../../graph/walk.ts";
import type { Model } from "../../lens/model.ts";
import type { ModelGraph } from "../../lens/model-graph.ts";
import { zeros } from "../../tensor/array.ts";
import { computeInParts, passBytes } from "../in-parts.ts";
import type { Prompt } from "../prompt.ts";
import type { Features } from "./features.ts";
import { type At, embeddingPoint, finalReading, linearPass, type Reading } from "./linear-pass.ts";
import { type SparseRow, withoutZeros } from "./sparse.ts";
import type { Targets } from "./targets.ts";

/** A run and what is traced in it. */
export interface TracedRun {
  readonly model: Model;
  readonly prompt: Prompt;
  /** The pass on the prompt, [1 pos …]. */
  readonly graph: ModelGraph;
  readonly held: ReadonlyMap<string, Tensor>;
  /** What tokens write: their embeddings, [1 pos d_model]. */
  readonly embedded: Tensor;
  readonly features: Features;
  readonly targets: Targets;
}

/** Targets that read the same value: features of one layer, or all logits. */
export interface Group {
  /** The layer of features, counted through all; `undefined`: of logits. */
  readonly layer: number | undefined;
  readonly members: readonly number[];
}

/** What reaches a target. */
export interface EdgeRow {
  /** From each source: active features, errors by layer and position (if they are sources), tokens. */
  readonly edges: SparseRow;
  /** The sum of all of them. */
  readonly sum: number;
  /** What no source accounts for. */
  readonly constant: number;
  /** What the target reads in the run: what edges and constant should sum to. */
  readonly target: number;
}

/** Makes rows of edges. */
export class EdgeRows {
  /** How many sources there are. */
  readonly sources: number;
  private readonly run: TracedRun;
  /** What is read in the run, and when there are no sources, by layer, then by logits: each [1 pos d]. */
  private readonly whole: readonly Tensor[];
  private readonly empty: readonly Tensor[];

  private constructor(run: TracedRun, whole: readonly Tensor[], empty: readonly Tensor[]) {
    this.run = run;
    this.whole = whole;
    this.empty = empty;
    const { features, embedded } = run;
    const pos = embedded.shape[1];
    this.sources = features.active.count + (features.errors?.length ?? 0) * pos + pos;
  }

  /** Computes what is read without sources, in a forward pass that shares nothing with the backward ones but what is held. */
  static async of(run: TracedRun, signal?: AbortSignal): Promise<EdgeRows> {
    const { model, features, embedded } = run;
    const readings = readingsOf(run);
    const pass = linearPass(run.graph, run.held, features.writings, {
      embedding: embeddingPoint(model, run.graph),
      start: nothing(embedded),
      written: features.writings.map(({ point }, i) => features.constants[i] ?? nothing(point)),
    });
    const values = [(point: Tensor) => point, pass.at].flatMap((at: At) => readings.map((reading) => reading(at)));
    const computed = await model.compute(values, { signal });
    await model.engine.forget(values);
    return new EdgeRows(run, computed.slice(0, readings.length), computed.slice(readings.length));
  }

  /** The rows of targets, in their order. */
  async rows({ layer, members }: Group, signal?: AbortSignal): Promise<EdgeRow[]> {
    const { model, features } = this.run;
    const computed = await computeInParts(
      model,
      members.length,
      (from, to) => this.values(layer, members.slice(from, to)),
      { signal, most: passBytes(model) },
    );
    const [constants, targets, ...sent] = computed.map(({ data }) => data);
    const places = this.places(layer);
    return members.map((member, row) => {
      const bias = layer === undefined ? 0 : features.bias(member);
      const edges = new Float32Array(this.sources);
      sent.forEach((data, i) => {
        const [first, at] = places[i];
        const start = row * (data.length / members.length);
        for (let k = 0; k < at.length; k++) edges[first + k] = data[start + at[k]];
      });
      const sum = edges.reduce((all, edge) => all + edge, 0);
      return { edges: withoutZeros(edges), sum, constant: constants[row] + bias, target: targets[row] + bias };
    });
  }

  /** Constants [batch], targets [batch], and what is sent [batch …]: by features and errors of each layer before, and by tokens. */
  private values(layer: number | undefined, members: readonly number[]): Tensor[] {
    const { model, graph, held, embedded, features } = this.run;
    const before = layer ?? features.writings.length;
    const seeds = seedsOf(this.run, { layer, members });
    const rows = seeds.slice("pos", 0, 1).slice("d_model", 0, 1);
    const repeated = (x: Tensor) => x.expandLike(rows);
    const pass = linearPass(graph, held, features.writings.slice(0, before), {
      embedding: embeddingPoint(model, graph),
      start: repeated(embedded),
      written: features.writings.slice(0, before).map(({ point }) => repeated(nothing(point))),
    });
    const at = layer ?? features.readings.length;
    const read = readingsOf(this.run)[at](pass.at);
    const slopes = withoutForward(
      grad(read.mul(seeds).sum(), [...pass.written, pass.start], { unused: "zero" }),
      seeds,
    );
    const start = slopes.at(-1)!;
    const byWriting = slopes.slice(0, -1);
    const own = [this.empty[at], this.whole[at]].map((value) => seeds.mul(value).sum(["pos", "d_model"]));
    const written = byWriting.flatMap((_, from) => this.sent(from, byWriting));
    return [...own, ...written, start.mul(embedded).sum(-1)];
  }

  /** What features and errors of a layer send, [batch …] each. */
  private sent(layer: number, slopes: readonly Tensor[]): Tensor[] {
    const { features } = this.run;
    return [
      features.sent(layer, slopes.slice(layer)),
      ...(features.errors ? [slopes[layer].mul(features.errors[layer]).sum(-1)] : []),
    ];
  }

  /** For each of the values that are sent, the first source that it is of, and where its sources' numbers are in a row of it. */
  private places(layer: number | undefined): (readonly [first: number, at: ArrayLike<number>])[] {
    const { features, embedded } = this.run;
    const { count, starts } = features.active;
    const pos = embedded.shape[1];
    const all = Uint32Array.from({ length: pos }, (_, i) => i);
    const layers = Array.from({ length: layer ?? features.writings.length }, (_, i) => i);
    return [
      ...layers.flatMap((from): (readonly [number, ArrayLike<number>])[] => [
        [starts[from], features.sentPlaces(from)],
        ...(features.errors ? [[count + from * pos, all] as const] : []),
      ]),
      [this.sources - pos, all],
    ];
  }
}

/** What targets that read the same value read with: [batch pos d_model], 0 but at their positions. */
export function seedsOf({ features, targets, embedded }: TracedRun, { layer, members }: Group): Tensor {
  const length = embedded.shape[1];
  const directions =
    layer === undefined ? chosenRows(targets.directions, members) : features.directions(layer, members);
  const here = new Float32Array(members.length * length);
  members.forEach((member, row) => {
    here[row * length + (layer === undefined ? length - 1 : features.active.node(member).pos)] = 1;
  });
  const shape = [members.length, length, 1];
  const at = Tensor.leaf({ dtype: "float32", shape, data: here }, ["batch", "pos", ""]);
  return directions.rename({ row: "batch" }).unsqueeze(1, "pos").mul(at);
}

/** What the features of each layer read, then what logits do. */
export function readingsOf({ model, graph, features }: TracedRun): Reading[] {
  return [...features.readings, finalReading(model, graph)];
}

function chosenRows(rows: Tensor, members: readonly number[]): Tensor {
  const data = Int32Array.from(members);
  return rows.gather("row", Tensor.leaf({ dtype: "int32", shape: [data.length], data }, ["row"]));
}

/** Zeros of a value's shape. */
export function nothing({ shape, axes }: Tensor): Tensor {
  return Tensor.leaf(zeros("float32", shape), axes);
}

/**
 * Gradients without the pass that they are of: of a linear pass they need no values. Where one is repeated to the shape of a value of the
 * pass, another value of that shape stands for it.
 */
function withoutForward(gradients: readonly Tensor[], like: Tensor): Tensor[] {
  const rewrite = new Rewrite();
  for (const value of topological(gradients)) {
    if (value.op !== "expandLike" || value.inputs[1].shape.join() !== like.shape.join()) continue;
    rewrite.replace(value, rewrite.get(value.inputs[0]).expandLike(like).rename(value.axes));
  }
  return gradients.map((gradient) => rewrite.get(gradient));
}
