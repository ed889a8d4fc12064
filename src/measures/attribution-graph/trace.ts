/** The run that an attribution graph is of: its numbers, what is held of it, its features, and its targets. */
import type { Tensor } from "../../graph/tensor.ts";
import type { Model } from "../../lens/model.ts";
import type { ModelGraph } from "../../lens/model-graph.ts";
import type { Prompt } from "../prompt.ts";
import type { TracedRun } from "./edges.ts";
import type { Features } from "./features.ts";
import { embeddingPoint, heldPoints, needAffine } from "./linear-pass.ts";
import { readTargets, type Target, type TargetShare } from "./targets.ts";

/** A kind of features in a pass: what of its run they need, and what they are then. */
export interface FeaturePass {
  /** What has to be computed. */
  readonly values: readonly Tensor[];
  /** The features, from what was computed. */
  features(computed: readonly Tensor[]): Features | Promise<Features>;
}

/** A kind of features. */
export interface FeatureKind {
  /** Hook points that the pass must be ready to be changed at. */
  readonly points: readonly string[];
  pass(graph: ModelGraph): FeaturePass;
}

/** What is explained. */
export interface AskedTargets extends TargetShare {
  readonly targets?: readonly Target[] | undefined;
}

/**
 * Runs the model on a prompt.
 * @param kind which features there are
 * @throws ArgumentError for a model that cannot be traced, and the errors of targets
 */
export async function traceRun(
  of: string,
  model: Model,
  prompt: Prompt,
  kind: FeatureKind,
  asked: AskedTargets,
  signal?: AbortSignal,
): Promise<TracedRun> {
  needAffine(of, model);
  const graph = model.graph(prompt.input).readyFor([...kind.points]);
  const pass = kind.pass(graph);
  const points = heldPoints(model);
  const probabilities = graph.output.at({ batch: 0, pos: -1 }).softmax();
  const values = [probabilities, embeddingPoint(model, graph), ...points.map((name) => graph.at(name)), ...pass.values];
  const computed = await model.compute(values, { signal });
  const targets = await readTargets(model, computed[0].data, asked.targets, asked, signal);
  const held = new Map(points.map((name, i) => [name, computed[2 + i]]));
  const features = await pass.features(computed.slice(2 + points.length));
  return { model, prompt, graph, held, embedded: computed[1], features, targets };
}
