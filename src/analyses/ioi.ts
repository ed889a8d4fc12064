/** "Does the model know who receives the gift?" */

import { type Finding, finding } from "../finding/finding.ts";
import type { Column, Scalar } from "../finding/table.ts";
import { Tensor } from "../graph/tensor.ts";
import type { Model } from "../lens/model.ts";
import { needNextToken } from "../lens/model-has.ts";
import { prepareInput } from "../lens/model-input.ts";
import { needText } from "../lens/tokens.ts";
import { ndarray } from "../tensor/array.ts";
import { InputError } from "../tensor/errors.ts";
import { percent } from "../tensor/words.ts";
import { analysis } from "./analysis.ts";
import { IOI_NAMES, type IoiPrompt, ioiPrompts, singleTokenNames } from "./ioi/prompts.ts";
import { type AnalysisOptions, type GivenOptions, seedOption, settled } from "./options.ts";
import { modelFacts } from "./prompt.ts";
import { bootstrapInterval } from "./statistics/bootstrap.ts";
import { Random } from "./statistics/random.ts";

/** The options of `measureIoi` and `ioi`. */
export type IoiOptions = GivenOptions<typeof OPTIONS>;

/** The result of `measureIoi`. */
export interface IoiMeasurement {
  readonly prompts: readonly IoiPrompt[];
  /** `logit[io] - logit[s]` after each prompt. */
  readonly differences: readonly number[];
  /** The same after each prompt's control, in which a third person gives. */
  readonly controls: readonly number[];
  /** The names that are one token, and the number of names that are several. */
  readonly names: readonly string[];
  readonly skipped: number;
}

/** How many prompts run together. */
const TOGETHER = 64;

/**
 * The logit difference between indirect object and subject after seeded prompts, and after their controls.
 * @throws InputError without a tokenizer, or if fewer than three names are one token.
 */
export async function measureIoi(model: Model, options: IoiOptions = {}): Promise<IoiMeasurement> {
  const { samples, seed, names = IOI_NAMES, signal, onProgress } = settled("ioi", model, options, OPTIONS);
  needNextToken("ioi", model);
  if (!model.text) {
    throw new InputError("This model has no tokenizer, but the prompts are texts: create it with a tokenizer.");
  }
  const usableNames = singleTokenNames(model, names);
  const prompts = ioiPrompts(samples, usableNames, new Random(seed));
  const measurements: { readonly differences: number[]; readonly controls: number[] } = {
    differences: [],
    controls: [],
  };
  for (let from = 0; from < samples; from += TOGETHER) {
    const some = prompts.slice(from, from + TOGETHER);
    const measured = await model.compute([difference(model, some, "text"), difference(model, some, "control")], {
      signal,
    });
    measurements.differences.push(...(measured[0].data as Float32Array));
    measurements.controls.push(...(measured[1].data as Float32Array));
    onProgress?.({ done: from + some.length, total: samples });
  }
  return { prompts, ...measurements, names: usableNames, skipped: new Set(names).size - usableNames.length };
}

/** `logit[io] - logit[s]` at each text's last token, [batch]. */
function difference(model: Model, prompts: readonly IoiPrompt[], which: "text" | "control"): Tensor {
  const texts = prompts.map((prompt) => prompt[which]);
  const { tokens, attentionMask } = prepareInput(texts, { paddingSide: "right" }, model.cfg, model.text);
  const [batch, pos] = tokens.shape;
  const last = new Int32Array(2 * batch);
  for (let b = 0; b < batch; b++) {
    const own = attentionMask?.data.subarray(b * pos, (b + 1) * pos);
    last.set([b, own ? own.lastIndexOf(1) : pos - 1], 2 * b);
  }
  const ids = (key: "io" | "s") =>
    Tensor.leaf(
      ndarray(
        "int32",
        [batch],
        Int32Array.from(prompts, (prompt) => needText(model).toSingleToken(prompt[key])),
      ),
      ["row"],
    );
  const { output } = model.graph(tokens, { attentionMask });
  const logits = output.gatherRows(Tensor.leaf(ndarray("int32", [batch, 2], last)));
  return logits.pick(ids("io")).sub(logits.pick(ids("s")));
}

const QUESTION = "Does the model know who receives the gift?";
const CHANCE = "chance";
const CONTROL = "a third person gives";
const CONTROL_ACCURACY = "a third person gives, accuracy";
const INTERVAL = "other prompts";

/**
 * Indirect object identification: "When Mary and John went to the store, John gave a book to" should continue with the
 * name that is not John's. Source: Wang et al. 2022; TransformerLens' `evals.ioi_eval`, which draws the same sample every
 * time, while this one draws by seed.
 * @throws InputError without a tokenizer, or if fewer than three names are one token.
 */
