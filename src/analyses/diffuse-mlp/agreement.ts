/** Whether the loss without the MLP and what its neurons add directly are the same measure. */
import { TOKEN } from "../../finding/columns.ts";
import type { Baseline } from "../../finding/finding.ts";
import { column, tableOf } from "../../finding/table.ts";
import type { View } from "../../finding/view.ts";
import type { Comparisons } from "../../measures/diffuse-mlp/comparisons.ts";
import {
  type Answered,
  ATTRIBUTION,
  figure,
  LOSS_CHANGE,
  NEXT_TOKEN,
  POINTS,
  pointsNote,
  type Result,
  step,
  WHERE,
} from "./shared.ts";

const PART = {
  name: "agreement",
  title: "Is ablation the same as attribution?",
  text: "The notebook assumes that in a one-layer model the loss without the MLP and the MLP's direct attribution are equivalent. They would be if the loss were the logit; but the loss also depends on the other tokens, and the final norm's scale changes.",
};
const EQUIVALENT = "equivalence";
const PEARSON_INTERVAL = "Pearson's r, interval";

/** @param seed of the bootstrap @param count how many positions are listed */
export function agreement(compared: Comparisons, seed: number, count: number): Answered {
  const { agreement } = compared;
  return {
    part: PART,
    ...correlation(compared, seed),
    pictures: [agreementView(compared)],
    tables: [
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
    ],
  };
}

function correlation({ agreement: a }: Comparisons, seed: number): Result {
  const interval = (name: string, r: string, found: typeof a.pearsonInterval): Baseline[] => {
    const text = `The interval of ${r} between loss and attribution; whole prompts are drawn with replacement.`;
    return found ? [{ name, kind: "bootstrap interval", text, ...found, seed }] : [];
  };
  const baselines: Baseline[] = [
    {
      name: EQUIVALENT,
      kind: "reference value",
      text: "The correlation that two equivalent measures would have.",
      value: 1,
    },
    ...interval(PEARSON_INTERVAL, "Pearson's r", a.pearsonInterval),
    ...interval("Spearman's ρ, interval", "Spearman's ρ", a.spearmanInterval),
  ];
  if (Number.isNaN(a.pearson)) return { summary: [], baselines };
  const [worst] = a.apart;
  return {
    summary: [
      {
        text:
          `Ablation and direct attribution agree with Pearson's r = ${a.pearson.toFixed(2)} (Spearman's ρ = ${a.spearman.toFixed(2)}; with the notebook's mean over the prompt r = ${a.pearsonOfMeans.toFixed(2)}), so they are not equivalent. ` +
          `Apart from the attribution, the loss changes through the other tokens' logits (${a.meanNormaliser.toFixed(2)} nats on average) and through the next token's other terms (${a.meanRestOfLogit.toFixed(2)}). ` +
          `They disagree most at ${step(worst)}: ${worst.loss_change.toFixed(2)} nats, but ${worst.attribution.toFixed(2)} logits.`,
        ...figure(a.pearson, "", baselines),
      },
    ],
    baselines,
  };
}

function agreementView({ predicting, agreement }: Comparisons): View {
  return {
    ...{ ...POINTS, name: "ablation-attribution", part: "agreement", where: { predicting: true } },
    title: "The loss without the MLP, and what the MLP adds directly",
    caption: `On the line, the two measures agree. Only the predicted token's own loss is counted.${pointsNote(predicting.length - Math.min(5, agreement.apart.length))}`,
    x: "attribution",
    y: { column: "loss_change", label: "loss change when ablated" },
    series: [
      { name: "other positions", where: { apart: false } },
      { name: "furthest apart", where: { apart: true }, label: TOKEN.name },
    ],
    references: [{ kind: "slope", slope: 1, label: "equal" }],
  };
}

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
