/** "Which heads, layers, neurons or positions does the model need?" */

import { type Finding, finding, type Statement } from "../finding/finding.ts";
import type { Column, Scalar, PositionalTable as Table } from "../finding/table.ts";
import type { Model } from "../lens/model.ts";
import { quoted, signed } from "../tensor/words.ts";
import type { TokenIds } from "../text/index.ts";
import { type Ablated, type AblationMeasurement, measureAblation } from "./ablation/measure.ts";
import { ABLATION_OPTIONS } from "./ablation/options.ts";
import { ablationPictures } from "./ablation/pictures.ts";
import { analysis } from "./analysis.ts";
import { NOTEBOOK_PROMPTS, NOTEBOOK_PROMPTS_NOTE } from "./notebook-prompts.ts";
import { type GivenOptions, settled } from "./options.ts";
import { modelFacts, tokenText } from "./prompt.ts";
import { middle } from "./statistics/middle.ts";

const QUESTION = "Which heads, layers, neurons or positions does the model need?";
const CLEAN = "nothing ablated";

/** One of each kind, in words. */
const ONE = { heads: "head", layers: "layer", neurons: "neuron", positions: "position" } as const;

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
export async function ablation(
  model: Model,
  prompts: readonly (string | TokenIds)[] = NOTEBOOK_PROMPTS,
  options: GivenOptions<typeof ABLATION_OPTIONS, "prompts"> = {},
): Promise<Finding> {
  const { top, ...asked } = settled("ablation", model, options, ABLATION_OPTIONS, "prompts");
  const measured = await measureAblation(model, prompts, asked);
  const { over, by, layer, seed, unit, answers, components, clean } = measured;
  const one = ONE[over];
  const ranked = [...components].sort((a, b) => Math.abs(b.effect) - Math.abs(a.effect));
  const random = `random ${one}`;
  const spread = middle(components.map(({ effect }) => effect));
  const notebook = prompts === NOTEBOOK_PROMPTS;
  const texts = answers?.map((id) => quoted(tokenText(model, id)));
  const what = texts ? `the logit of ${texts[0]} over ${texts[1]}` : "the mean loss";
  return finding({
    analysis: "ablation",
    question: QUESTION,
    summary: [
      {
        text: `${placed(ranked[0], measured)} matters most: ablating it changes ${what} by ${signed(ranked[0].effect)} ${unit}.`,
        figure: { value: ranked[0].effect, unit, comparedWith: [random] },
      },
      ...total(measured, random),
    ],
    method: {
      text: `Each ${one} on its own is replaced by ${METHODS[by]}, and ${what} is measured again; the effect is the difference from the run with nothing ablated. ${
        over === "positions"
          ? `A position is ablated in the output of layer ${layer}'s attention or MLP, each prompt separately.`
          : "All prompts run as one batch, and all ablations of a layer side by side; padding is left out of every mean."
      }`,
      references: [
        {
          title: "Interpretability in the Wild: a Circuit for Indirect Object Identification in GPT-2 small",
          url: "https://arxiv.org/abs/2211.00593",
          paper: "Wang et al., 2022: mean ablation and knockouts",
        },
        {
          title: "Causal Scrubbing",
          url: "https://www.alignmentforum.org/posts/JvZhhzycHu2Yd57RN",
          paper: "Chan et al., 2022: resampling",
        },
      ],
    },
    model: modelFacts(model),
    settings: {
      over,
      by,
      ...(over === "neurons" || over === "positions" ? { layer } : {}),
      measure: texts ? `logit of ${texts.join(" over ")}` : "mean loss",
      prompts: notebook ? `the notebook's ${prompts.length}` : prompts.length,
      ...(by === "resample" ? { seed } : {}),
      top,
    },
    pictures: ablationPictures(measured),
    tables: [
      {
        ...table("top", `The ${Math.min(top, ranked.length)} largest effects`, ranked.slice(0, top), measured),
        comparedWith: [random],
      },
      { ...table("all", "All", components, measured), detail: true },
    ],
    baselines: [
      {
        name: random,
        kind: "null model",
        text: `The effect of ablating a ${one} drawn at random: the median of all ${components.length}, and ${spread.level === 1 ? "their range" : `the middle ${Math.round(100 * spread.level)} % of them`}.`,
        value: spread.median,
        unit,
        interval: spread.interval,
        level: spread.level,
        samples: components.length,
      },
      { name: CLEAN, kind: "control", text: `With nothing ablated: ${what}.`, value: clean, unit },
    ],
    caveats: [
      ...(notebook ? [NOTEBOOK_PROMPTS_NOTE] : []),
      "A component can take part without being needed: where another can take over, ablating one alone shows little.",
      ...(by === "zero"
        ? [
            "Zero may be far from any value that the model ever has there, so the damage may come from that and not from what is missing.",
          ]
        : []),
      ...(by === "mean"
        ? [
            "The mean keeps what is the same for every token, so the effect is that of what differs from token to token.",
          ]
        : []),
      ...(by === "resample" ? ["This is one draw: another seed gives other replacements."] : []),
      ...(over === "positions" && by !== "zero"
        ? ["Positions are ablated in each prompt separately, so means and draws are over the same prompt's tokens."]
        : []),
      ...(over === "positions" && unit === "nats"
        ? ["A prompt's last token has no counted prediction, so ablating it there changes nothing by construction."]
        : []),
      ...model.notes,
    ],
  });
}

