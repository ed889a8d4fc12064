/**
 * Path patching: what one component passes directly to another. Along a path the receiver reads the residual stream as if
 * the sender had written there what it writes in another run, while everything else stays the same; the receiver's result
 * goes on through the rest of the model. In the stream components add up, so a path is a vector added to what the
 * receiver reads, and a sweep over paths is broadcasting.
 *
 * Source: Wang et al. 2022 (arxiv.org/abs/2211.00593), Goldowsky-Dill et al. 2023 (arxiv.org/abs/2304.05969).
 */

import { showShape } from "../graph/axes.ts";
import { Tensor } from "../graph/tensor.ts";
import { checkModel } from "../lens/check.ts";
import { components, hears, type Reader, type Receiver, type Sender, type Writer } from "../lens/components.ts";
import { measured, oneForEach, oneNumber } from "../lens/metric.ts";
import type { Model } from "../lens/model.ts";
import { type Edit, ModelGraph } from "../lens/model-graph.ts";
import { startsAtLayers } from "../lens/model-has.ts";
import { prepareInput } from "../lens/model-input.ts";
import { ndarray } from "../tensor/array.ts";
import { ArgumentError, ShapeError } from "../tensor/errors.ts";
import type { OptionKinds } from "../tensor/options.ts";
import { shown } from "../tensor/show.ts";
import { answersOptions, RUNS, type Runs, type RunsOptions, readRuns, roundedToLogits } from "./contrast.ts";
import { KeptSessions, keptOnce, passBytes, rowsThatFit } from "./in-parts.ts";
import { Measured } from "./measured.ts";
import { type AnalysisOptions, type GivenOptions, memoryOption, settled } from "./options.ts";
import { allSenders, receiving, sending, sent } from "./path-patching/path-ends.ts";

/** A direct path, from what writes to the residual stream to what reads it. */
export type Path = readonly [from: Sender, to: Receiver];

/**
 * A pass with several direct paths patched together: along each, the receiver reads what the sender writes in the other
 * pass. All paths of a sender together are activation patching of it.
 * @param source the other pass, on an input of the same shape
 * @throws ArgumentError for a component that the model lacks, or a receiver that does not come after its sender.
 */
export function withPaths(model: Model, graph: ModelGraph, source: ModelGraph, paths: readonly Path[]): ModelGraph {
  checkModel("withPaths", model);
  if (!(graph instanceof ModelGraph) || !(source instanceof ModelGraph)) {
    throw new ArgumentError(
      "withPaths needs two passes, as model.graph returns them: the one to patch, and its source.",
    );
  }
  const pairs = Array.isArray(paths) && Array.from(paths).every((path) => Array.isArray(path) && path.length === 2);
  if (!pairs) {
    throw new ArgumentError(
      `Paths must be pairs of a sender and a receiver, [["L0H1", "L1MLP"]], not ${shown(paths)}.`,
      {
        asked: paths,
      },
    );
  }
  const edits = paths.map(([from, to]): Edit => {
    const [sender, receiver] = [sending(from, model), receiving(to, model)];
    if (!hears(receiver, sender)) {
      throw new ArgumentError(`There is no path from ${from} to ${to}, which does not come after it.`, {
        asked: [from, to],
      });
    }
    const delta = sent(source, sender, model).sub(sent(graph, sender, model));
    return [receiver.point, (x) => x.add(receiver.head === undefined ? delta : toHeads(delta, [receiver.head], x))];
  });
  return graph.with(edits);
}

export const PATH_PATCHING_OPTIONS = {
  senders: {
    type: "texts",
    placeholder: "sender",
    description: "what sends: L0H3, L0MLP, embed, pos_embed",
    defaultText: "all",
  },
  receivers: {
    type: "texts",
    placeholder: "receiver",
    description:
      "what receives: L1H0.q, .k or .v (L1KV0.k and .v where heads share their keys and values), L1MLP, logits",
    defaultText: "every MLP and the logits",
  },
  memory: memoryOption(),
} as const satisfies AnalysisOptions;

const OPTIONS = { ...answersOptions, ...PATH_PATCHING_OPTIONS } as const;

/**
 * The options of `measurePathPatching`. The clean input is run; along the paths, senders write what they write in the run
 * on the corrupted one.
 */
