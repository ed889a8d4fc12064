/** "Which heads, layers, neurons or positions does the model need?" */

import { COMPONENT, HEAD, LAYER, NEURON, POS, PROMPT, TOKEN } from "../finding/columns.ts";
import { type Baseline, type Finding, finding, type Method, type Statement } from "../finding/finding.ts";
import { as, type Cell, column, type Table, tableOf } from "../finding/table.ts";
import type { View } from "../finding/view.ts";
import type { Model } from "../lens/model.ts";
import { ABLATION_OPTIONS, type AblationKind } from "../measures/ablation/options.ts";
import { type AblationMeasurement, type AblationRow, measureAblation } from "../measures/ablation.ts";
import { NOTEBOOK_PROMPTS, NOTEBOOK_PROMPTS_NOTE } from "../measures/notebook-prompts.ts";
import { type AnalysisOptions, type GivenOptions, settled, topOption } from "../measures/options.ts";
import { tokenText } from "../measures/prompt.ts";
import { quoted, signed } from "../tensor/words.ts";
import { analysis } from "./analysis.ts";
import { modelFacts } from "./model-facts.ts";
import { CAUSAL_SCRUBBING, IOI } from "./papers.ts";
import { typicalBaseline } from "./typical.ts";

/** The options of `ablation`. */
export type AblationOptions = GivenOptions<typeof OPTIONS>;

const QUESTION = "Which heads, layers, neurons or positions does the model need?";
const CLEAN = "nothing ablated";
/** One of each kind, and the name of the baseline that effects are compared with. */
const ONE = { heads: "head", layers: "layer", neurons: "neuron", positions: "position" } as const;
const randomOne = (over: AblationKind) => `random ${ONE[over]}`;
/** The most texts that are drawn as tokens, and how many neurons are named in their picture. */
const [MOST_TEXTS, NAMED] = [60, 6];

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
  const ranked = measured.top(measured.length, ({ effect }) => Math.abs(effect)).rows;
  const { over, by, layer } = measured;
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
      ...{ over, by, ...(over === "neurons" || over === "positions" ? { layer: layer! } : {}) },
      measure: texts ? `logit of ${texts.join(" over ")}` : "mean loss",
      prompts: notebook ? `the notebook's ${prompts.length}` : prompts.length,
      ...(measured.by === "resample" ? { seed: measured.seed! } : {}),
      top,
    },
    pictures: [picture(measured)],
    tables: tables(measured, ranked, top),
    baselines: baselines(measured, what),
    caveats: [...(notebook ? [NOTEBOOK_PROMPTS_NOTE] : []), ...caveats(measured), ...model.notes],
  });
}

/** The ablation with the largest effect. */
function largest(
  { component, prompt, pos, token, effect }: AblationRow,
  what: string,
  { unit, over }: AblationMeasurement,
): Statement {
  const at = token === undefined ? "" : ` at ${quoted(token)} (prompt ${prompt}, position ${pos})`;
  return {
    text: `${component}${at} matters most: ablating it changes ${what} by ${signed(effect)} ${unit}.`,
    figure: { value: effect, unit, comparedWith: [randomOne(over)] },
  };
}

/** How many of all the ablations hurt. */
function harmful({ rows, unit, over }: AblationMeasurement): Statement {
  const worse = rows.filter(({ effect }) => (unit === "nats" ? effect > 0 : effect < 0)).length;
  return {
    text: `Ablating hurts for ${worse} of ${rows.length} ${over === "positions" ? "positions' outputs" : over}.`,
    figure: { value: (100 * worse) / rows.length, unit: "%", comparedWith: [randomOne(over)] },
  };
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

function baselines({ over, unit, rows, clean }: AblationMeasurement, what: string): Baseline[] {
  const says = `The effect of ablating a ${ONE[over]} drawn at random`;
  const effects = rows.map(({ effect }) => effect);
  return [
    { ...typicalBaseline(randomOne(over), says, effects), kind: "null model", unit },
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

/** @param ranked all effects, the largest first */
function tables(measured: AblationMeasurement, ranked: readonly AblationRow[], top: number): Table[] {
  const { over, unit, clean, rows } = measured;
  const label = as(COMPONENT, {
    title: over === "positions" ? "output of" : ONE[over],
    description: "What was ablated.",
  });
  const change = unit === "nats" ? "Mean loss" : "Logit difference";
  const effect = column("effect", `${change} with it ablated, minus without the ablation.`, { unit, digits: 4 });
  const says = "The effect as a share of the value with nothing ablated.";
  const share = column("share", says, { title: "of clean run", format: "percent" });
  const cells: readonly Cell<AblationRow>[] =
    over === "positions"
      ? [label, ...IN_TEXT, effect]
      : [
          as(LAYER, { detail: true }),
          WHICH[over],
          label,
          effect,
          ...(clean === 0 ? [] : [[share, (row: AblationRow) => row.effect / Math.abs(clean)] as const]),
        ];
  const largest = ranked.slice(0, top);
  const title = `The ${largest.length} largest effects`;
  return [
    tableOf({ name: "top", title, comparedWith: [randomOne(over)] }, largest, cells),
    tableOf({ name: "all", title: "All", detail: true }, over === "neurons" ? ranked : rows, cells),
  ];
}

/** Which position. */
const IN_TEXT: readonly Cell<AblationRow>[] = [
  [PROMPT, ({ prompt = 0 }) => prompt],
  [POS, ({ pos = 0 }) => pos],
  [TOKEN, ({ token = "" }) => token],
];
/** Which of a layer's heads, neurons or parts. */
const WHICH: Readonly<Record<Exclude<AblationKind, "positions">, Cell<AblationRow>>> = {
  heads: [as(HEAD, { detail: true }), ({ head = null }) => head],
  neurons: [as(NEURON, { detail: true }), ({ d_mlp = null }) => d_mlp],
  layers: [
    column("part", "The layer's attention or its MLP.", { format: "text", detail: true }),
    ({ part = null }) => part,
  ],
};

function picture({ over, unit, layer, prompts }: AblationMeasurement): View {
  const base = { name: "effects", table: "all" };
  const effect = { column: "effect", label: unit === "nats" ? "loss change" : "logit difference change" };
  if (over === "positions") {
    const note = prompts.length > MOST_TEXTS ? ` The first ${MOST_TEXTS} of ${prompts.length} prompts are shown.` : "";
    return {
      ...{ ...base, kind: "tokens", title: `What ablating layer ${layer} at each token does` },
      caption: `The change in the ${unit === "nats" ? "mean loss of the prompt" : "difference between the answers' logits after it"}.${note}`,
      ...{ text: PROMPT.name, token: TOKEN.name, rows: [effect], by: COMPONENT.name, most: MOST_TEXTS },
    };
  }
  if (over === "neurons") {
    return {
      ...{ ...base, kind: "scatter", title: `What ablating each neuron of layer ${layer} does` },
      caption: `Each point is a neuron; the ${NAMED} furthest from 0 are named.`,
      ...{ x: NEURON.name, y: effect, label: COMPONENT.name, labels: NAMED },
      references: [{ kind: "y", at: 0, label: "no effect" }],
    };
  }
  return {
    ...{ ...base, kind: "imshow" },
    title: `What ablating each ${over === "heads" ? "head" : "layer's attention or MLP"} does`,
    caption:
      unit === "nats"
        ? "Positive: the loss rises, so it is needed."
        : "Negative: the answer's lead shrinks, so it is needed.",
    ...{ x: over === "heads" ? HEAD.name : { column: "part", label: "" }, y: LAYER.name, color: effect },
  };
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
