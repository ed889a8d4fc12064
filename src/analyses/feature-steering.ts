/** "What does a model predict, and write, while a feature is held at a value?" */

import { median } from "simple-statistics";
import { NEXT, TOKEN } from "../finding/columns.ts";
import { type Finding, type FindingParts, finding, type Statement } from "../finding/finding.ts";
import { as, column, type Table, tableOf } from "../finding/table.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import {
  FEATURE_STEERING_OPTIONS,
  type FeatureSteeringMeasurement,
  measureFeatureSteering,
  type SteeredRow,
  type SteeredTokenRow,
} from "../measures/feature-steering.ts";
import { type AnalysisOptions, type GivenOptions, settled, topOption } from "../measures/options.ts";
import { listed, percent, quoted } from "../tensor/words.ts";
import { analysis } from "./analysis.ts";
import { control, spread } from "./baselines.ts";
import { modelFacts } from "./model-facts.ts";
import { ACTIVATION_ADDITION, SCALING_MONOSEMANTICITY } from "./papers.ts";

/** The options of the analysis. */
export type FeatureSteeringOptions = GivenOptions<typeof OPTIONS>;

const QUESTION = "What does a model predict, and write, while a feature is held at a value?";
const UNCHANGED = "the unchanged run";
const RANDOM = "random features";
const ITS_TEXT = "its own text";

/**
 * Steering with a feature of a dictionary: what a model predicts after a prompt, and what it writes, with the feature held at several
 * values, compared with random features that write as much. @see measureFeatureSteering
 */
export async function featureSteering(
  model: HookedTransformer,
  options: FeatureSteeringOptions = {},
): Promise<Finding> {
  const { top, ...asked } = settled("featureSteering", model, options, OPTIONS);
  const measured = await measureFeatureSteering(model, asked);
  const { prompt, dictionary, hook, feature, rows } = measured;
  const moved = movedTokens(measured, top);
  return finding({
    analysis: "feature-steering",
    question: QUESTION,
    summary: summaryOf(measured, moved),
    method: METHOD,
    model: modelFacts(model),
    settings: {
      ...{ prompt: prompt.text, feature, dictionary, hook, "largest value": rows.at(-1)!.held, values: asked.values },
      ...{ tokens: asked.tokens, random: asked.random, top, seed: asked.seed },
    },
    pictures: pictures(measured),
    tables: tables(measured, moved),
    baselines: baselines(measured),
    caveats: [
      "At values far beyond those that the feature has in texts, the model reads what it has never seen: look at where its own text becomes likely again only because it repeats itself.",
      "The most probable token after each is one text of many; sampled ones differ.",
      "What a feature does when it is held says what it can cause, not that the model uses it so: see features and feature-patching for that.",
      ...model.notes,
    ],
  });
}

const METHOD = {
  text:
    "The model runs with the dictionary in place, and with what the dictionary misses added to what it makes: every activation is what it was without. At every token but BOS the feature's activation is then set to the value, while the prompt is read and while tokens are written, each the most probable one.\n\n" +
    "How far the prediction moves is Σ p log(p / q) over the next token (KL divergence), p without the change and q with it. A random feature is held at the value where it writes a vector of the same norm, value · ‖W_dec[feature]‖ / ‖W_dec[random]‖. How surprising a text is to the model as it is: the mean −log probability of its tokens.",
  references: [SCALING_MONOSEMANTICITY, ACTIVATION_ADDITION],
};

const fired = ({ largest }: FeatureSteeringMeasurement) =>
  largest > 0 ? `, where it reaches ${largest.toFixed(2)} by itself` : ", where it does not fire by itself";

function summaryOf(measured: FeatureSteeringMeasurement, moved: readonly SteeredTokenRow[]): FindingParts["summary"] {
  const { rows, feature, controls } = measured;
  const [unchanged] = rows;
  const last = rows.at(-1)!;
  const risen = moved.filter(({ before, after }) => after > before).slice(0, 3);
  const names = risen.map(({ token, before, after }) => `${quoted(token)} (${percent(before)} to ${percent(after)})`);
  const same = last.next === unchanged.next ? "it still expects" : `it expects`;
  const less = controls.rows.filter((one) => one.divergence < last.divergence).length;
  return [
    {
      text: `With feature ${feature} held at ${last.held!.toFixed(2)}${fired(measured)}, ${same} ${quoted(last.next)} next (${percent(last.probability)}${last.next === unchanged.next ? `, ${percent(unchanged.probability)} without` : `; without, ${quoted(unchanged.next)} at ${percent(unchanged.probability)}`}), and the prediction moves by ${last.divergence.toFixed(3)} nats${controls.length > 0 ? `, more than with ${less} of ${controls.length} random features that write as much` : ""}.`,
      figure: {
        value: last.divergence,
        unit: "nats",
        comparedWith: [UNCHANGED, ...(controls.length > 0 ? [RANDOM] : [])],
      },
    },
    names.length > 0 && { text: `Most gained by ${listed(names)}.` },
    {
      text:
        last.text === unchanged.text
          ? `It writes what it writes without: ${quoted(shown(last.text))}.`
          : `It writes ${quoted(shown(last.text))} in place of ${quoted(shown(unchanged.text))}.`,
    },
    surprise(unchanged, last),
  ];
}

