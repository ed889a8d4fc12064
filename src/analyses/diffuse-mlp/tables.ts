/** The tables of the analysis. Each column is defined once, together with the function that gives its cells. */
import { as, LOSS, NEURON, NEXT, POS, PROMPT, TOKEN } from "../../finding/columns.ts";
import { type Cell, type Column, type Table, tableOf } from "../../finding/table.ts";
import {
  type Comparisons,
  disagreement,
  type Predicting,
  restOfLogit,
} from "../../measures/diffuse-mlp/comparisons.ts";
import type { Position } from "../../measures/diffuse-mlp/positions.ts";
import type { Site } from "../../measures/diffuse-mlp/site.ts";
import type { DiffuseMlpMeasurement } from "../../measures/diffuse-mlp.ts";
import { EQUIVALENT, PEARSON_INTERVAL, RANDOM_ABLATION, RANDOM_RATIO, RATIO_LIMIT, SHUFFLED } from "./baselines.ts";

const where: readonly Cell<Position>[] = [
  [PROMPT, (p) => p.prompt],
  [POS, (p) => p.pos],
  [TOKEN, (p) => p.token],
];

const next: Cell<Position> = [
  as(NEXT, { description: "The token that comes next, which it predicts." }),
  (p) => p.next,
];

const ablation: Cell<Position> = [
  {
    name: "ablation",
    title: "ablation effect",
    unit: "nats",
    description: "The prompt's mean loss with the MLP's neurons zeroed there, minus the clean mean loss.",
  },
  (p) => p.ablation,
];

const score: Cell<Position> = [
  {
    name: "score",
    title: "score",
    format: { digits: 1 },
    description: "The ablation effect divided by the outlier score before the norm.",
  },
  (p) => p.score,
];

const INVERSE: Column = {
  name: "inverse_outlier",
  title: "1 / (max − mean)",
  detail: true,
  description: "What the ablation effect is multiplied by to give the score.",
};

const inverse = (p: Position) => (p.scale === null ? null : 1 / p.scale);

function outliers(site: Site, eps: number): readonly Cell<Position>[] {
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

const attribution: Cell<Position> = [
  {
    name: "attribution",
    title: "MLP attribution",
    unit: "logits",
    format: { digits: 2 },
    description: "What all neurons together add directly to the next token's logit.",
  },
  (p) => p.attribution?.neurons ?? null,
];

const spread: readonly Cell<Position>[] = [
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

const apart: readonly Cell<Predicting>[] = [
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

const details: readonly Cell<Position>[] = [
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

const lastDetails: readonly Cell<Position>[] = [
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

/** Which of the groups that the pictures compare a position is in. */
function groups({ candidates, predicting, diffuse, agreement, top }: Comparisons): Cell<Position>[] {
  const of = (name: string, title: string, positions: readonly Position[], description: string): Cell<Position> => {
    const chosen = new Set(positions);
    return [{ name, title, detail: true, description }, (p) => chosen.has(p)];
  };
  return [
    of("candidate", "candidate", candidates, "Whether it counts in the notebook's steps."),
    of("predicting", "predicting", predicting, "Whether it has a next token that counts."),
    of("diffuse", "high and diffuse", diffuse.positions, "Whether its attribution is high and no neuron stands out."),
    of("apart", "furthest apart", agreement.apart.slice(0, 5), "Whether ablation and attribution are furthest apart."),
    of("top", "top by score", top, "Whether it is among the highest scores."),
  ];
}

/** The neurons behind the top positions, the largest first. */
function neurons(shown: readonly Predicting[]): Table {
  const rows = shown.flatMap((p) => p.attribution.top.map(([neuron, logits], place) => ({ p, neuron, logits, place })));
  const about = { name: "neurons", title: "The neurons behind the top tokens", part: "attribution", detail: true };
  return tableOf(about, rows, [
    [PROMPT, ({ p }) => p.prompt],
    [POS, ({ p }) => p.pos],
    [TOKEN, ({ p }) => p.token],
    [NEXT, ({ p }) => p.next],
    [STEP, ({ p }) => `${p.token} →${p.next} (${p.prompt}:${p.pos})`],
    [PLACE, ({ place }) => place + 1],
    [NEURON, ({ neuron }) => neuron],
    [
      as(attribution[0], { title: "attribution", format: { digits: 3 }, description: "What it adds." }),
      (row) => row.logits,
    ],
  ]);
}

const STEP: Column = {
  name: "step",
  title: "position",
  format: "text",
  detail: true,
  description: "The token, the next one, and where: prompt:position.",
};
const PLACE: Column = {
  name: "place",
  title: "neurons, the largest first",
  format: "integer",
  detail: true,
  description: "1 is the neuron with the largest |attribution| there.",
};

/** How much of Σ |a| the largest neurons make up: 1, 2, 3, ... of them, thinned out to what a logarithmic axis can show. */
function cumulative({ cumulative: shares, nullModel }: DiffuseMlpMeasurement): Table {
  const counts = new Set(Array.from({ length: 81 }, (_, i) => Math.round(shares.length ** (i / 80))));
  const share = (name: string, title: string): Column => ({
    name,
    title,
    format: "percent",
    description: "Their share of Σ |a|, averaged over all positions.",
  });
  const about = { name: "cumulative", title: "How many neurons it takes", part: "attribution", detail: true };
  return tableOf(
    about,
    [...counts],
    [
      [{ name: "neurons", title: "neurons, the largest first", format: "integer", description: "How many." }, (n) => n],
      [share("share", "the model"), (n) => shares[n - 1]],
      [share("shuffled", "shuffled directions"), (n) => nullModel.cumulative[n - 1]],
    ],
  );
}

export function tables(
  measured: DiffuseMlpMeasurement,
  compared: Comparisons,
  eps: number,
  count: number,
): readonly Table[] {
  const { agreement, diffuse } = compared;
  return [
    tableOf(
      {
        name: "diffuse",
        title: "High attribution, no high neuron",
        caption: `The ${Math.min(count, diffuse.positions.length)} highest attributions among the ${diffuse.positions.length} positions that are in the upper quarter by attribution and in the lower half by the largest neuron's share.`,
        part: "attribution",
        comparedWith: [SHUFFLED],
      },
      diffuse.positions.slice(0, count),
      [...where, next, attribution, ...spread],
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
      [...where, next, ...apart],
    ),
    ...notebookTables(measured, compared, eps),
    neurons(diffuse.positions.slice(0, count)),
    cumulative(measured),
  ];
}

/** The notebook's own: positions by score, and drawn at random. */
function notebookTables({ site, positions }: DiffuseMlpMeasurement, compared: Comparisons, eps: number) {
  const { ratio, top, random } = compared;
  const scored: readonly Cell<Position>[] = [...where, ablation, ...outliers(site, eps), score];
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
      scored,
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
      scored,
    ),
    tableOf({ name: "positions", title: "All positions", part: "notebook", detail: true }, positions, [
      ...where,
      next,
      ...details,
      ...scored.slice(where.length),
      attribution,
      ...spread,
      ...lastDetails,
      [INVERSE, (p) => (p.outlier === 0 ? null : 1 / p.outlier)],
      [{ name: "bos", title: "BOS", detail: true, description: "Whether it is BOS." }, (p) => p.isBos],
      ...groups(compared),
    ]),
  ];
}
