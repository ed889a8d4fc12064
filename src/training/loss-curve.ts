/** "How far has training brought the loss, and what would it be without a model?" */

import { modelFacts } from "../analyses/model-facts.ts";

import { type Finding, finding, type Statement } from "../finding/finding.ts";
import { as, column, type Scalar, type Table, tableOf } from "../finding/table.ts";
import type { LineView } from "../finding/view.ts";
import { checkModel } from "../lens/check.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import { ArgumentError, InputError } from "../tensor/errors.ts";
import { listOf, NOT_NEGATIVE, NUMBER, OBJECT, TEXT } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import type { Chance } from "./data/tasks.ts";
import type { HeldOutLoss } from "./evaluate.ts";

/** The course of a training run. */
export interface LossCurveOptions {
  /** The loss of each step's batch, before the step: `TrainResult.losses`. */
  readonly losses: readonly number[];
  readonly heldOut?: readonly HeldOutLoss[] | undefined;
  /** What the loss would be without a model. */
  readonly chances: readonly [Chance, ...Chance[]];
  /** The number of passes over the data; `undefined` for data that is generated as it is needed. */
  readonly epochs?: number | undefined;
  /** The share of the rows that were repeated: `TrainOptions.repeat`. Default 0. */
  readonly repeat?: number | undefined;
  /** What to call the model. Default: its own name. */
  readonly name?: string | undefined;
  /** The settings: steps, learning rate, seed. */
  readonly settings?: Readonly<Record<string, Scalar>> | undefined;
}

const KINDS: OptionKinds<LossCurveOptions> = {
  losses: listOf(NUMBER, "numbers"),
  heldOut: listOf(OBJECT, "steps and losses"),
  chances: listOf(OBJECT, "chances"),
  epochs: NOT_NEGATIVE,
  repeat: NOT_NEGATIVE,
  name: TEXT,
  settings: OBJECT,
};

const QUESTION = "How far has training brought the loss, and what would it be without a model?";
/** The most points on a line: more of them are averaged. */
const MOST_POINTS = 500;
const MOST_ROWS = 20;

/** The course of a training run, and what is said of it. */
interface Course {
  readonly losses: readonly number[];
  readonly heldOut: readonly HeldOutLoss[];
  readonly chances: readonly [Chance, ...Chance[]];
  /** The chances' names. */
  readonly names: [string, ...string[]];
}

/**
 * The losses of a training run, compared with the loss without a model and with the loss on held-out data.
 * @throws InputError for a training run without steps.
 */
export function lossCurve(model: HookedTransformer, options: LossCurveOptions): Finding {
  checkModel("lossCurve", model);
  checkOptions("lossCurve", options, KINDS);
  const { losses, heldOut = [], chances, settings = {} } = options;
  if (!losses || !chances?.length) {
    throw new ArgumentError("lossCurve needs the losses of a training run, and chances to compare them with.", {
      asked: options,
    });
  }
  if (losses.length === 0) throw new InputError("A training run without steps has no losses to show.", { found: 0 });
  const names = chances.map(({ name }) => name) as [string, ...string[]];
  const course: Course = { losses, heldOut, chances, names };
  const curve = curveOf(course);
  return finding({
    analysis: "train",
    question: QUESTION,
    summary: summaryOf(course),
    method: {
      text: "The loss of a step is that of its batch before the step, in nats: the mean of -log of the probability that the model gives to what comes next. The held-out loss is measured now and then, with the model as it is at that step; no step trains on held-out data.",
      references: [
        {
          title: "Decoupled Weight Decay Regularization",
          url: "https://arxiv.org/abs/1711.05101",
          paper: "Loshchilov & Hutter, 2019",
        },
      ],
    },
    model: { ...modelFacts(model), ...(options.name === undefined ? {} : { name: options.name }) },
    settings: { ...settings },
    pictures: [picture(curve, course)],
    tables: [rowsTable(course), everyStep(losses), curveTable(curve)],
    baselines: chances.map(({ name, text, loss }) => ({
      name,
      kind: "reference value",
      text,
      value: loss,
      unit: "nats",
    })),
    caveats: [...caveatsOf(options), ...model.notes],
  });
}

