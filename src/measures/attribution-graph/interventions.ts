/** What a model does with features held at other values, and with as much of the rest held as is asked for. */
import { Rewrite } from "../../graph/rewrite/rewrite.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { ArgumentError } from "../../tensor/errors.ts";
import type { TracedRun } from "./edges.ts";
import type { FeatureChange } from "./features.ts";
import type { At } from "./linear-pass.ts";

/** What stays as it was in the run. */
export interface Held {
  /**
   * Layers whose MLPs write what they wrote; features are then compared with their activations of the run, and what they change
   * reaches these layers alone. `"all"` holds the norms' denominators too, so that nothing but edges carries a change.
   */
  readonly constrainedLayers?: "all" | readonly number[] | undefined;
  /** Whether patterns of attention stay; they do if any layer is constrained. Default: true. */
  readonly freezeAttention?: boolean | undefined;
}

/** A run with features changed. */
export interface ChangedRun {
  /** [1 pos d_vocab] */
  readonly logits: Tensor;
  /** Pre-activations by layer, [1 pos feature] each. */
  readonly preActivations: readonly Tensor[];
  /** What logits read, [1 pos d_model]. */
  readonly at: At;
}

/**
 * The pass with features held at other values: what they write changes by what the value is more than their activation, in the
 * direction in which they write. The model's own MLPs run where they are not held. Of two values for one feature the last counts.
 *
 * Source: circuit-tracer's `feature_intervention`; its documentation says that norms are frozen with attention, which its code does not do.
 * @throws ArgumentError for a feature that does not exist
 */
export function changedRun(run: TracedRun, changes: readonly FeatureChange[], held: Held = {}): ChangedRun {
  const { graph, features, model } = run;
  const { constrainedLayers, freezeAttention = true } = held;
  const all = Array.from({ length: features.writings.length }, (_, layer) => layer);
  const constrained = constrainedLayers === "all" ? all : constrainedLayers;
  const beyond = constrained?.find((layer) => layer >= all.length);
  if (beyond !== undefined) {
    throw new ArgumentError(`There is no layer ${beyond} to constrain: layers go from 0 to ${all.length - 1}.`, {
      asked: beyond,
      found: all.length,
    });
  }
  const isHeld = (name: string) =>
    name.endsWith("hook_pattern") ? freezeAttention || constrained !== undefined : constrainedLayers === "all";
  const last = lastOfEach(run, changes);
  const rewrite = new Rewrite();
  for (const [name, value] of run.held) if (isHeld(name)) rewrite.replace(graph.at(name), value);
  const at: At = (point) => rewrite.get(point);
  features.writings.forEach(({ point }, layer) => {
    const isConstrained = constrained?.includes(layer) ?? false;
    const value = isConstrained ? features.heldAt(layer, at) : at(point);
    const isReached = constrained === undefined || isConstrained;
    rewrite.replace(point, isReached ? features.changed(layer, value, last, constrained ? undefined : at) : value);
  });
  const layers = all.filter((layer) => layer < model.cfg.nLayers);
  return { logits: at(graph.output), preActivations: layers.map((layer) => features.preActivations(layer, at)), at };
}

/** The last change of each feature. @throws ArgumentError for one that does not exist */
function lastOfEach({ features, embedded }: TracedRun, changes: readonly FeatureChange[]): FeatureChange[] {
  const [layers, length] = [features.writings.length, embedded.shape[1]];
  for (const change of changes) {
    const sizes = { layer: layers, pos: length, feature: features.perLayer } as const;
    for (const [name, size] of Object.entries(sizes)) {
      const asked = change[name as keyof typeof sizes];
      if (Number.isInteger(asked) && asked >= 0 && asked < size) continue;
      throw new ArgumentError(
        `There is no feature ${change.feature} of layer ${change.layer} at position ${change.pos}: ${name} goes from 0 to ${size - 1}.`,
        { asked: change, found: size },
      );
    }
  }
  const byPlace = new Map(changes.map((change) => [`${change.layer} ${change.pos} ${change.feature}`, change]));
  return [...byPlace.values()];
}