export type MeasurePathPatchingOptions = GivenOptions<typeof OPTIONS> &
  Pick<RunsOptions, "clean" | "corrupted" | "metric" | "prependBos">;

/** A path and the metric with it patched. */
export interface PathPatchingRow {
  readonly sender: Sender;
  readonly receiver: Receiver;
  readonly patched: number;
  /** The share of the clean run's distance from the corrupted one that is lost: 0 none, 1 all of it. */
  readonly lost: number;
}

/** The result of `measurePathPatching`: a row for each path. */
export interface PathPatchingMeasurement extends Measured<PathPatchingRow> {
  readonly senders: readonly Sender[];
  readonly receivers: readonly Receiver[];
  /** The metric along each path, `[sender receiver]`: with that one path patched; NaN where the receiver does not come after the sender. */
  readonly values: Tensor;
  /** The metric of the clean run, without patching. */
  readonly clean: number;
  /** The metric of the corrupted run. */
  readonly corrupted: number;
}

/**
 * Patches each direct path from a sender to a receiver separately, and measures. Norms are recomputed on what the
 * receiver reads; all other components read the unchanged stream, except for what comes through the receiver.
 *
 * All paths to one kind of input of a layer run side by side, and what is before that layer is computed once.
 * @throws ArgumentError for a component that the model lacks; UnknownNameError for an unknown name; ShapeError if the
 * inputs differ in shape, or the metric is not one number per run.
 */
export async function measurePathPatching(
  model: Model,
  options: MeasurePathPatchingOptions = {},
): Promise<PathPatchingMeasurement> {
  const asked = settled("measurePathPatching", model, options, OPTIONS, READ);
  const { signal, onProgress, memory = passBytes(model) } = asked;
  const runs = await readRuns("measurePathPatching", model, asked, signal);
  const { metric } = runs;
  const senders = (asked.senders ?? allSenders(model)).map((name) => sending(name as Sender, model));
  const receivers = (asked.receivers ?? mlpsAndLogits(model)).map((name) => receiving(name as Receiver, model));
  if (senders.length === 0 || receivers.length === 0) {
    throw new ArgumentError("A path goes from a sender to a receiver: name at least one of each.");
  }
  const { start, source, bounds } = passes(model, runs);
  const isWhole = !startsAtLayers(model);
  const layers = isWhole ? [] : [...new Set(receivers.map(({ layer }) => layer))];
  const differences = senders.map((sender) =>
    sent(source, sender, model)
      .sub(sent(start, sender, model))
      .unsqueeze(0, "sender"),
  );
  const [baseline, sourceMetric, deltas, ...streams] = await model.compute(
    [
      oneNumber(measured(metric, start), start.output),
      oneNumber(measured(metric, source), source.output),
      differences.length === 1 ? differences[0] : Tensor.apply("concat", differences, { axis: -4 }),
      ...layers.map((layer) => start.at(`blocks.${layer}.hook_resid_pre`)),
    ],
    { signal },
  );

  const values = new Float32Array(senders.length * receivers.length).fill(Number.NaN);
  const groups = byPoint(senders, receivers);
  const total = groups.reduce((sum, { paths }) => sum + paths.length, 0);
  let done = 0;
  const sessions = new KeptSessions(model.engine, memory);
  for (const { point, layer, paths } of groups) {
    const from = isWhole ? start : model.graph(streams[layers.indexOf(layer)], { ...bounds, startAtLayer: layer });
    const graph = from.readyFor([point]);
    const clean = measured(metric, graph);
    const patched = keptOnce((from, to) => {
      const some = paths.slice(from, to);
      const edited = graph.with([[point, (x) => x.add(delta(deltas, some, x))]]);
      return [oneForEach(edited.follow(clean), edited.output, "path", some.length)];
    });
    const { together, planned } = rowsThatFit(patched, paths.length, memory);
    await sessions.room(planned, patched(0, together));
    for (let from = 0; from < paths.length; from += together) {
      const some = paths.slice(from, from + together);
      const [found] = await model.compute(patched(from, from + some.length), { signal });
      some.forEach(({ sender, receiver }, i) => {
        values[sender * receivers.length + receiver] = found.data[i];
      });
      done += some.length;
      onProgress?.({ done, total, unit: "paths" });
    }
  }
  const shape = [senders.length, receivers.length];
  const [clean, corrupted] = [baseline.item(), sourceMetric.item()];
  const rows = senders.flatMap((sender, s) =>
    receivers.flatMap((receiver, r): PathPatchingRow[] => {
      const patched = values[s * receivers.length + r];
      if (Number.isNaN(patched)) return [];
      const lost = roundedToLogits((clean - patched) / (clean - corrupted));
      return [{ sender: sender.name, receiver: receiver.name, patched, lost }];
    }),
  );
  return Measured.of(rows, {
    senders: senders.map(({ name }) => name),
    receivers: receivers.map(({ name }) => name),
    values: Tensor.leaf(ndarray("float32", shape, values), ["sender", "receiver"]),
    clean,
    corrupted,
  });
}