function summaryOf({ losses, heldOut, chances, names }: Course): Finding["summary"] {
  const steps = losses.length;
  const last = Math.max(1, Math.min(50, Math.floor(steps / 10)));
  const recent = mean(losses.slice(-last));
  const after = heldOut.at(-1);
  const figure = (value: number) => ({ value, unit: "nats", comparedWith: names });
  const which = `the mean of the last ${last} batches, each before its step`;
  const more = [...lowestStatement(heldOut, names), ...crossing(losses, last, chances[0])];
  if (!after) {
    const text = `After ${steps} steps the loss is ${nats(recent)}, ${against(recent, chances[0])}: ${which}.`;
    return [{ text, figure: figure(recent) }, ...more];
  }
  const text = `After ${steps} steps the loss on held-out data is ${nats(after.loss)}, ${against(after.loss, chances[0])}.`;
  const onTraining = `On the training data it is ${nats(recent)}, ${which}.`;
  return [{ text, figure: figure(after.loss) }, { text: onTraining, figure: figure(recent) }, ...more];
}

function caveatsOf({ heldOut = [], epochs, repeat = 0 }: LossCurveOptions): string[] {
  return [
    ...(heldOut.length > 0
      ? []
      : [
          "Nothing was held out, so it is not known how the model does on data that it has not seen. Hold some data out to find out.",
        ]),
    ...(epochs !== undefined && epochs > 1
      ? [`There were ${rounded(epochs)} passes over the data: batches in later passes had been trained on before.`]
      : []),
    ...(repeat > 0
      ? [
          `Of the rows that were trained on, ${rounded(100 * repeat)} % say their beginning twice, and the second time is easier to predict: the batches' loss is lower than that of the same texts as they are.`,
        ]
      : []),
    "The loss of a step is that of one batch: a batch that is easier to predict does not mean a better model.",
  ];
}

function lowestStatement(heldOut: readonly HeldOutLoss[], names: [string, ...string[]]): Statement[] {
  const after = heldOut.at(-1);
  if (!after) return [];
  const lowest = heldOut.reduce((a, b) => (b.loss < a.loss ? b : a));
  if (lowest.step === after.step) return [];
  return [
    {
      text: `The held-out data was predicted best after step ${lowest.step}, with ${nats(lowest.loss)}; later steps made it worse.`,
      figure: { value: lowest.loss, unit: "nats", comparedWith: names },
    },
  ];
}

/** When the loss fell below chance: the first step from which the mean of `window` batches is below it. */
function crossing(losses: readonly number[], window: number, chance: Chance): Statement[] {
  let sum = 0;
  for (const [i, loss] of losses.entries()) {
    sum += loss - (losses[i - window] ?? 0);
    if (i + 1 >= window && sum / window < chance.loss) {
      const text = `The batches' loss fell below ${chance.name} by step ${i + 1}.`;
      return [{ text, figure: { value: i + 1, unit: "steps", comparedWith: [chance.name] } }];
    }
  }
  return [
    {
      text: `The batches' loss has not fallen below ${chance.name}: the model has not yet learnt anything beyond that.`,
    },
  ];
}

/** The points of the curve. */
interface Curve {
  /** `done` is the number of steps that the model has had: on average, where a point is a mean of several. */
  readonly rows: readonly { readonly line: string; readonly done: number; readonly loss: number }[];
  /** How many steps a point of the batches' line is the mean of: few enough points are left. */
  readonly each: number;
}

