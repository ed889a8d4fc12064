/** By how much a model prefers the receiver's name to the giver's. */

import { Tensor } from "../graph/tensor.ts";
import type { Model } from "../lens/model.ts";
import { needNextToken } from "../lens/model-has.ts";
import { prepareInput } from "../lens/model-input.ts";
import { needText } from "../lens/tokens.ts";
import { ndarray } from "../tensor/array.ts";
import { InputError } from "../tensor/errors.ts";
import { IOI_OPTIONS, type IoiOptions } from "./ioi/options.ts";
import { IOI_NAMES, type IoiPrompt, ioiPrompts, singleTokenNames } from "./ioi/prompts.ts";
import { Measured } from "./measured.ts";
import { settled } from "./options.ts";
import { Random } from "./statistics/random.ts";

/** A prompt and what the model makes of it. */
export interface IoiRow {
  /** Its index. */
  readonly prompt: number;
  readonly order: IoiPrompt["order"];
  readonly io: string;
  readonly s: string;
  /** `logit[io] - logit[s]`. */
  readonly logit_difference: number;
  /** The same after its control, in which a third person gives. */
  readonly control: number;
}

/** Prompts of one order of the names, of both, or the controls. */
export interface IoiOrderRow {
  readonly order: IoiPrompt["order"] | "both" | "control";
  readonly prompts: number;
  /** The mean of `logit[io] - logit[s]`. */
  readonly logit_difference: number;
  /** How often the receiver has the higher logit. */
  readonly accuracy: number;
}

/** The result of `measureIoi`: a row for each prompt. */
export interface IoiMeasurement extends Measured<IoiRow> {
  readonly prompts: readonly IoiPrompt[];
  /** All prompts together, those of each order, and the controls. */
  readonly orders: readonly [both: IoiOrderRow, ABBA: IoiOrderRow, BABA: IoiOrderRow, control: IoiOrderRow];
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
  const { samples, seed, names = IOI_NAMES, signal, onProgress } = settled("measureIoi", model, options, IOI_OPTIONS);
  needNextToken("measureIoi", model);
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
    onProgress?.({ done: from + some.length, total: samples, unit: "prompts" });
  }
  const rows = prompts.map(({ order, io, s }, prompt): IoiRow => {
    const [logit_difference, control] = [measurements.differences[prompt], measurements.controls[prompt]];
    return { prompt, order, io, s, logit_difference, control };
  });
  const skipped = new Set(names).size - usableNames.length;
  return Measured.of(rows, { prompts, orders: ordersOf(rows), names: usableNames, skipped });
}

function ordersOf(rows: readonly IoiRow[]): IoiMeasurement["orders"] {
  const row = (order: IoiOrderRow["order"], differences: readonly number[]): IoiOrderRow => {
    const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
    const accuracy = mean(differences.map((x) => +(x > 0)));
    return { order, prompts: differences.length, logit_difference: mean(differences), accuracy };
  };
  const of = (order?: IoiPrompt["order"]) =>
    rows.flatMap((one) => (order === undefined || one.order === order ? [one.logit_difference] : []));
  const controls = rows.map(({ control }) => control);
  return [row("both", of()), row("ABBA", of("ABBA")), row("BABA", of("BABA")), row("control", controls)];
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