const READ: OptionKinds<Pick<RunsOptions, "clean" | "corrupted" | "metric" | "prependBos">> = {
  clean: RUNS.clean,
  corrupted: RUNS.corrupted,
  metric: RUNS.metric,
  prependBos: RUNS.prependBos,
};

function mlpsAndLogits(model: Model): Receiver[] {
  const { readers } = components(model);
  return readers.filter(({ head }) => head === undefined).map(({ name }) => name);
}

/** The two passes, and what a pass that starts within the first one needs. @throws ShapeError */
function passes(model: Model, { clean, corrupted, read }: Runs) {
  const [base, other] = [clean, corrupted].map((given) =>
    prepareInput(given, { prependBos: read.prependBos }, model.cfg, model.text),
  );
  if (base.tokens.shape.join() !== other.tokens.shape.join()) {
    throw new ShapeError(
      `Path patching copies position by position, but the clean input is ${showShape(base.tokens)} and the corrupted one ${showShape(other.tokens)}: use prompts of equal length.`,
      { asked: base.tokens.shape, found: other.tokens.shape },
    );
  }
  return {
    start: model.graph(base.tokens, { attentionMask: base.attentionMask }),
    source: model.graph(other.tokens, { attentionMask: other.attentionMask }),
    bounds: base,
  };
}

/** A path by its sender's and receiver's places in their lists. */
interface PathAt {
  readonly sender: number;
  readonly receiver: number;
  readonly head: number | undefined;
}

/** The paths that exist, those to one hook point together. */
function byPoint(senders: readonly Writer[], receivers: readonly Reader[]) {
  const groups = new Map<string, { readonly point: string; readonly layer: number; readonly paths: PathAt[] }>();
  for (const [receiver, to] of receivers.entries()) {
    const { point, layer, head } = to;
    const group = groups.get(point) ?? { point, layer, paths: [] };
    for (const [sender, from] of senders.entries()) {
      if (hears(to, from)) group.paths.push({ sender, receiver, head });
    }
    if (group.paths.length > 0) groups.set(point, group);
  }
  return [...groups.values()];
}

/** What is added to what the receivers of one point read, [path batch pos d_model] or [path batch pos head d_model]. */
function delta(deltas: Tensor, paths: readonly PathAt[], x: Tensor): Tensor {
  const index = Int32Array.from(paths, ({ sender }) => sender);
  const chosen = deltas.gather(0, Tensor.leaf(ndarray("int32", [index.length], index), ["path"]));
  const heads = paths.map(({ head }) => head).filter((head) => head !== undefined);
  return heads.length > 0 ? toHeads(chosen, heads, x) : chosen;
}

/** Vectors [path batch pos d_model], each only to its path's head: [path batch pos head d_model]. */
function toHeads(vectors: Tensor, heads: readonly number[], x: Tensor): Tensor {
  const count = x.shape.at(-2)!;
  const mine = new Float32Array(heads.length * count);
  heads.forEach((head, i) => {
    mine[i * count + head] = 1;
  });
  const lead = vectors.shape.length === 3 ? [] : [heads.length];
  const mask = Tensor.leaf(ndarray("float32", [...lead, 1, 1, count, 1], mine));
  return vectors.unsqueeze(-2, x.axes.at(-2)).mul(mask);
}
