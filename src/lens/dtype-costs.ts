/** What it costs to keep a model's weights in fewer bits: how far its predictions are from those of the float32 model. */
import { Tensor } from "../graph/tensor.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { bytesOf, KEPT_DTYPES, type KeptDType } from "../tensor/kept.ts";
import { ANYTHING, listOf, oneOf, TEXT } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import { uniform } from "../tensor/random.ts";
import type { FromPretrainedOptions, ModelName } from "./from-pretrained.ts";
import { HookedTransformer } from "./hooked-transformer.ts";

/** What to compare, and on which texts. */
export interface DtypeCostsOptions {
  /** What to predict; each text by itself. A model without a tokenizer gets random tokens. */
  readonly texts: readonly string[];
  /** Which dtypes to compare with float32. Default: all of them. */
  readonly dtypes?: readonly KeptDType[] | undefined;
  /** How to open the model. */
  readonly open?: Omit<FromPretrainedOptions, "dtype"> | undefined;
}

const OPTIONS: OptionKinds<DtypeCostsOptions> = {
  texts: listOf(TEXT, "texts"),
  dtypes: listOf(oneOf(KEPT_DTYPES), "dtypes"),
  open: ANYTHING,
};

/** One way of keeping weights, compared with float32. */
export interface DtypeCost {
  readonly dtype: KeptDType;
  /** Of all weights. */
  readonly bytes: number;
  /** Mean over positions of KL(float32's next-token distribution || this one's), in nats. */
  readonly kl: number;
  /** The same at the position where it is largest. */
  readonly largestKl: number;
  /** Share of positions whose most probable next token is the same. */
  readonly sameTop: number;
  /** How many positions that is. */
  readonly positions: number;
  /** Whether the tokens were random ones, because the model has no tokenizer. */
  readonly random: boolean;
}

/**
 * Opens a model once for each dtype and compares its predictions with float32's.
 * @param name as for `fromPretrained`
 * @throws ArgumentError without texts, and whatever opening the model throws
 */
export async function dtypeCosts(name: ModelName, options: DtypeCostsOptions): Promise<DtypeCost[]> {
  checkOptions("dtypeCosts", options, OPTIONS);
  const { texts, dtypes = KEPT_DTYPES, open = {} } = options;
  if (!texts || texts.length === 0)
    throw new ArgumentError("dtypeCosts needs at least one text to predict.", { asked: texts });
  const whole = await HookedTransformer.fromPretrained(name, { ...open, dtype: "float32" });
  const rows = whole.text ? texts.map((text) => whole.toTokens(text)) : [randomRow(whole.cfg)];
  const expected = await predictions(whole, rows);
  const costs: DtypeCost[] = [];
  for (const dtype of dtypes) {
    const model = dtype === "float32" ? whole : await HookedTransformer.fromPretrained(name, { ...open, dtype });
    const found = dtype === "float32" ? expected : await predictions(model, rows);
    costs.push({
      ...{ dtype, bytes: weightsOf(model), random: whole.text === undefined },
      ...(await difference(model, expected, found)),
    });
  }
  return costs;
}

/** Log probabilities [batch pos d_vocab] of the next token, row by row. */
async function predictions(model: HookedTransformer, rows: readonly Tensor[]): Promise<Tensor[]> {
  const all: Tensor[] = [];
  for (const row of rows) {
    const graph = model.graph(row);
    all.push(...(await model.compute([graph.output.logSoftmax()])));
  }
  return all;
}

async function difference(
  model: HookedTransformer,
  expected: readonly Tensor[],
  found: readonly Tensor[],
): Promise<Omit<DtypeCost, "dtype" | "bytes" | "random">> {
  let [sum, largestKl, same, positions] = [0, 0, 0, 0];
  for (const [i, p] of expected.entries()) {
    const q = found[i];
    const top = (x: Tensor) => x.argmax("d_vocab");
    const kl = p.exp().mul(p.sub(q)).sum("d_vocab");
    const [kls, equal] = await model.compute([kl, top(p).equal(top(q))]);
    for (const x of kls.data) {
      sum += x;
      largestKl = Math.max(largestKl, x);
    }
    for (const x of equal.data) same += x;
    positions += kls.data.length;
  }
  return { kl: sum / positions, largestKl, sameTop: same / positions, positions };
}

function weightsOf(model: HookedTransformer): number {
  let bytes = 0;
  for (const [, { array }] of model.weights.entries()) bytes += bytesOf(array!);
  return bytes;
}

function randomRow({ dVocab, nCtx }: HookedTransformer["cfg"]): Tensor {
  const random = uniform(0);
  const data = Int32Array.from({ length: Math.min(nCtx, 64) }, () => Math.floor(random() * dVocab));
  return Tensor.leaf({ dtype: "int32", shape: [1, data.length], data }, ["batch", "pos"]);
}
