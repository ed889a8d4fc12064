/** A model and its analyses, as the page needs them: plain data, from the library's own records. */
import { ANALYSES } from "../analyses/index.ts";
import { modelFacts } from "../analyses/model-facts.ts";
import type { ModelFacts } from "../finding/finding.ts";
import { GENERATION_OPTIONS } from "../lens/generate.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import { INTERVENTION_OPTIONS } from "../measures/interventions/options.ts";
import { type Field, fieldsOf } from "../options/fields.ts";

/** An analysis as a form. */
export interface DescribedAnalysis {
  readonly name: string;
  readonly question: string;
  readonly description: string;
  readonly fields: readonly Field[];
  /** Options of an example. */
  readonly example: Readonly<Record<string, unknown>>;
  /** The bundled model in which there is something to find, if it is not the usual one. */
  readonly model?: string;
}

export interface Described {
  readonly model: ModelFacts;
  /** What its files say that a reader must know. */
  readonly notes: readonly string[];
  readonly context: number;
  readonly analyses: readonly DescribedAnalysis[];
  /** The options of a continuation. */
  readonly generation: readonly Field[];
  /** The options of a change of the run. */
  readonly intervention: readonly Field[];
}

export function described(model: HookedTransformer): Described {
  return {
    model: modelFacts(model),
    notes: model.notes,
    context: model.cfg.nCtx,
    analyses: ANALYSES.map((one) => ({
      ...{ name: one.name, question: one.question, description: one.description },
      fields: fieldsOf(one.options, model),
      example: one.example as Readonly<Record<string, unknown>>,
      ...(one.model === undefined ? {} : { model: one.model }),
    })),
    generation: fieldsOf(GENERATION_OPTIONS, model),
    intervention: fieldsOf(INTERVENTION_OPTIONS, model),
  };
}
