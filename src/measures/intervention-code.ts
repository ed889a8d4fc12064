/** The code that makes changes of a run, to copy. */
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import { TEXT } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import { pythonOf, typescriptOf } from "./interventions/code.ts";
import type { GivenIntervention } from "./interventions/options.ts";
import { checkChanges, settledIntervention } from "./interventions.ts";

/** Programs that run a prompt with changes. Each has the next token's logits in `logits`. */
export interface InterventionCode {
  /** For this package. */
  readonly typescript: string;
  /** For TransformerLens 2.18. */
  readonly python: string;
}

/** How a model is called in code. */
export interface InterventionCodeOptions {
  /** What it is opened by. Default: its own name. */
  readonly name?: string | undefined;
}

const OPTIONS: OptionKinds<InterventionCodeOptions> = { name: TEXT };

/**
 * The code that runs a prompt with changes: what `interventionHooks` does, written by hand.
 *
 *     const { typescript, python } = interventionCode(model, prompt, [{ what: "head", layer: 0, head: 3, by: "mean" }]);
 *
 * @throws ArgumentError for a change that the model does not have
 */
export function interventionCode(
  model: HookedTransformer,
  prompt: string,
  changes: readonly GivenIntervention[],
  options: InterventionCodeOptions = {},
): InterventionCode {
  checkChanges("interventionCode", model, prompt, changes);
  checkOptions("interventionCode", options, OPTIONS);
  const { name = model.cfg.modelName } = options;
  const run = { model: name, prompt, changes: changes.map((change) => settledIntervention(model, change)) };
  return { typescript: typescriptOf(run), python: pythonOf(run) };
}
