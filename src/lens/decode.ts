/** Token after token without hooks: keys are kept as queries meet them, and each step is the same graph, planned once. */
import { Tensor } from "../graph/tensor.ts";
import { compose } from "../models/compose.ts";
import { keptKeys } from "../models/parts/places.ts";
import { ndarray } from "../tensor/array.ts";
import { type CacheTurn, KeyValueCache } from "./key-value-cache.ts";
import type { Model } from "./model.ts";
import { tracePass } from "./trace-pass.ts";

/** From a text's first tokens, and then from the last one of each prompt, int32 [batch pos], to the logits after it, [batch 1 d_vocab]. */
export type Decoder = (tokens: Tensor) => Promise<Tensor>;

/** Numbers in, numbers out: the logits, and each layer's new keys and values. */
type Step = (next: Tensor, turn: CacheTurn) => Promise<readonly Tensor[]>;

/** Begins a text. Its first call runs the prompt, without padding, and each later one a token of each prompt. */
export function decoder(model: Model): Decoder {
  const cache = new KeyValueCache();
  let step: Step | undefined;
  return async (tokens) => {
    const turn = cache.turn(model);
    try {
      turn.mask({ tokens, attentionMask: undefined });
      if (turn.length > 0) step ??= await stepOf(model, turn, tokens);
      const [logits, ...keysValues] = step ? await step(tokens, turn) : await prompted(model, tokens);
      turn.commit(keysValues);
      return logits;
    } finally {
      turn.end();
    }
  };
}

async function prompted(model: Model, tokens: Tensor): Promise<readonly Tensor[]> {
  const { output, placed } = tracePass(model, { tokens });
  const kept = placed.flatMap(({ keys, values }) => [keys, values]);
  return model.engine.run([output.slice("pos", -1), ...kept]);
}

/** @param tokens int32 [batch 1]; only its shape is used */
async function stepOf(model: Model, { layers, length }: CacheTurn, tokens: Tensor): Promise<Step> {
  const past = layers!.map((layer) => ({ ...layer, placed: true }));
  const [batch] = tokens.shape;
  const windows = [...new Set([null, ...compose(model.cfg).blocks.map(({ attention }) => attention.window)])];
  /** Positions of the new tokens, and of the keys that each window leaves, once there are `earlier` positions. */
  const placesAt = (earlier: number) => [
    positions(batch, earlier, 1),
    ...windows.map((window) => {
      const kept = keptKeys(window, earlier);
      return positions(batch, earlier - kept, kept + 1);
    }),
  ];
  const leaves = placesAt(length);
  const [positionIds, ...ofKeys] = leaves;
  const keyPositionIds = new Map(windows.map((window, i) => [window, ofKeys[i]]));
  const { output, placed } = tracePass(model, { tokens, positionIds, keyPositionIds, past, earlier: length });
  const outputs = [output, ...placed.flatMap((own) => [own.keys, own.values])];
  const inputs = [tokens, ...leaves, ...past.flatMap((own) => [own.keys, own.values])];
  const run = await model.engine.program(inputs, outputs);
  return async (next, turn) => {
    const held = turn.layers!.flatMap((own) => [own.keys, own.values]);
    const arrays = await run([next, ...placesAt(turn.length), ...held].map(({ array }) => array!));
    return arrays.map((array, i) => Tensor.leaf(array, outputs[i].axes));
  };
}

/** `count` positions from `first` on, in each row: int32 [batch pos]. */
function positions(batch: number, first: number, count: number): Tensor {
  const ids = Int32Array.from({ length: batch * count }, (_, i) => first + (i % count));
  return Tensor.leaf(ndarray("int32", [batch, count], ids), ["batch", "pos"]);
}
