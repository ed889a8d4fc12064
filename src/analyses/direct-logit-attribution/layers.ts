/** What layers add to a logit, and what is compared with it. */
import { COMPONENT } from "../../finding/columns.ts";
import type { Baseline } from "../../finding/finding.ts";
import { as, column, type Table, tableOf } from "../../finding/table.ts";
import type { View } from "../../finding/view.ts";
import type { DirectLogitAttributionMeasurement } from "../../measures/direct-logit-attribution.ts";
import { spread } from "../baselines.ts";

/** Each decomposition's null model. */
export const RANDOM = {
  layers: "random tokens: largest layer",
  heads: "random tokens: largest head",
  neurons: "random tokens: largest neurons",
} as const;

/** What random tokens are drawn in place of. */
export const drawnFor = ({ wrong }: DirectLogitAttributionMeasurement) =>
  wrong === null ? "tokens" : "pairs of tokens";

/** The share of a decomposition's largest components for random tokens. */
export function nullModel(
  group: keyof typeof RANDOM,
  measured: DirectLogitAttributionMeasurement,
  seed: number,
): Baseline {
  const { nullShares, largestShare, count } = measured[group]!;
  const what = {
    layers: "the largest of embeddings and layers",
    heads: "the largest head",
    neurons: `the ${count} largest neurons`,
  }[group];
  return {
    name: RANDOM[group],
    kind: "null model",
    text: `The share of ${what} for random ${drawnFor(measured)}: the mean and the 95 % interval. p is how often it is at least as large as here.`,
    ...spread(nullShares.map((share) => 100 * share)),
    unit: "%",
    p: (1 + nullShares.filter((share) => share >= largestShare).length) / (1 + nullShares.length),
    seed,
  };
}

export const ADDS = column("attribution", "Its direct effect.", { title: "adds", unit: "logits", digits: 4 });
export const SHARE = column("share", "Its share of the sum of all absolute effects of its kind.", {
  format: "percent",
});

/** What the bias, the embeddings and the layers add. */
export function layerTable({ layers, bias }: DirectLogitAttributionMeasurement): Table {
  const first = { component: "bias of the unembedding", attribution: bias, share: null };
  const title = "The bias, embeddings and layers, in order: they sum to the logit";
  return tableOf(
    { name: "layers", title, comparedWith: [RANDOM.layers] },
    [first, ...layers],
    [as(COMPONENT, "Its name."), ADDS, SHARE],
  );
}

/** What they add up to, a view of `layerTable`. */
export const LAYER_SUM: View = {
  kind: "bar",
  name: "sum",
  title: "How the logit builds up",
  caption:
    "Each bar starts where the one before ended: what the unembedding's bias, the embeddings and the layers add, in order. The last one is their sum.",
  table: "layers",
  x: { column: COMPONENT.name, label: "" },
  y: { column: ADDS.name, label: "sum" },
  total: "sum",
};
