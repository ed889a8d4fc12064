/** "Which features of a dictionary fire at a prompt's tokens, and what is lost without each?" */

import { median } from "simple-statistics";
import { FEATURE, GROUP, LOSS, NEXT, POS, TOKEN } from "../finding/columns.ts";
import { type Finding, type FindingParts, finding, type Statement } from "../finding/finding.ts";
import { as, type Cell, column, type Table, tableOf } from "../finding/table.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import {
  FEATURES_OPTIONS,
  type FeatureAtTokenRow,
  type FeaturesMeasurement,
  measureFeatures,
} from "../measures/features.ts";
import { type AnalysisOptions, type GivenOptions, settled, topOption } from "../measures/options.ts";
import { counted, fixed, percent, quoted, signed } from "../tensor/words.ts";
import { analysis } from "./analysis.ts";
import {
  type Agreement,
  agreement,
  agreementBaselines,
  agreementScatter,
  correlationStatement,
} from "./attribution/agreement.ts";
import { control, spread } from "./baselines.ts";
import { modelFacts } from "./model-facts.ts";
import { MONOSEMANTICITY, TOP_K_DICTIONARIES } from "./papers.ts";
import { strongestFeatures } from "./strongest-features.ts";

/** The options of the analysis. */
export type FeaturesOptions = GivenOptions<typeof OPTIONS>;

const QUESTION = "Which features of a dictionary fire at a prompt's tokens, and what is lost without each?";
const UNCHANGED = "nothing removed";
const TYPICAL = "all removed features";
const NEURONS = "the largest neuron";

/**
 * The features of a dictionary at each token of a prompt: what each writes to the next token's logit, and what removing it costs, by its
 * gradient and measured. @see measureFeatures
 */
export async function features(model: HookedTransformer, options: FeaturesOptions = {}): Promise<Finding> {
  const { top, ...asked } = settled("features", model, options, OPTIONS);
  const measured = await measureFeatures(model, asked);
  const { prompt, dictionary, hook, dSae, loss, length } = measured;
  const removed = measured.rows.filter(isRemoved);
  const compared = removed.length > 2 ? comparedOf(removed, asked.seed) : undefined;
  return finding({
    analysis: "features",
    question: QUESTION,
    summary: summaryOf(measured, removed, compared),
    method: method(measured),
    model: modelFacts(model),
    settings: {
      ...{ prompt: prompt.text, dictionary, hook, features: dSae, firing: length },
      ...{ removed: removed.length, loss, top, seed: asked.seed },
    },
    pictures: pictures(measured, compared),
    tables: tables(measured, removed, top),
    baselines: baselines(measured, removed, compared, asked.seed),
    caveats: [
      "A feature is what this dictionary made of the model's activations: another dictionary, or another seed, has others.",
      "What the dictionary misses is kept in every run, so that removing a feature changes that feature alone; what is missed may belong to it too.",
      "An estimate is the slope at this prompt, and removing a feature goes all the way to 0: where it is large, the two differ.",
      "This is one prompt: a feature that helps here may not elsewhere.",
      ...model.notes,
    ],
  });
}

type RemovedRow = FeatureAtTokenRow & { readonly cost: number };
const isRemoved = (row: FeatureAtTokenRow): row is RemovedRow => row.cost !== null;
const nameOf = ({ d_sae, token, pos }: FeatureAtTokenRow) => `feature ${d_sae} at ${quoted(token)} (${pos})`;

function comparedOf(removed: readonly RemovedRow[], seed: number): Agreement {
  const pairs = removed.map((row) => {
    return { name: nameOf(row), group: row.group as string, estimated: row.estimated, measured: row.cost };
  });
  return agreement(pairs, seed, { things: ["feature", "features"], estimated: "estimated", measured: "measured" });
}

