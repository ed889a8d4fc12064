/** The columns of the analysis' tables. Each is defined once, together with the function that gives its cells. */
import { as, LOSS, NEXT, POS, PROMPT, TOKEN } from "../../finding/columns.ts";
import type { Cell, Column } from "../../finding/table.ts";
import { disagreement, type Predicting, restOfLogit } from "../../measures/diffuse-mlp/comparisons.ts";
import type { Position } from "../../measures/diffuse-mlp/positions.ts";
import type { Site } from "../../measures/diffuse-mlp/site.ts";

export const where: readonly Cell<Position>[] = [
  [PROMPT, (p) => p.prompt],
  [POS, (p) => p.pos],
  [TOKEN, (p) => p.token],
];

export const next: Cell<Position> = [
  as(NEXT, { description: "The token that comes next, which it predicts." }),
  (p) => p.next,
];

export const ablation: Cell<Position> = [
  {
    name: "ablation",
    title: "ablation effect",
    unit: "nats",
    description: "The prompt's mean loss with the MLP's neurons zeroed there, minus the clean mean loss.",
  },
  (p) => p.ablation,
];

export const score: Cell<Position> = [
  {
    name: "score",
    title: "score",
    format: { digits: 1 },
    description: "The ablation effect divided by the outlier score before the norm.",
  },
  (p) => p.score,
];

export const INVERSE: Column = {
  name: "inverse_outlier",
  title: "1 / (max − mean)",
  detail: true,
  description: "What the ablation effect is multiplied by to give the score.",
};

export const inverse = (p: Position) => (p.scale === null ? null : 1 / p.scale);

export function outliers(site: Site, eps: number): readonly Cell<Position>[] {
  const point = site.ablated.split(".").at(-1);
  const before: Cell<Position> = [
    { name: "outlier", title: site.norm ? "outlier before" : "outlier", description: `max − mean of ${point}.` },
    (p) => p.outlier,
  ];
  if (!site.norm) return [before];
  return [
    before,
    [
      { name: "outlier_after", title: "outlier after", description: "max − mean of mlp.ln.hook_normalized." },
      (p) => p.outlierAfter,
    ],
    [
      {
        name: "ratio",
        title: "ratio",
        format: { digits: 2 },
        description: "Outlier score after divided by before, which is 1 / mlp.ln.hook_scale.",
      },
      inverse,
    ],
    [
      {
        name: "eps_share",
        title: "eps share",
        format: "percent",
        description: "The share of eps in hook_scale² = variance + eps.",
      },
      (p) => (p.scale === null ? null : eps / p.scale ** 2),
    ],
  ];
}

export const attribution: Cell<Position> = [
  {
    name: "attribution",
    title: "MLP attribution",
    unit: "logits",
    format: { digits: 2 },
    description: "What all neurons together add directly to the next token's logit.",
  },
  (p) => p.attribution?.neurons ?? null,
];

export const spread: readonly Cell<Position>[] = [
  [
    {
      name: "max_share",
      title: "largest neuron",
      format: "percent",
      description: "The largest |a_i| as a share of the sum of |a_i|.",
    },
    (p) => p.attribution?.maxShare ?? null,
  ],
  [
    {
      name: "shuffled_max_share",
      title: "shuffled",
      format: "percent",
      description: "The same with the neurons' output directions shuffled, as a mean over shuffles.",
    },
    (p) => p.attribution?.shuffledMaxShare ?? null,
  ],
  [
    {
      name: "effective_neurons",
      title: "effective neurons",
      format: { digits: 0 },
      description: "The participation ratio (sum |a_i|)² / sum a_i².",
    },
    (p) => p.attribution?.effectiveNeurons ?? null,
  ],
  [
    {
      name: "n50",
      title: "for 50 %",
      format: "integer",
      description: "The fewest neurons that make up half of the sum of |a_i|.",
    },
    (p) => p.attribution?.n50 ?? null,
  ],
  [
    {
      name: "n90",
      title: "for 90 %",
      format: "integer",
      description: "The fewest neurons that make up nine tenths of it.",
    },
    (p) => p.attribution?.n90 ?? null,
  ],
];

export const apart: readonly Cell<Predicting>[] = [
  [
    {
      name: "loss_change",
      title: "loss change",
      unit: "nats",
      format: { digits: 2 },
      description: "The predicted token's own loss with the neurons zeroed, minus its clean loss.",
    },
    (p) => p.nextAblation.loss,
  ],
  attribution,
  [
    {
      name: "other_terms",
      title: "other terms",
      unit: "logits",
      format: { digits: 2 },
      description:
        "What else the next token's logit loses: through the final norm's changed scale and through later layers.",
    },
    restOfLogit,
  ],
  [
    {
      name: "normaliser",
      title: "other tokens",
      unit: "nats",
      format: { digits: 2 },
      description: "The change of log Σ exp(logits). Loss change = attribution + other terms + this.",
    },
    (p) => p.nextAblation.normaliser,
  ],
  [
    {
      name: "difference",
      title: "difference",
      format: { digits: 2 },
      description: "Loss change minus attribution.",
    },
    disagreement,
  ],
];

export const details: readonly Cell<Position>[] = [
  [as(LOSS, { description: "The next token's clean loss." }), (p) => p.loss],
  [
    {
      name: "loss_change",
      title: "loss change",
      unit: "nats",
      format: { digits: 3 },
      description: "The loss with the neurons zeroed there, minus the clean loss.",
    },
    (p) => p.nextAblation?.loss ?? null,
  ],
];

export const lastDetails: readonly Cell<Position>[] = [
  [
    {
      name: "bias",
      title: "MLP bias",
      unit: "logits",
      format: { digits: 2 },
      description: "What b_out adds to the next token's logit, regardless of the neurons.",
    },
    (p) => p.attribution?.bias ?? null,
  ],
  [
    {
      name: "largest_neuron",
      title: "neuron by attribution",
      format: "integer",
      description: "The neuron with the largest |a_i|.",
    },
    (p) => p.attribution?.top[0]?.[0] ?? null,
  ],
  [
    {
      name: "largest_activation",
      title: "neuron by activation",
      format: "integer",
      description: "The neuron with the largest activation.",
    },
    (p) => p.largestNeuron,
  ],
];
