/** The tables of the analysis. */
import { LOSS, NEURON, NEXT, POS, PROMPT, TOKEN } from "../../finding/columns.ts";
import { as, type Column, column, type Table, tableOf } from "../../finding/table.ts";
import { type Comparisons, grouped, neuronsAt } from "../../measures/diffuse-mlp/comparisons.ts";
import type { Site } from "../../measures/diffuse-mlp/site.ts";
import type { DiffuseMlpMeasurement } from "../../measures/diffuse-mlp.ts";
import { EQUIVALENT, PEARSON_INTERVAL, RANDOM_ABLATION, RANDOM_RATIO, RATIO_LIMIT, SHUFFLED } from "./results.ts";

const WHERE = [PROMPT, POS, TOKEN] as const;
const NEXT_TOKEN = as(NEXT, "The token that comes next, which it predicts.");
const ATTRIBUTION = column("attribution", "What all neurons together add directly to the next token's logit.", {
  title: "MLP attribution",
  unit: "logits",
  digits: 2,
});
const LOSS_CHANGE = column(
  "loss_change",
  "The predicted token's own loss with the neurons zeroed there, minus its clean loss.",
  { unit: "nats", digits: 2 },
);

const SPREAD = [
  column("max_share", "The largest |a_i| as a share of the sum of |a_i|.", {
    title: "largest neuron",
    format: "percent",
  }),
  column("shuffled_max_share", "The same with the neurons' output directions shuffled, as a mean over shuffles.", {
    title: "shuffled",
    format: "percent",
  }),
  column("effective_neurons", "The participation ratio (sum |a_i|)² / sum a_i².", { digits: 0 }),
  column("n50", "The fewest neurons that make up half of the sum of |a_i|.", { title: "for 50 %", format: "integer" }),
  column("n90", "The fewest neurons that make up nine tenths of it.", { title: "for 90 %", format: "integer" }),
] as const;

const APART = [
  LOSS_CHANGE,
  ATTRIBUTION,
  column(
    "other_terms",
    "What else the next token's logit loses: through the final norm's changed scale and through later layers.",
    { unit: "logits", digits: 2 },
  ),
  column("normaliser", "The change of log Σ exp(logits). Loss change = attribution + other terms + this.", {
    title: "other tokens",
    unit: "nats",
    digits: 2,
  }),
  column("difference", "Loss change minus attribution.", { digits: 2 }),
] as const;

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

export function tables(measured: DiffuseMlpMeasurement, compared: Comparisons, count: number): readonly Table[] {
  const { agreement, diffuse } = compared;
  const listed = diffuse.positions.slice(0, count);
  return [
    tableOf(
      {
        name: "diffuse",
        title: "High attribution, no high neuron",
        caption: `The ${listed.length} highest attributions among the ${diffuse.positions.length} positions that are in the upper quarter by attribution and in the lower half by the largest neuron's share.`,
        part: "attribution",
        comparedWith: [SHUFFLED],
      },
      listed,
      [...WHERE, NEXT_TOKEN, ATTRIBUTION, ...SPREAD],
    ),
    tableOf(
      {
        name: "apart",
        title: "Where ablation and attribution disagree",
        caption:
          "The positions where the loss changes by more, or less, than the attribution says. Where several texts begin the same way, only one is listed.",
        part: "agreement",
        comparedWith: [EQUIVALENT, ...(agreement.pearsonInterval ? [PEARSON_INTERVAL] : [])],
      },
      agreement.apart.slice(0, count),
      [...WHERE, NEXT_TOKEN, ...APART],
    ),
    ...notebookTables(measured, compared),
    tableOf(
      { name: "neurons", title: "The neurons behind the top tokens", part: "attribution", detail: true },
      neuronsAt(listed),
      [
        ...[...WHERE, NEXT],
        [STEP, ({ token, next, prompt, pos }) => `${token} →${next} (${prompt}:${pos})`],
        column("place", "1 is the neuron with the largest |attribution| there.", {
          title: "neurons, the largest first",
          format: "integer",
          detail: true,
        }),
        NEURON,
        as(ATTRIBUTION, { title: "attribution", digits: 3, description: "What it adds." }),
      ],
    ),
    cumulative(measured),
  ];
}

const STEP = column("step", "The token, the next one, and where: prompt:position.", {
  title: "position",
  format: "text",
  detail: true,
});

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

/** How much of Σ |a| the largest neurons make up: 1, 2, 3, ... of them, thinned out to what a logarithmic axis can show. */
function cumulative({ cumulative: shares, nullModel }: DiffuseMlpMeasurement): Table {
  const counts = new Set(Array.from({ length: 81 }, (_, i) => Math.round(shares.length ** (i / 80))));
  const about = { name: "cumulative", title: "How many neurons it takes", part: "attribution", detail: true };
  const share = (name: string, title: string): Column =>
    column(name, "Their share of Σ |a|, averaged over all positions.", { title, format: "percent" });
  return tableOf(
    about,
    [...counts],
    [
      [column("neurons", "How many.", { title: "neurons, the largest first", format: "integer" }), (n) => n],
      [share("share", "the model"), (n) => shares[n - 1]],
      [share("shuffled", "shuffled directions"), (n) => nullModel.cumulative[n - 1]],
    ],
  );
}
