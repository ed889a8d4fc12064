/** Changes of a run as plain data, for forms and links: each is made into a hook. */
import type { Tensor } from "../graph/tensor.ts";
import { checkModel } from "../lens/check.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import type { Hook } from "../lens/hooks.ts";
import { checkGiven, settle } from "../options/settle.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { listOf, OBJECT, SIGNAL, TEXT } from "../tensor/kinds.ts";
import { checkArgument, checkOptions, type OptionKinds } from "../tensor/options.ts";
import { type GivenIntervention, INTERVENTION_OPTIONS, type Intervention } from "./interventions/options.ts";
import { placeOf } from "./interventions/place.ts";

/** A change, checked and with its defaults. @throws ArgumentError for one that the model does not have, or that lacks a part */
export function settledIntervention(model: HookedTransformer, given: GivenIntervention): Intervention {
  checkGiven("an intervention", given, INTERVENTION_OPTIONS, {});
  const change = settle(given, INTERVENTION_OPTIONS, { model });
  const need = (name: "head" | "neuron" | "from", what: string) => {
    if (change[name] !== undefined && change[name] !== "") return;
    throw new ArgumentError(`An intervention ${what} needs \`${name}\`.`, { asked: given, nearest: name });
  };
  if (change.what === "head") need("head", "on a head");
  if (change.what === "neuron") need("neuron", "on a neuron");
  if (change.by === "patch") need("from", "that patches");
  if (change.by === "add") need("from", "that adds a direction");
  return change;
}

/** @throws ArgumentError unless they are a model, a text, and a list of objects */
export function checkChanges(of: string, model: unknown, prompt: unknown, changes: unknown): void {
  checkModel(of, model);
  checkArgument(`The prompt of ${of}`, prompt, TEXT);
  checkArgument(`The changes of ${of}`, changes, listOf(OBJECT, "changes, each an object"));
}

/** How the runs go that changes are made of. */
export interface InterventionRunOptions {
  /** Ends them early. */
  readonly signal?: AbortSignal | undefined;
}

const RUN: OptionKinds<InterventionRunOptions> = { signal: SIGNAL };

/**
 * Hooks that make the changes, in their order. What they put in comes from runs that nothing was changed in: with `mean` the mean over all
 * positions of the prompt; with `patch` the values of another prompt at the same positions; with `add` the difference of two prompts at
 * their last positions. In a generation, changes of one position and patches are made while the prompt is read, all others at every step.
 *
 *     const fwdHooks = await interventionHooks(model, prompt, [{ what: "head", layer: 0, head: 3, by: "mean" }]);
 *     const logits = await model.runWithHooks(prompt, { fwdHooks });
 *
 * @param prompt the prompt that will be run: means are over it, and patches need another of its length
 * @throws ArgumentError for a change that the model does not have, or a patch from a prompt of another length
 */
export async function interventionHooks(
  model: HookedTransformer,
  prompt: string,
  changes: readonly GivenIntervention[],
  options: InterventionRunOptions = {},
): Promise<Hook[]> {
  return (await placedChanges("interventionHooks", model, prompt, changes, options)).map(
    ({ point, once, replaced }): Hook => [point, (x, { step }) => (once && (step ?? 0) > 0 ? undefined : replaced(x))],
  );
}

/**
 * The model with the changes in it, as another model on the same weights: every run of it has them, and whatever reads, patches or
 * differentiates its values finds them changed. So an analysis of it is one of the changed run.
 *
 *     const changed = await changedModel(model, prompt, [{ what: "mlp", layer: 0 }]);
 *     const finding = await logitLens(changed, { prompt });
 *
 * A run without the position of a change is not changed there; a patch of all positions is made at the prompt's, and not in shorter runs.
 * @throws ArgumentError as `interventionHooks`
 */
