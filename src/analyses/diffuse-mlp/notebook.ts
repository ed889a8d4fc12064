/** The notebook's own steps, with its numbers: the ablation effect over the outlier score, and that score before and after the norm. */
import { mean } from "simple-statistics";
import { LOSS, TOKEN } from "../../finding/columns.ts";
import type { Baseline } from "../../finding/finding.ts";
import { as, column, type Table, tableOf } from "../../finding/table.ts";
import type { View } from "../../finding/view.ts";
import { type Comparisons, grouped } from "../../measures/diffuse-mlp/comparisons.ts";
import type { Site } from "../../measures/diffuse-mlp/site.ts";
import type { DiffuseMlpMeasurement } from "../../measures/diffuse-mlp.ts";
import { percent, quoted } from "../../tensor/words.ts";
import { normViews, RANDOM_RATIO, RATIO_LIMIT, ratios } from "./norm.ts";
import {
  type Answered,
  ATTRIBUTION,
  chosenAndOthers,
  figure,
  groupBaselines,
  LOSS_CHANGE,
  NEXT_TOKEN,
  POINTS,
  pointsNote,
  pValue,
  type Result,
  SPREAD,
  TOKENS,
  textsNote,
  WHERE,
} from "./shared.ts";

const PART = {
  name: "notebook",
  title: "The notebook's own steps",
  text: "Each position is ablated on its own; the effect is divided by how far the largest activation stands out.",
};
const RANDOM_ABLATION = "ablation at random positions";

/** @param seed of the random parts */
export function notebook(measured: DiffuseMlpMeasurement, compared: Comparisons, eps: number, seed: number): Answered {
  const found = [
    notebookChoice(compared, seed),
    ...(compared.ratio ? [ratios(compared, compared.ratio, eps, seed)] : []),
    { summary: [], baselines: [randomAblation(compared, seed)] },
  ];
  return {
    part: PART,
    summary: found.flatMap(({ summary }) => summary),
    pictures: [
      ...notebookViews(measured, compared),
      ...(measured.site.norm ? normViews(compared, 1 / Math.sqrt(eps)) : []),
    ],
    tables: notebookTables(measured, compared),
    baselines: found.flatMap(({ baselines }) => baselines),
  };
}

function notebookChoice({ top, share }: Comparisons, seed: number): Result {
  const { test, bootstrap, rest } = share;
  if (!test || rest === undefined) return { summary: [], baselines: [] };
  const what = "share of the largest neuron";
  const baselines = groupBaselines("largest neuron", what, { test, bootstrap }, seed, 100, "percentage points");
  const [best] = top;
  return {
    summary: [
      {
        text:
          `The notebook's score is highest at ${quoted(best.token)} (prompt ${best.prompt}, position ${best.pos}). At its top ${top.length} the largest neuron carries ${percent(share.top)} of the attribution, ` +
          `compared with ${percent(rest)} elsewhere (${pValue(test.p)}).`,
        ...figure(100 * test.difference, "percentage points", baselines),
      },
    ],
    baselines,
  };
}

function randomAblation({ random }: Comparisons, seed: number): Baseline {
  return {
    name: RANDOM_ABLATION,
    kind: "control",
    text: `The mean ablation effect on the prompt's loss at ${random.length} random positions.`,
    ...{ value: mean(random.map((p) => p.ablation)), unit: "nats", samples: random.length, seed },
  };
}

function notebookViews(measured: DiffuseMlpMeasurement, { candidates, top }: Comparisons): View[] {
  const part = "notebook";
  return [
    {
      ...{ ...TOKENS, name: "ablation-tokens", part },
      title: "What zeroing the MLP at each token does to the prompt's loss",
      caption: `Blue: the loss rises without the MLP there. The last token of a prompt has no counted prediction, so it is always 0.${textsNote(measured)}`,
      ...{ rows: ["ablation"], hover: ["outlier", "score"] },
      ...{ marked: { top: true }, marks: `among the top ${top.length} by score` },
    },
    {
      ...{ ...POINTS, name: "ablation-outlier", part, where: { candidate: true } },
      title: "Ablation effect against inverse outlier score",
      caption: `The score is the product of the two axes, so it favours positions whose activations are small.${pointsNote(candidates.length - top.length)}`,
      ...{ x: "inverse_outlier", y: "ablation" },
      series: chosenAndOthers(top.length, { label: TOKEN.name, labels: 3, labelsBy: "score" }),
      references: [{ kind: "y", at: 0, label: "no effect" }],
    },
  ];
}