function summaryOf(
  { rows, positions, dSae, loss }: FeaturesMeasurement,
  removed: readonly RemovedRow[],
  compared: Agreement | undefined,
): FindingParts["summary"] {
  const per = rows.length / positions.length;
  const fires = `At each of ${counted(positions.length, "token")}, ${per.toFixed(1)} of ${dSae} features fire`;
  if (removed.length === 0) {
    const none = { value: loss, unit: "nats", comparedWith: [UNCHANGED] } as const;
    return [{ text: `${fires}: there is none to remove.`, figure: none }];
  }
  const worst = removed.reduce((best, row) => (row.cost > best.cost ? row : best));
  const writes = worst.writes === null ? "" : `, to whose logit it adds ${signed(worst.writes)}`;
  const harmful = removed.reduce((best, row) => (row.cost < best.cost ? row : best));
  return [
    {
      text: `Without ${nameOf(worst)} the prompt's loss ${worst.cost < 0 ? `falls by ${fixed(-worst.cost, 3)} nats, less` : `rises by ${fixed(worst.cost, 3)} nats, more`} than without any other: ${quoted(worst.next)} comes next${writes}.`,
      figure: { value: worst.cost, unit: "nats", comparedWith: [UNCHANGED, TYPICAL] },
    },
    harmful.cost < 0 && {
      text: `${capital(nameOf(harmful))} harms most: without it the loss falls by ${fixed(-harmful.cost, 3)} nats.`,
      figure: { value: harmful.cost, unit: "nats", comparedWith: [TYPICAL] },
    },
    {
      text: `${fires}.`,
      figure: { value: per, unit: "features", comparedWith: [ALL_FEATURES] },
    },
    standsOut(positions.rows),
    compared &&
      correlationStatement("Activation times gradient and what removing costs", compared, { all: rows.length }),
  ];
}

const ALL_FEATURES = "all features";
const capital = (text: string) => text[0].toUpperCase() + text.slice(1);

/** Whether a feature stands out where no neuron does. */
function standsOut(positions: FeaturesMeasurement["positions"]["rows"]): Statement | undefined {
  const both = positions.flatMap(({ feature_share, neuron_share }) =>
    feature_share === null || neuron_share === null ? [] : [{ feature: feature_share, neuron: neuron_share }],
  );
  if (both.length === 0) return undefined;
  const [feature, neuron] = [median(both.map((one) => one.feature)), median(both.map((one) => one.neuron))];
  const more = both.filter((one) => one.feature > one.neuron).length;
  return {
    text: `The feature that writes most to the next token's logit has ${percent(feature)} of all that is written there (the median over tokens), the neuron that does ${percent(neuron)}; the feature has more at ${more} of ${both.length}.`,
    figure: { value: 100 * feature, unit: "%", comparedWith: [NEURONS] },
  };
}

function method({ hook, loss }: FeaturesMeasurement) {
  return {
    text:
      `The model runs with the dictionary in place at ${hook}, and with what the dictionary misses added to what it makes: every activation is what it was without. A feature fires where its activation is not 0. BOS is left out.\n\n` +
      "What a feature writes is what its part of the reconstruction adds to the next token's logit on the direct path, less what it adds to the mean of all logits: activation · W_dec[feature] · (W_U[next] − mean W_U), over the final norm's scale, held as it was. Its share is of the sizes of all that is written to that logit there: of each feature, and as one more part of what the dictionary misses, of biases, and of all else at that hook point.\n\n" +
      `The loss is the sum of −log probability of each of the prompt's tokens after its first, and of the token after the prompt (${loss.toFixed(2)} nats). Estimated is −activation · ∂loss/∂activation. Measured is the loss with the feature set to 0 at that token, less the loss: what comes after responds.`,
    references: [MONOSEMANTICITY, TOP_K_DICTIONARIES],
  };
}

const NATS = { unit: "nats", digits: 3 };
const LOGITS = { unit: "logits", digits: 3 };
const ACTIVATION = column("activation", "The feature's activation there.", { digits: 3 });
const WRITES = column("writes", "What it adds to the next token's logit on the direct path.", LOGITS);
const ESTIMATED = column("estimated", "−activation · ∂loss/∂activation.", NATS);
const COST = column("cost", "The loss without it, less the loss.", { ...NATS, title: "measured" });
const FIRES = column("fires", "How many features fire.", { format: "integer" });
const share = <const Name extends string>(name: Name, title: string, description: string) =>
  column(name, description, { title, format: "percent" });

const AT_TOKEN: readonly Cell<FeatureAtTokenRow>[] = [
  POS,
  TOKEN,
  NEXT,
  FEATURE,
  ACTIVATION,
  WRITES,
  ESTIMATED,
  COST,
  GROUP,
];