/** How many of all the ablations hurt. */
function total({ components, unit, over }: AblationMeasurement, random: string): Statement[] {
  const worse = components.filter(({ effect }) => (unit === "nats" ? effect > 0 : effect < 0)).length;
  const share = worse / components.length;
  return [
    {
      text: `Ablating hurts for ${worse} of ${components.length} ${over === "positions" ? "positions' outputs" : over}.`,
      figure: { value: 100 * share, unit: "%", comparedWith: [random] },
    },
  ];
}

function placed({ name, prompt, pos }: Ablated, { prompts }: AblationMeasurement): string {
  if (prompt === undefined || pos === undefined) return name;
  return `${name} at ${quoted(prompts[prompt][pos])} (prompt ${prompt}, position ${pos})`;
}

function table(
  name: string,
  title: string,
  some: readonly Ablated[],
  { over, unit, clean, prompts }: AblationMeasurement,
): Table {
  const effect: Column = {
    name: "effect",
    title: "effect",
    unit,
    format: { digits: 4 },
    description: `${unit === "nats" ? "Mean loss" : "Logit difference"} with it ablated, minus without the ablation.`,
  };
  const component: Column = { name: "component", title: ONE[over], format: "text", description: "What was ablated." };
  if (over === "positions") {
    const columns: Column[] = [
      { ...component, title: "output of" },
      { name: "prompt", title: "prompt", axis: "batch", format: "integer", description: "The prompt's index, from 0." },
      { name: "pos", title: "pos", axis: "pos", format: "integer", description: "The token's position." },
      { name: "token", title: "token", format: "token", description: "The token there." },
      effect,
    ];
    const row = ({ name: of, prompt = 0, pos = 0, effect: found }: Ablated): Scalar[] => [
      of,
      prompt,
      pos,
      prompts[prompt][pos],
      found,
    ];
    return { name, title, columns, rows: some.map(row) };
  }
  const part: Column = {
    name: "part",
    title: "of clean run",
    format: "percent",
    description: "The effect as a share of the value with nothing ablated.",
  };
  return {
    name,
    title,
    columns: [component, effect, ...(clean === 0 ? [] : [part])],
    rows: some.map((c) => [c.name, c.effect, ...(clean === 0 ? [] : [c.effect / Math.abs(clean)])]),
  };
}

/** `ablation` for the index. */
export const ablationAnalysis = analysis({
  name: "ablation",
  question: QUESTION,
  description:
    "Replaces each head, layer, neuron or position on its own by zero, its mean or another of its values drawn at random, and measures the loss or the difference of two answers' logits.",
  example: "--over neurons --by zero --top 20 --out report.html",
  options: ABLATION_OPTIONS,
  run: (model, { prompts, ...options }, context) => ablation(model, prompts, { ...options, ...context }),
});
