/** "Which heads attend to what followed last time, and does the model predict repetitions?" */

import { HEAD } from "../finding/columns.ts";
import { type Finding, finding } from "../finding/finding.ts";
import { type Cell, tableOf } from "../finding/table.ts";
import { Tensor } from "../graph/tensor.ts";
import { components } from "../lens/components.ts";
import { computeInParts, passBytes } from "../lens/in-parts.ts";
import type { Model } from "../lens/model.ts";
import type { ModelGraph } from "../lens/model-graph.ts";
import { ndarray } from "../tensor/array.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { analysis } from "./analysis.ts";
import { type AnalysisOptions, type GivenOptions, seedOption, settled, topOption } from "./options.ts";
import { checkWhole, modelFacts, windowCaveats } from "./prompt.ts";
import { Random } from "./statistics/random.ts";

/** The options of `inductionScore`. */
export type InductionScoreOptions = GivenOptions<typeof OPTIONS>;

const QUESTION = "Which heads attend to what followed last time, and does the model predict repetitions?";
const UNIFORM = "uniform attention";
const UNREPEATED = "unrepeated tokens";
const UNREPEATED_LOSS = "unrepeated tokens' loss";

/**
 * Random tokens, repeated once: only the first half can predict the second. A head's induction score is its
 * attention, from tokens of the second half, to the token that followed the same token in the first; the model's is how
 * much lower its loss is in the second half. Source: Olsson et al. 2022.
 * @throws ArgumentError for a length that does not fit into the context twice.
 */
export async function inductionScore(model: Model, options: InductionScoreOptions = {}): Promise<Finding> {
  const asked = settled("inductionScore", model, options, OPTIONS);
  const { samples, seed, top, signal, onProgress } = asked;
  const { cfg } = model;
  const bos = model.text?.bosTokenId;
  const lead = bos === undefined ? 0 : 1;
  const most = Math.floor((cfg.nCtx - lead) / 2);
  const special = new Set([bos, model.text?.eosTokenId, model.text?.padTokenId]);
  const vocabulary = Array.from({ length: cfg.dVocab }, (_, id) => id).filter((id) => !special.has(id));
  const length = asked.length ?? Math.min(50, most, Math.floor(vocabulary.length / 2));
  checkWhole("length", length, 2, most);
  if (2 * length > vocabulary.length) {
    throw new ArgumentError(
      `length is ${length}, but the control needs twice as many different tokens, and the vocabulary has ${vocabulary.length}.`,
      { asked: length, found: vocabulary.length },
    );
  }

  const random = new Random(seed);
  const drawn = Array.from({ length: samples }, () =>
    Array.from(random.sample(vocabulary.length, 2 * length), (i) => vocabulary[i]),
  );
  const start = bos === undefined ? [] : [bos];
  const stripe = stripeOf(lead, length);
  const scores = (graph: ModelGraph) =>
    Array.from({ length: cfg.nLayers }, (_, layer) =>
      graph.at(`blocks.${layer}.attn.hook_pattern`).mul(stripe).sum(["query", "key"]),
    );
  const measured = await computeInParts(
    model,
    samples,
    (from, to) => {
      const some = drawn.slice(from, to);
      const repeated = model.graph(some.map((ids) => [...start, ...ids.slice(0, length), ...ids.slice(0, length)]));
      const unrepeated = model.graph(some.map((ids) => [...start, ...ids]));
      return [repeated.lossPerToken(), unrepeated.lossPerToken(), ...scores(repeated), ...scores(unrepeated)];
    },
    {
      signal,
      most: passBytes(model),
      onDone: (done) => onProgress?.({ done, total: samples }),
    },
  );
  const means = measured.map(meanOverRows);
  const losses = means.slice(0, 2);
  const layersOf = (from: number) => means.slice(from, from + cfg.nLayers);
  const [values, control] = [layersOf(2), layersOf(2 + cfg.nLayers)];

  const heads = components(model).writers.flatMap(({ name, layer, head }) =>
    layer === undefined || head === undefined
      ? []
      : [{ name, score: values[layer][head], control: control[layer][head] }],
  );
  const ranked = [...heads].sort((a, b) => b.score - a.score);
  const [best] = ranked;
  const uniform = uniformScore(lead, length);
  const highestControl = Math.max(...heads.map((head) => head.control));
  // The first token of each half is left out: even in the second half it cannot be predicted.
  const half = (loss: readonly number[], which: 0 | 1) => {
    const from = lead + which * length;
    const own = loss.slice(from, from + length - 1);
    return own.reduce((sum, x) => sum + x, 0) / own.length;
  };
  const [first, second] = [half(losses[0], 0), half(losses[0], 1)];
  const gain = first - second;
  const controlGain = half(losses[1], 0) - half(losses[1], 1);

  return finding({
    analysis: "induction-score",
    question: QUESTION,
    summary: [
      {
        text: `${best.name} has the highest induction score, ${best.score.toFixed(3)}; uniform attention would have ${uniform.toFixed(3)}.`,
        figure: { value: best.score, unit: "", comparedWith: [UNIFORM, UNREPEATED] },
      },
      {
        text: `The loss is ${first.toFixed(2)} nats the first time and ${second.toFixed(2)} the second: the repetition ${gain >= 0 ? "saves" : "costs"} ${Math.abs(gain).toFixed(2)} nats per token.`,
        figure: { value: gain, unit: "nats", comparedWith: [UNREPEATED_LOSS] },
      },
    ],
    method: {
      text: `${samples} sequences of ${length} different random tokens${lead ? " after BOS" : ""}, each then repeated. The induction score of a head is the mean of its attention from each token of the second half to the token that came after the same token in the first, ${length - 1} tokens back. The losses are means over each half without its first token.`,
      references: [
        {
          title: "In-context Learning and Induction Heads",
          url: "https://transformer-circuits.pub/2022/in-context-learning-and-induction-heads",
          paper: "Olsson et al., 2022",
        },
      ],
    },
    model: modelFacts(model),
    settings: { length, samples, seed, top },
    pictures: [
      {
        kind: "imshow",
        name: "scores",
        title: "Induction score of each head",
        caption: `Uniform attention scores ${uniform.toFixed(3)}; the highest score on unrepeated tokens is ${highestControl.toFixed(3)}.`,
        values,
        x: { label: "head" },
        y: { label: "layer" },
        color: { label: "attention", scheme: "Blues", domain: [0, 1] },
      },
      {
        kind: "line",
        name: "loss",
        title: "Loss of each token, the second half repeating the first",
        caption: "Where the model uses the repetition, the line falls after the middle.",
        series: [
          { name: "repeated", y: losses[0] },
          { name: "unrepeated", y: losses[1] },
        ],
        x: { label: "position" },
        y: { label: "loss of the next token", unit: "nats" },
        references: [{ kind: "x", at: lead + length - 1, label: "repetition begins" }],
      },
    ],
    tables: [
      tableOf(
        {
          name: "top",
          title: `The ${Math.min(top, ranked.length)} highest induction scores`,
          comparedWith: [UNIFORM, UNREPEATED],
        },
        ranked.slice(0, top),
        COLUMNS,
      ),
      tableOf({ name: "heads", title: "All heads", detail: true }, heads, COLUMNS),
    ],
    baselines: [
      {
        name: UNIFORM,
        kind: "null model",
        text: "The score of a head that attends equally to every token it can see.",
        value: uniform,
      },
      {
        name: UNREPEATED,
        kind: "control",
        text: "The highest score of any head where the second half consists of other random tokens, so that nothing repeats.",
        value: highestControl,
        samples,
        seed,
      },
      {
        name: UNREPEATED_LOSS,
        kind: "control",
        text: "How much lower the loss of the second half is where nothing repeats.",
        value: controlGain,
        unit: "nats",
        samples,
        seed,
      },
    ],
    caveats: [
      "Random tokens are unlike text: a head may do induction here and something else on text.",
      "An induction head needs an earlier layer to copy from, so a one-layer model has none; its heads may still attend to repeated tokens.",
      "The score only looks at attention, not at what the head copies from there.",
      ...windowCaveats(model),
      ...model.notes,
    ],
  });
}