function curveOf({ losses, heldOut }: Course): Curve {
  const each = Math.ceil(losses.length / MOST_POINTS);
  const batches = Array.from({ length: Math.ceil(losses.length / each) }, (_, i) => {
    const part = losses.slice(i * each, (i + 1) * each);
    // The loss of a step belongs to the model after the previous steps.
    return { line: "batches", done: i * each + (part.length - 1) / 2, loss: mean(part) };
  });
  const measured = heldOut.map(({ step, loss }) => ({ line: "held out", done: step, loss }));
  return { rows: [...batches, ...measured], each };
}

function curveTable({ rows }: Curve): Table {
  return tableOf({ name: "curve", title: "The curve", detail: true }, rows, [
    column("line", "The training batches, or the held-out data.", { format: "text" }),
    column("done", "Steps done; of a mean over several steps, their middle.", { title: "steps done" }),
    column("loss", "The loss there, or its mean over a few steps.", { unit: "nats" }),
  ]);
}

function picture({ rows, each }: Curve, { chances }: Course): LineView {
  const all = rows.map(({ loss }) => loss);
  const [least, most] = [Math.min(...all), Math.max(...all)];
  const wide = least > 0 && most > 50 * least;
  return {
    ...{ kind: "line", name: "losses", title: "Loss", table: "curve", x: "done", by: "line" },
    caption: `${each > 1 ? `Each point of the batches' line is the mean of ${each} steps. ` : ""}Dashed: what the loss would be without a model.`,
    y: { column: "loss", ...(wide ? { scale: "log" } : {}) },
    references: chances.map(({ name, loss }) => ({ kind: "y", at: loss, label: `${name}, ${rounded(loss)}` })),
  };
}

const STEP = column("step", "Steps done.", { format: "integer" });

/** The losses by the steps at which held-out data was measured, or by ten even stretches: at most `MOST_ROWS`. */
function rowsTable({ losses, heldOut, names }: Course): Table {
  const steps = losses.length;
  const measuredSteps = heldOut.map(({ step }) => step).filter((step) => step > 0);
  const even = Array.from({ length: Math.min(steps, 10) }, (_, i, all = Math.min(steps, 10)) =>
    Math.round(((i + 1) * steps) / all),
  );
  const every = [...new Set(measuredSteps.length > 0 ? [...measuredSteps, steps] : even)].sort((a, b) => a - b);
  const stride = Math.ceil(every.length / MOST_ROWS);
  const shown = every.filter((_, i) => (every.length - 1 - i) % stride === 0);
  const of = new Map(heldOut.map(({ step, loss }) => [step, loss]));
  const rows = shown.map((step, i) => ({
    step,
    batches: mean(losses.slice(shown[i - 1] ?? 0, step)),
    held_out: of.get(step) ?? null,
  }));
  return tableOf({ name: "losses", title: "Loss, in nats", comparedWith: names }, rows, [
    STEP,
    column("batches", "Mean loss of the steps since the previous row, each on its batch before the step.", {
      unit: "nats",
    }),
    ...(heldOut.length > 0 ? [column("held_out", "Mean loss on held-out data after the step.", { unit: "nats" })] : []),
  ]);
}

function everyStep(losses: readonly number[]): Table {
  const rows = losses.map((loss, i) => ({ step: i + 1, loss }));
  return tableOf({ name: "steps", title: "Every step", detail: true }, rows, [
    as(STEP, "The step's number, from 1."),
    column("loss", "The loss on its batch, before the step.", { unit: "nats" }),
  ]);
}

const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / list.length;
const rounded = (x: number): number => Number(x.toPrecision(3));
const nats = (x: number): string =>
  `${Math.abs(x) < 1e-3 && x !== 0 ? x.toExponential(2) : Number(x.toPrecision(4))} nats`;

function against(loss: number, { name, loss: chance }: Chance): string {
  const apart = Math.abs(chance - loss);
  return `${nats(apart)} ${loss < chance ? "below" : "above"} ${name} (${nats(chance)})`;
}