function surprise(unchanged: SteeredRow, last: SteeredRow): Statement {
  const less = last.surprise < unchanged.surprise ? "less" : "more";
  return {
    text: `To the unchanged model that text has ${last.surprise.toFixed(2)} nats a token, ${less} than its own ${unchanged.surprise.toFixed(2)}.`,
    figure: { value: last.surprise, unit: "nats", comparedWith: [ITS_TEXT] },
  };
}

/** A text on one line. */
const shown = (text: string) => text.trim().replaceAll("\n", "↵");

const NATS = { unit: "nats", digits: 3 };
const HELD = column("held", "The activation that the feature is held at; blank: the run as it is.", {
  title: "held at",
  digits: 2,
});
const PROBABILITY = column("probability", "Of that token.", { format: "percent" });
const DIVERGENCE = column("divergence", "How far the next token's distribution is from the unchanged run's.", {
  ...NATS,
  title: "moves",
});
const OTHERS = column("random", "The same of random features that write as much: the median.", {
  ...NATS,
  title: "random feature",
});
const TEXT = column("text", "What it writes, the most probable token after each; ↵ is a line break.", {
  format: "text",
});
const SURPRISE = column("surprise", "−log probability of that text's tokens in the unchanged model, the mean.", {
  unit: "nats",
  digits: 2,
});
const BEFORE = column("before", "In the unchanged run.", { title: "unchanged", format: "percent" });
const AFTER = column("after", "With the feature held at the largest value.", { title: "steered", format: "percent" });

function tables({ rows }: FeatureSteeringMeasurement, moved: readonly SteeredTokenRow[]): Table[] {
  const comparedWith = [UNCHANGED, RANDOM];
  return [
    tableOf({ name: "values", title: "The feature held at each value", comparedWith }, rows, [
      HELD,
      as(NEXT, "The most probable next token."),
      PROBABILITY,
      DIVERGENCE,
      OTHERS,
      SURPRISE,
      [TEXT, ({ text }) => shown(text)],
    ]),
    tableOf({ name: "tokens", title: "Tokens whose probability changes most", comparedWith: [UNCHANGED] }, moved, [
      as(TOKEN, "The token."),
      BEFORE,
      AFTER,
    ]),
  ];
}

/** The tokens whose probabilities change most at the largest value, those that rise first. */
function movedTokens({ tokens }: FeatureSteeringMeasurement, top: number): SteeredTokenRow[] {
  const change = ({ before, after }: SteeredTokenRow) => after - before;
  return tokens.top(top, (row) => Math.abs(change(row))).rows.toSorted((a, b) => change(b) - change(a));
}

function pictures({ rows, controls }: FeatureSteeringMeasurement): FindingParts["pictures"] {
  return [
    {
      kind: "bar",
      name: "tokens",
      title: "What comes next, without and with the feature at the largest value",
      table: "tokens",
      x: { column: TOKEN.name, label: "" },
      y: { column: [BEFORE.name, AFTER.name], label: "probability", unit: "%" },
      horizontal: true,
    },
    rows.length > 2 && {
      kind: "line",
      name: "moves",
      title: "How far the prediction moves",
      caption:
        "Where the line is above that of random features, the feature does more than a change of that size does.",
      table: "values",
      x: { column: HELD.name, label: "held at" },
      y: {
        column: controls.length > 0 ? [DIVERGENCE.name, OTHERS.name] : [DIVERGENCE.name],
        label: "KL divergence",
        unit: "nats",
      },
    },
  ];
}

function baselines({ rows: [unchanged], controls }: FeatureSteeringMeasurement): FindingParts["baselines"] {
  return [
    control(UNCHANGED, "The prediction of the run as it is, which has not moved.", 0, "nats"),
    controls.length > 0 && {
      name: RANDOM,
      kind: "control",
      text: `How far each of ${controls.length} random features moves it that write as much at the largest value: the median, and the range of 95 % of them.`,
      unit: "nats",
      ...spread(
        controls.rows.map(({ divergence }) => divergence),
        median,
      ),
    },
    control(ITS_TEXT, "The same of the text that the unchanged model writes.", unchanged.surprise, "nats"),
  ];
}

const OPTIONS = { ...FEATURE_STEERING_OPTIONS, top: topOption("tokens") } as const satisfies AnalysisOptions;

/** The analysis for the index. */
export const featureSteeringAnalysis = analysis({
  name: "feature-steering",
  question: QUESTION,
  description:
    "Holds a feature of a sparse dictionary at several values while a prompt is read and continued: what comes next, how far the prediction moves compared with random features that write as much, and what the model writes.",
  example: { prompt: "The old sailor told us that", feature: 442, value: 8 },
  options: OPTIONS,
  run: featureSteering,
});