/** A head and its scores. */
interface ScoredHead {
  readonly name: string;
  readonly score: number;
  readonly control: number;
}

const COLUMNS: readonly Cell<ScoredHead>[] = [
  [HEAD, ({ name }) => name],
  [
    {
      name: "score",
      title: "induction score",
      format: { digits: 3 },
      description: "Mean attention to the token after the same token's first occurrence.",
    },
    ({ score }) => score,
  ],
  [
    {
      name: "unrepeated",
      title: "unrepeated",
      format: { digits: 3 },
      description: "The same attention where the second half consists of other tokens.",
    },
    ({ control }) => control,
  ],
];

/** The mean over the first axis. */
function meanOverRows({ shape: [rows], data }: Tensor): number[] {
  const width = data.length / rows;
  return Array.from({ length: width }, (_, i) => {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += data[row * width + i];
    return sum / rows;
  });
}

/** 1 / length where a query of the second half looks at what followed its token in the first half, [query key]. */
function stripeOf(lead: number, length: number): Tensor {
  const pos = lead + 2 * length;
  const data = new Float32Array(pos * pos);
  for (let query = lead + length; query < pos; query++) data[query * pos + query - length + 1] = 1 / length;
  return Tensor.leaf(ndarray("float32", [pos, pos], data), ["query", "key"]);
}

function uniformScore(lead: number, length: number): number {
  let sum = 0;
  for (let query = lead + length; query < lead + 2 * length; query++) sum += 1 / (query + 1);
  return sum / length;
}

const OPTIONS = {
  length: {
    type: "integer",
    placeholder: "N",
    description: "how many random tokens to repeat",
    least: 2,
    defaultText: "50, or as many as fit",
  },
  samples: { type: "integer", placeholder: "N", description: "how many sequences", default: 8, least: 1 },
  seed: seedOption("the random tokens"),
  top: topOption("heads"),
} as const satisfies AnalysisOptions;

/** `inductionScore` for the index. */
export const inductionScoreAnalysis = analysis({
  name: "induction-score",
  question: QUESTION,
  description:
    "Runs the model on random tokens that are repeated once: measures each head's attention to what followed the same token the first time, and the loss of the second half compared with the first.",
  example: "--length 100 --samples 16 --out report.html",
  counts: "sequences",
  options: OPTIONS,
  run: (model, options, context) => inductionScore(model, { ...options, ...context }),
});
