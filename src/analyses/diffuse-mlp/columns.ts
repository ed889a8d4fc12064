/** The columns of the analysis' tables. Each is defined once, together with the function that gives its cells. */
import { LOSS, NEXT, POS, PROMPT, TOKEN } from "../../finding/columns.ts";
import { as, type Cell, column } from "../../finding/table.ts";
import { disagreement, type Predicting, restOfLogit } from "../../measures/diffuse-mlp/comparisons.ts";
import type { Position } from "../../measures/diffuse-mlp/positions.ts";
import type { Site } from "../../measures/diffuse-mlp/site.ts";

export const where: readonly Cell<Position>[] = [
  [PROMPT, (p) => p.prompt],
  [POS, (p) => p.pos],
  [TOKEN, (p) => p.token],
];

export const next: Cell<Position> = [as(NEXT, "The token that comes next, which it predicts."), (p) => p.next];

export const ablation: Cell<Position> = [
  column("ablation", "The prompt's mean loss with the MLP's neurons zeroed there, minus the clean mean loss.", {
    title: "ablation effect",
    unit: "nats",
  }),
  (p) => p.ablation,
];

export const score: Cell<Position> = [
  column("score", "The ablation effect divided by the outlier score before the norm.", { digits: 1 }),
  (p) => p.score,
];

export const INVERSE = column("inverse_outlier", "What the ablation effect is multiplied by to give the score.", {
  title: "1 / (max − mean)",
  detail: true,
});

export const inverse = (p: Position) => (p.scale === null ? null : 1 / p.scale);

export function outliers(site: Site, eps: number): readonly Cell<Position>[] {
  const point = site.ablated.split(".").at(-1);
  const before: Cell<Position> = [
    column("outlier", `max − mean of ${point}.`, { title: site.norm ? "outlier before" : "outlier" }),
    (p) => p.outlier,
  ];
  if (!site.norm) return [before];
  return [
    before,
    [column("outlier_after", "max − mean of mlp.ln.hook_normalized."), (p) => p.outlierAfter],
    [column("ratio", "Outlier score after divided by before, which is 1 / mlp.ln.hook_scale.", { digits: 2 }), inverse],
    [
      column("eps_share", "The share of eps in hook_scale² = variance + eps.", { format: "percent" }),
      (p) => (p.scale === null ? null : eps / p.scale ** 2),
    ],
  ];
}

export const ATTRIBUTION = column("attribution", "What all neurons together add directly to the next token's logit.", {
  title: "MLP attribution",
  unit: "logits",
  digits: 2,
});

export const attribution: Cell<Position> = [ATTRIBUTION, (p) => p.attribution?.neurons ?? null];

export const spread: readonly Cell<Position>[] = [
  [
    column("max_share", "The largest |a_i| as a share of the sum of |a_i|.", {
      title: "largest neuron",
      format: "percent",
    }),
    (p) => p.attribution?.maxShare ?? null,
  ],
  [
    column("shuffled_max_share", "The same with the neurons' output directions shuffled, as a mean over shuffles.", {
      title: "shuffled",
      format: "percent",
    }),
    (p) => p.attribution?.shuffledMaxShare ?? null,
  ],
  [
    column("effective_neurons", "The participation ratio (sum |a_i|)² / sum a_i².", { digits: 0 }),
    (p) => p.attribution?.effectiveNeurons ?? null,
  ],
  [
    column("n50", "The fewest neurons that make up half of the sum of |a_i|.", {
      title: "for 50 %",
      format: "integer",
    }),
    (p) => p.attribution?.n50 ?? null,
  ],
  [
    column("n90", "The fewest neurons that make up nine tenths of it.", { title: "for 90 %", format: "integer" }),
    (p) => p.attribution?.n90 ?? null,
  ],
];

export const apart: readonly Cell<Predicting>[] = [
  [
    column("loss_change", "The predicted token's own loss with the neurons zeroed, minus its clean loss.", {
      unit: "nats",
      digits: 2,
    }),
    (p) => p.nextAblation.loss,
  ],
  attribution,
  [
    column(
      "other_terms",
      "What else the next token's logit loses: through the final norm's changed scale and through later layers.",
      { unit: "logits", digits: 2 },
    ),
    restOfLogit,
  ],
  [
    column("normaliser", "The change of log Σ exp(logits). Loss change = attribution + other terms + this.", {
      title: "other tokens",
      unit: "nats",
      digits: 2,
    }),
    (p) => p.nextAblation.normaliser,
  ],
  [column("difference", "Loss change minus attribution.", { digits: 2 }), disagreement],
];

export const details: readonly Cell<Position>[] = [
  [as(LOSS, "The next token's clean loss."), (p) => p.loss],
  [
    column("loss_change", "The loss with the neurons zeroed there, minus the clean loss.", { unit: "nats", digits: 3 }),
    (p) => p.nextAblation?.loss ?? null,
  ],
];

export const lastDetails: readonly Cell<Position>[] = [
  [
    column("bias", "What b_out adds to the next token's logit, regardless of the neurons.", {
      title: "MLP bias",
      unit: "logits",
      digits: 2,
    }),
    (p) => p.attribution?.bias ?? null,
  ],
  [
    column("largest_neuron", "The neuron with the largest |a_i|.", {
      title: "neuron by attribution",
      format: "integer",
    }),
    (p) => p.attribution?.top[0]?.[0] ?? null,
  ],
  [
    column("largest_activation", "The neuron with the largest activation.", {
      title: "neuron by activation",
      format: "integer",
    }),
    (p) => p.largestNeuron,
  ],
];