/** The notebook's own: positions by score, and drawn at random. */
function notebookTables({ site, rows }: DiffuseMlpMeasurement, compared: Comparisons): Table[] {
  const { ratio, top, random } = compared;
  const numbers = scored(site);
  return [
    tableOf(
      {
        name: "top",
        title: "The highest scores",
        caption: "Positions that matter but have no outlier, by the notebook's measure.",
        part: "notebook",
        comparedWith: [RANDOM_ABLATION, ...(ratio ? [RATIO_LIMIT, RANDOM_RATIO] : [])],
      },
      top,
      [...WHERE, ...numbers],
    ),
    tableOf(
      {
        name: "random",
        title: "Random positions",
        caption: "The same number of positions drawn at random, as in the notebook, but with a seed.",
        part: "notebook",
        ...(ratio ? { comparedWith: [RATIO_LIMIT] } : {}),
      },
      random,
      [...WHERE, ...numbers],
    ),
    tableOf({ name: "positions", title: "All positions", part: "notebook", detail: true }, grouped(rows, compared), [
      ...WHERE,
      NEXT_TOKEN,
      as(LOSS, "The next token's clean loss."),
      as(LOSS_CHANGE, { digits: 3 }),
      ...numbers,
      ATTRIBUTION,
      ...SPREAD,
      ...DETAILS,
    ]),
  ];
}

/** The notebook's numbers; those after the norm only if there is one. */
function scored({ ablated, norm }: Site) {
  const after = [
    column("outlier_after", "max − mean of mlp.ln.hook_normalized."),
    column("ratio", "Outlier score after divided by before, which is 1 / mlp.ln.hook_scale.", { digits: 2 }),
    column("eps_share", "The share of eps in hook_scale² = variance + eps.", { format: "percent" }),
  ] as const;
  return [
    column("ablation", "The prompt's mean loss with the MLP's neurons zeroed there, minus the clean mean loss.", {
      title: "ablation effect",
      unit: "nats",
    }),
    column("outlier", `max − mean of ${ablated.split(".").at(-1)}.`, { title: norm ? "outlier before" : "outlier" }),
    ...(norm ? after : []),
    column("score", "The ablation effect divided by the outlier score before the norm.", { digits: 1 }),
  ] as const;
}

const DETAILS = [
  column("bias", "What b_out adds to the next token's logit, regardless of the neurons.", {
    title: "MLP bias",
    unit: "logits",
    digits: 2,
  }),
  column("largest_neuron", "The neuron with the largest |a_i|.", {
    title: "neuron by attribution",
    format: "integer",
  }),
  column("largest_activation", "The neuron with the largest activation.", {
    title: "neuron by activation",
    format: "integer",
  }),
  column("inverse_outlier", "What the ablation effect is multiplied by to give the score.", {
    title: "1 / (max − mean)",
    detail: true,
  }),
  column("bos", "Whether it is BOS.", { title: "BOS", detail: true }),
  column("candidate", "Whether it counts in the notebook's steps.", { detail: true }),
  column("predicting", "Whether it has a next token that counts.", { detail: true }),
  column("diffuse", "Whether its attribution is high and no neuron stands out.", {
    title: "high and diffuse",
    detail: true,
  }),
  column("apart", "Whether ablation and attribution are furthest apart.", { title: "furthest apart", detail: true }),
  column("top", "Whether it is among the highest scores.", { title: "top by score", detail: true }),
] as const;
