/** Changes of a run as plain data, for forms and links: each is made into a hook. */
import type { Tensor } from "../graph/tensor.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import type { Hook } from "../lens/hooks.ts";
import { checkGiven, settle } from "../options/settle.ts";
import { ArgumentError } from "../tensor/errors.ts";
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

/**
 * Hooks that make the changes, in their order. What they put in comes from runs that nothing was changed in: with `mean` the mean over all
 * positions of the prompt; with `patch` the values of another prompt at the same positions; with `add` the difference of two prompts at
 * their last positions. In a generation, changes of one position and patches are made while the prompt is read, all others at every step.
 * @throws ArgumentError for a change that the model does not have, or a patch from a prompt of another length
 */
export async function interventionHooks(
  model: HookedTransformer,
  prompt: string,
  changes: readonly GivenIntervention[],
  signal?: AbortSignal,
): Promise<Hook[]> {
  const hooks: Hook[] = [];
  for (const given of changes) {
    const change = settledIntervention(model, given);
    const { point, where } = placeOf(change);
    const value = await replacementOf(model, prompt, change, signal);
    const { position, by } = change;
    hooks.push([
      point,
      (x, { step }) => {
        if ((position !== undefined || by === "patch") && (step ?? 0) > 0) return undefined;
        const made = value(x);
        return Object.keys(where).length > 0 ? x.set(where, made) : x.mul(0).add(made);
      },
    ]);
  }
  return hooks;
}

/** What stands in the place of a value. */
async function replacementOf(
  model: HookedTransformer,
  prompt: string,
  change: Intervention,
  signal: AbortSignal | undefined,
): Promise<(x: Tensor) => Tensor | number> {
  const { by, factor = 1, from = "", against } = change;
  const { point } = placeOf(change);
  const valuesOf = async (text: string) => {
    const [, cache] = await model.runWithCache(text, { namesFilter: point, returnType: null, signal });
    return cache.get(point);
  };
  switch (by) {
    case "zero":
      return () => 0;
    case "scale":
      return (x) => x.mul(factor);
    case "mean": {
      const mean = await (await valuesOf(prompt)).mean(["batch", "pos"], true).compute();
      return () => mean;
    }
    case "patch": {
      const other = await valuesOf(from);
      return (x) => patched(x, other, from, change.position);
    }
    default: {
      const last = async (text: string) => (await valuesOf(text)).at({ pos: [-1] });
      const to = await last(from);
      const direction = await (against ? to.sub(await last(against)) : to).compute();
      return (x) => x.add(direction.mul(factor));
    }
  }
}

/** The other prompt's value: at one position, or at all of them if there are as many. */
function patched(x: Tensor, other: Tensor, from: string, position: number | undefined): Tensor {
  const [length, found] = [x, other].map(({ shape }) => shape[1]);
  if (position === undefined && length !== found) {
    throw new ArgumentError(
      `The prompt has ${length} tokens, and ${JSON.stringify(from)} has ${found}: patch one position, or from a prompt of the same length.`,
      { asked: length, found },
    );
  }
  if (position === undefined) return other;
  if (position < found) return other.at({ pos: [position] });
  throw new ArgumentError(`There is no position ${position} in ${JSON.stringify(from)}, which has ${found} tokens.`, {
    asked: position,
    found,
  });
}