export async function ioi(model: Model, options: IoiOptions = {}): Promise<Finding> {
  const { samples, seed } = settled("ioi", model, options, OPTIONS);
  const { prompts, differences, controls, names, skipped } = await measureIoi(model, options);
  const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
  const accuracy = (values: readonly number[]) => mean(values.map((x) => +(x > 0)));
  const of = (order: string) => differences.filter((_, i) => prompts[i].order === order);
  const interval = bootstrapInterval(
    [...prompts.keys()],
    (drawn) => differences.reduce((sum, x, i) => sum + x * drawn[i], 0) / differences.length,
    new Random(seed),
  )!;
  const columns: Column[] = [
    {
      name: "order",
      title: "order",
      format: "text",
      description: "ABBA: the receiver is named first; BABA: the giver.",
    },
    { name: "prompts", title: "prompts", format: "integer", description: "How many prompts." },
    {
      name: "logit_difference",
      title: "logit difference",
      unit: "logits",
      format: { digits: 3 },
      description: "Mean of logit[IO] − logit[S].",
    },
    { name: "accuracy", title: "accuracy", format: "percent", description: "How often IO has the higher logit." },
  ];
  const row = (name: string, values: readonly number[]): Scalar[] => [
    name,
    values.length,
    mean(values),
    accuracy(values),
  ];
  return finding({
    analysis: "ioi",
    question: QUESTION,
    summary: [
      {
        text: `The receiver has the higher logit in ${percent(accuracy(differences))} of ${samples} prompts.`,
        figure: { value: 100 * accuracy(differences), unit: "%", comparedWith: [CHANCE, CONTROL_ACCURACY] },
      },
      {
        text: `On average the receiver's logit is ${Math.abs(mean(differences)).toFixed(2)} logits ${mean(differences) < 0 ? "below" : "above"} the giver's.`,
        figure: { value: mean(differences), unit: "logits", comparedWith: [CONTROL, INTERVAL] },
      },
      { text: `${names.length} names are one token for this model; ${skipped} that are several were left out.` },
    ],
    method: {
      text: `Two people are named, then one of them (S) gives something; the prompt ends where the other's name (IO) should come. The logit difference is logit[IO] − logit[S] at the last token, and a prompt is right if it is above 0. Half of the prompts name IO first (ABBA), half S (BABA); templates, names, places and objects are drawn with the seed. In the control a third person gives, so that only the order of the two names distinguishes them.`,
      references: [
        {
          title: "Interpretability in the Wild: a Circuit for Indirect Object Identification in GPT-2 small",
          url: "https://arxiv.org/abs/2211.00593",
          paper: "Wang et al., 2022",
        },
      ],
    },
    model: modelFacts(model),
    settings: { samples, seed, names: names.length },
    pictures: [
      {
        kind: "hist",
        name: "differences",
        title: "Logit differences of the prompts",
        caption:
          "Right of 0 the receiver is preferred. The control shows what is preferred when the prompt does not decide.",
        series: [
          { name: "prompts", values: differences },
          { name: CONTROL, values: controls },
        ],
        x: { label: "logit[IO] − logit[S]", unit: "logits" },
        of: "prompts",
        references: [{ kind: "x", at: 0, label: "equal" }],
      },
    ],
    tables: [
      {
        name: "orders",
        title: "By the order of the names",
        columns,
        rows: [row("both", differences), row("ABBA", of("ABBA")), row("BABA", of("BABA")), row(CONTROL, controls)],
        comparedWith: [CHANCE, CONTROL],
      },
      {
        name: "prompts",
        title: "All prompts",
        detail: true,
        columns: [
          { name: "prompt", title: "prompt", format: "text", description: "The text." },
          { name: "order", title: "order", format: "text", description: "ABBA or BABA." },
          { name: "io", title: "IO", format: "token", description: "The name that should come." },
          { name: "s", title: "S", format: "token", description: "The name that should not." },
          { ...columns[2], description: "logit[IO] − logit[S] after it." },
          { ...columns[2], name: "control", title: "control", description: "The same where a third person gives." },
        ],
        rows: prompts.map(({ text, order, io: right, s }, i) => [text, order, right, s, differences[i], controls[i]]),
      },
    ],
    baselines: [
      {
        name: CHANCE,
        kind: "reference value",
        text: "Of two names, a guess is right half of the time.",
        value: 50,
        unit: "%",
      },
      {
        name: CONTROL,
        kind: "control",
        text: "The mean difference in the same prompts with a third name in the giver's place.",
        value: mean(controls),
        unit: "logits",
        samples,
        seed,
      },
      {
        name: CONTROL_ACCURACY,
        kind: "control",
        text: "How often the same name is preferred there.",
        value: 100 * accuracy(controls),
        unit: "%",
        samples,
        seed,
      },
      {
        name: INTERVAL,
        kind: "bootstrap interval",
        text: "Where the mean difference would lie with other prompts of the same kind.",
        interval: interval.interval,
        level: interval.level,
        samples: interval.samples,
        seed,
        unit: "logits",
      },
    ],
    caveats: [
      "Only the two names are compared: the model may prefer a pronoun or another word to both.",
      "A model that prefers whichever name was mentioned once also gets it right: the order of the names and the control say little about how.",
      ...(skipped > 0
        ? [
            "The tokenizer decides which names are one token, so models with different tokenizers see different prompts.",
          ]
        : []),
      ...model.notes,
    ],
  });
}

const OPTIONS = {
  samples: { type: "integer", placeholder: "N", description: "how many prompts", default: 100, least: 2 },
  seed: seedOption("templates, names, places, objects"),
  names: {
    type: "texts",
    placeholder: "name",
    description: "first names to draw from",
    defaultText: `${IOI_NAMES.length} common ones`,
  },
} as const satisfies AnalysisOptions;

/** `ioi` for the index. */
export const ioiAnalysis = analysis({
  name: "ioi",
  question: QUESTION,
  description:
    'Indirect object identification (Wang et al. 2022): "When Mary and John went to the store, John gave a book to" should continue with Mary. Logit difference and accuracy on seeded prompts, compared with a control in which a third person gives.',
  example: "--model gpt2 --samples 500 --out report.html",
  counts: "prompts",
  options: OPTIONS,
  run: (model, options, context) => ioi(model, { ...options, ...context }),
});
