/** "Which heads, layers, neurons or positions does the model need?" */

import { type Baseline, type Finding, finding, type Method, type Statement } from "../finding/finding.ts";
import type { Scalar } from "../finding/table.ts";
import type { Model } from "../lens/model.ts";
import { ABLATION_OPTIONS } from "../measures/ablation/options.ts";
import { type Ablated, type AblationMeasurement, measureAblation } from "../measures/ablation.ts";
import { NOTEBOOK_PROMPTS, NOTEBOOK_PROMPTS_NOTE } from "../measures/notebook-prompts.ts";
import { type AnalysisOptions, type GivenOptions, settled, topOption } from "../measures/options.ts";
import { tokenText } from "../measures/prompt.ts";
import { middle } from "../measures/statistics/middle.ts";
import { quoted, signed } from "../tensor/words.ts";
import { ablationPicture } from "./ablation/pictures.ts";
import { ablationTables } from "./ablation/tables.ts";
import { ONE, randomOne } from "./ablation/words.ts";
import { analysis } from "./analysis.ts";
import { modelFacts } from "./model-facts.ts";
import { CAUSAL_SCRUBBING, IOI } from "./papers.ts";

/** The options of `ablation`. */
export type AblationOptions = GivenOptions<typeof OPTIONS>;

const QUESTION = "Which heads, layers, neurons or positions does the model need?";
const CLEAN = "nothing ablated";

const METHODS = {
  zero: "zero",
  mean: "its mean over all tokens of all prompts",
  resample: "its value at a token drawn at random from all prompts, a different one for each",
} as const;

/**
 * Ablates each head, layer, neuron or position on its own and measures what that does to the mean loss, or to the
 * difference of two answers' logits, compared with ablating a random one of the same kind.
 * @throws InputError for prompts without a token to predict; ArgumentError for a layer that does not exist, an answer
 * without the other one, or neurons of a model that has none.
 */
export async function ablation(model: Model, options: AblationOptions = {}): Promise<Finding> {
  const { top, ...asked } = settled("ablation", model, options, OPTIONS);
  const { prompts } = asked;
  const measured = await measureAblation(model, asked);
  const ranked = [...measured.components].sort((a, b) => Math.abs(b.effect) - Math.abs(a.effect));
  const notebook = prompts === NOTEBOOK_PROMPTS;
  const texts = measured.answers?.map((id) => quoted(tokenText(model, id)));
  const what = texts ? `the logit of ${texts[0]} over ${texts[1]}` : "the mean loss";
  return finding({
    analysis: "ablation",
    question: QUESTION,
    summary: [largest(ranked[0], what, measured), harmful(measured)],
    method: method(measured, what),
    model: modelFacts(model),
    settings: {
      ...settings(measured),
      measure: texts ? `logit of ${texts.join(" over ")}` : "mean loss",
      prompts: notebook ? `the notebook's ${prompts.length}` : prompts.length,
      ...(measured.by === "resample" ? { seed: measured.seed! } : {}),
      top,
    },
    pictures: [ablationPicture(measured)],
    tables: ablationTables(measured, ranked, top),
    baselines: baselines(measured, what),
    caveats: [...(notebook ? [NOTEBOOK_PROMPTS_NOTE] : []), ...caveats(measured), ...model.notes],
  });
}

/** The ablation with the largest effect. */
function largest(component: Ablated, what: string, measured: AblationMeasurement): Statement {
  const { unit, over } = measured;
  return {
    text: `${placed(component, measured)} matters most: ablating it changes ${what} by ${signed(component.effect)} ${unit}.`,
    figure: { value: component.effect, unit, comparedWith: [randomOne(over)] },
  };
}

/** How many of all the ablations hurt. */
function harmful({ components, unit, over }: AblationMeasurement): Statement {
  const worse = components.filter(({ effect }) => (unit === "nats" ? effect > 0 : effect < 0)).length;
  const share = worse / components.length;
  return {
    text: `Ablating hurts for ${worse} of ${components.length} ${over === "positions" ? "positions' outputs" : over}.`,
    figure: { value: 100 * share, unit: "%", comparedWith: [randomOne(over)] },
  };
}

function placed({ name, prompt, pos }: Ablated, { prompts }: AblationMeasurement): string {
  if (prompt === undefined || pos === undefined) return name;
  return `${name} at ${quoted(prompts[prompt][pos])} (prompt ${prompt}, position ${pos})`;
}

function method({ over, by, layer }: AblationMeasurement, what: string): Method {
  return {
    text: `Each ${ONE[over]} on its own is replaced by ${METHODS[by]}, and ${what} is measured again; the effect is the difference from the run with nothing ablated. ${
      over === "positions"
        ? `A position is ablated in the output of layer ${layer}'s attention or MLP, each prompt separately.`
        : "All prompts run as one batch, and all ablations of a layer side by side; padding is left out of every mean."
    }`,
    references: [{ ...IOI, paper: "Wang et al., 2022: mean ablation and knockouts" }, CAUSAL_SCRUBBING],
  };
}

function settings({ over, by, layer }: AblationMeasurement): Record<string, Scalar> {
  return { over, by, ...(over === "neurons" || over === "positions" ? { layer: layer! } : {}) };
}

function baselines({ over, unit, components, clean }: AblationMeasurement, what: string): Baseline[] {
  const { median, interval, level } = middle(components.map(({ effect }) => effect));
  return [
    {
      name: randomOne(over),
      kind: "null model",
      text: `The effect of ablating a ${ONE[over]} drawn at random: the median of all ${components.length}, and ${level === 1 ? "their range" : `the middle ${Math.round(100 * level)} % of them`}.`,
      value: median,
      unit,
      interval,
      level,
      samples: components.length,
    },
    { name: CLEAN, kind: "control", text: `With nothing ablated: ${what}.`, value: clean, unit },
  ];
}

const CAVEATS_BY = {
  zero: "Zero may be far from any value that the model ever has there, so the damage may come from that and not from what is missing.",
  mean: "The mean keeps what is the same for every token, so the effect is that of what differs from token to token.",
  resample: "This is one draw: another seed gives other replacements.",
} as const;

function caveats({ over, by, unit }: AblationMeasurement): string[] {
  return [
    "A component can take part without being needed: where another can take over, ablating one alone shows little.",
    CAVEATS_BY[by],
    ...(over === "positions" && by !== "zero"
      ? ["Positions are ablated in each prompt separately, so means and draws are over the same prompt's tokens."]
      : []),
    ...(over === "positions" && unit === "nats"
      ? ["A prompt's last token has no counted prediction, so ablating it there changes nothing by construction."]
      : []),
  ];
}

const OPTIONS = { ...ABLATION_OPTIONS, top: topOption("effects") } as const satisfies AnalysisOptions;

/** `ablation` for the index. */
export const ablationAnalysis = analysis({
  name: "ablation",
  question: QUESTION,
  description:
    "Replaces each head, layer, neuron or position on its own by zero, its mean or another of its values drawn at random, and measures the loss or the difference of two answers' logits.",
  example: { over: "heads", by: "mean" },
  options: OPTIONS,
  run: ablation,
});