function tables({ rows, positions }: FeaturesMeasurement, removed: readonly RemovedRow[], top: number): Table[] {
  const byCost = [...removed].sort((a, b) => Math.abs(b.cost) - Math.abs(a.cost));
  const comparedWith = [UNCHANGED, TYPICAL];
  return [
    tableOf(
      { name: "top", title: `The ${Math.min(top, byCost.length)} features whose removal changes most`, comparedWith },
      byCost.slice(0, top),
      AT_TOKEN,
    ),
    tableOf({ name: "positions", title: "Each token" }, positions.rows, [
      POS,
      TOKEN,
      NEXT,
      LOSS,
      FIRES,
      as(FEATURE, {
        name: "largest_feature",
        title: "largest feature",
        description: "The one that writes most, of either sign.",
      }),
      as(WRITES, { name: "feature_writes", title: "writes" }),
      share("feature_share", "feature's share", "Its share of the sizes of all that is written."),
      column("largest_neuron", "The neuron that writes most.", { title: "largest neuron", format: "text" }),
      as(WRITES, { name: "neuron_writes", title: "neuron writes", detail: true }),
      share("neuron_share", "neuron's share", "Its share of the sizes of all that is written."),
      column("whole", "What all at the hook point adds to the next token's logit.", { ...LOGITS, detail: true }),
      column("error", "What the dictionary misses, likewise.", { ...LOGITS, detail: true }),
    ]),
    tableOf({ name: "features", title: "Every feature that fires", detail: true, comparedWith }, rows, AT_TOKEN),
  ];
}

function pictures({ positions, rows }: FeaturesMeasurement, compared: Agreement | undefined): FindingParts["pictures"] {
  const strongest = strongestFeatures(rows, ({ cost }) => cost);
  const hasShares = positions.rows.some(({ feature_share }) => feature_share !== null);
  const ticks = positions.rows.map(({ token }) => token);
  return [
    strongest.length > 0 && {
      kind: "imshow",
      name: "costs",
      title: "What removing each feature costs, by token",
      caption:
        "The features whose removal changes the loss most, summed over tokens. Blue helps: the loss is larger without it. Where a cell is blank the feature does not fire, or was not removed.",
      table: "features",
      where: { d_sae: strongest },
      x: { column: POS.name, label: "token", values: positions.rows.map(({ pos }) => pos), ticks },
      y: { column: FEATURE.name, label: "feature", values: strongest },
      color: { column: COST.name, label: "measured", unit: "nats" },
      tip: [ACTIVATION.name, WRITES.name, NEXT.name],
    },
    hasShares && {
      kind: "bar",
      name: "shares",
      title: "Does one feature stand out where no neuron does?",
      caption:
        "The share of the largest feature, and of the largest neuron, in all that is written to the next token's logit.",
      table: "positions",
      x: { column: POS.name, label: "token", ticks },
      y: { column: ["feature_share", "neuron_share"] },
    },
    compared &&
      agreementScatter(compared, {
        ...{ title: "What removing a feature costs, by its gradient and measured", table: "features" },
        ...{ x: ESTIMATED.name, y: COST.name, by: GROUP.name, label: FEATURE.name },
      }),
  ];
}

function baselines(
  { positions, loss, dSae }: FeaturesMeasurement,
  removed: readonly RemovedRow[],
  compared: Agreement | undefined,
  seed: number,
): FindingParts["baselines"] {
  const neurons = positions.rows.flatMap(({ neuron_share }) => (neuron_share === null ? [] : [100 * neuron_share]));
  return [
    control(UNCHANGED, "The prompt's loss with nothing removed.", loss, "nats"),
    {
      name: ALL_FEATURES,
      kind: "reference value",
      text: "How many features the dictionary has.",
      value: dSae,
      unit: "features",
    },
    removed.length > 0 && {
      name: TYPICAL,
      kind: "control",
      text: `What each of the ${removed.length} removals costs: the median, and the range of 95 % of them.`,
      unit: "nats",
      ...spread(
        removed.map(({ cost }) => cost),
        median,
      ),
    },
    neurons.length > 0 && {
      name: NEURONS,
      kind: "control",
      text: "The same share of the neuron that writes most: the median over tokens, and the range of 95 % of them.",
      unit: "%",
      ...spread(neurons, median),
    },
    ...(compared ? agreementBaselines(compared, seed) : []),
  ];
}

const OPTIONS = { ...FEATURES_OPTIONS, top: topOption("features") } as const satisfies AnalysisOptions;

/** The analysis for the index. */
export const featuresAnalysis = analysis({
  name: "features",
  question: QUESTION,
  description:
    "The features of a sparse dictionary that fire at each token of a prompt, what each adds to the next token's logit, and what removing it costs: estimated by its gradient, and measured by removing it. Where the dictionary makes what an MLP writes, its largest feature is compared with the MLP's largest neuron.",
  example: { prompt: "The lady was so tired that", answer: " she" },
  options: OPTIONS,
  run: features,
});