export async function changedModel(
  model: HookedTransformer,
  prompt: string,
  changes: readonly GivenIntervention[],
  options: InterventionRunOptions = {},
): Promise<HookedTransformer> {
  const placed = await placedChanges("changedModel", model, prompt, changes, options);
  return placed.reduce((changed, { point, replaced }) => changed.splice(point, replaced), model);
}

/** A change with what it puts in. */
interface PlacedChange {
  readonly point: string;
  /** Whether it belongs to positions of the prompt, so that later steps of a generation have none. */
  readonly once: boolean;
  /** What replaces the whole value. */
  readonly replaced: (x: Tensor) => Tensor;
}

async function placedChanges(
  of: string,
  model: HookedTransformer,
  prompt: string,
  changes: readonly GivenIntervention[],
  options: InterventionRunOptions,
): Promise<PlacedChange[]> {
  checkChanges(of, model, prompt, changes);
  checkOptions(of, options, RUN);
  const placed: PlacedChange[] = [];
  for (const given of changes) {
    const change = settledIntervention(model, given);
    const { position } = change;
    const { point, where } = placeOf(change);
    const { value, length = 0 } = await replacementOf(model, prompt, change, options.signal);
    // What it needs of a run's positions; a patch of all positions has an end of its own.
    const least = position === undefined ? length : position + 1;
    const within = position === undefined && length > 0 ? { ...where, pos: { start: 0, end: length } } : where;
    placed.push({
      point,
      once: position !== undefined || change.by === "patch",
      replaced: (x) => {
        if (x.shape[1] < least) return x;
        const made = value(x);
        if (Object.keys(within).length > 0) return x.set(within, made);
        return (typeof made === "number" ? x.constant(made) : made).expandLike(x);
      },
    });
  }
  return placed;
}

interface Replacement {
  readonly value: (x: Tensor) => Tensor | number;
  /** At how many positions it is known; all by default. */
  readonly length?: number;
}

/** What stands in the place of a value. */
async function replacementOf(
  model: HookedTransformer,
  prompt: string,
  change: Intervention,
  signal: AbortSignal | undefined,
): Promise<Replacement> {
  const { by, factor = 1, from = "", against } = change;
  const { point } = placeOf(change);
  const valuesOf = async (text: string) => {
    const [, cache] = await model.runWithCache(text, { namesFilter: point, returnType: null, signal });
    return cache.get(point);
  };
  switch (by) {
    case "zero":
      return { value: () => 0 };
    case "scale":
      return { value: (x) => x.mul(factor) };
    case "mean": {
      const mean = await (await valuesOf(prompt)).mean(["batch", "pos"], true).compute();
      return { value: () => mean };
    }
    case "patch":
      return patchOf(await valuesOf(from), change, model.toTokens(prompt).shape[1]);
    default: {
      const last = async (text: string) => (await valuesOf(text)).at({ pos: [-1] });
      const to = await last(from);
      const direction = await (against ? to.sub(await last(against)) : to).compute();
      return { value: (x) => x.add(direction.mul(factor)) };
    }
  }
}

/** The other prompt's value: at one position, or at all of them if there are as many. @param length of the prompt, in tokens */
function patchOf(other: Tensor, { from, position }: Intervention, length: number): Replacement {
  const [, found] = other.shape;
  if (position === undefined && length !== found) {
    throw new ArgumentError(
      `The prompt has ${length} tokens, and ${JSON.stringify(from)} has ${found}: patch one position, or from a prompt of the same length.`,
      { asked: length, found },
    );
  }
  if (position === undefined) {
    // A longer run has the other's values at the prompt's positions; what stands behind them is not written.
    const places = (count: number) => Array.from({ length: count }, (_, i) => Math.min(i, found - 1));
    return { value: (x) => other.at({ pos: places(x.shape[1]) }), length };
  }
  if (position < found) return { value: () => other.at({ pos: [position] }) };
  throw new ArgumentError(`There is no position ${position} in ${JSON.stringify(from)}, which has ${found} tokens.`, {
    asked: position,
    found,
  });
}
