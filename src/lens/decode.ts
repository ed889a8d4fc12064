/** One more token after those whose keys and values are kept: the same graph at every step, planned once. */
import { Tensor } from "../graph/tensor.ts";
import { compose } from "../models/compose.ts";
import { keptKeys } from "../models/parts/places.ts";
import { type NDArray, ndarray } from "../tensor/array.ts";
import type { KeyValueCache } from "./key-value-cache.ts";
import type { Model } from "./model.ts";
import { tracePass } from "./trace-pass.ts";

/** From the last token of each prompt, int32 [batch 1], to the logits after it, [batch 1 d_vocab]; the cache grows by it. */
export type DecodeStep = (tokens: Tensor) => Promise<Tensor>;

/** @param tokens int32 [batch 1]; only its shape is used */
export async function decodeStep(model: Model, cache: KeyValueCache, tokens: Tensor): Promise<DecodeStep> {
  const past = cache.layers!;
  const [batch] = tokens.shape;
  const windows = [...new Set([null, ...compose(model.cfg).blocks.map(({ attention }) => attention.window)])];
  /** Positions of the keys that each window leaves, once there are `earlier` positions. */
  const keyIds = (earlier: number) =>
    windows.map((window) => {
      const kept = keptKeys(window, earlier);
      return positions(batch, earlier - kept, kept + 1);
    });
  const positionIds = positions(batch, cache.length, 1);
  const keyLeaves = keyIds(cache.length);
  const keyPositionIds = new Map(windows.map((window, i) => [window, keyLeaves[i]]));
  const pass = tracePass(model, { tokens, positionIds, keyPositionIds, past, earlier: cache.length });
  const points = past.flatMap((_, layer) => ["k", "v"].map((x) => pass.points.get(`blocks.${layer}.attn.hook_${x}`)!));
  const outputs = [pass.output, ...points];
  const inputs = [tokens, positionIds, ...keyLeaves, ...past.flatMap(({ keys, values }) => [keys, values])];
  const step = await model.engine.program(inputs, outputs);
  return async (next) => {
    const turn = cache.turn(model);
    try {
      turn.mask({ tokens: next, attentionMask: undefined });
      const held = turn.layers!.flatMap(({ keys, values }) => [keys.array!, values.array!]);
      const ids = positions(batch, turn.length, 1).array!;
      const ofKeys = keyIds(turn.length).map(({ array }) => array!);
      const [logits, ...keysValues] = await step([next.array!, ids, ...ofKeys, ...held]);
      turn.commit(keysValues.map((array: NDArray, i) => Tensor.leaf(array, points[i].axes)));
      return Tensor.leaf(logits, pass.output.axes);
    } finally {
      turn.end();
    }
  };
}

/** `count` positions from `first` on, in each row: int32 [batch pos]. */
function positions(batch: number, first: number, count: number): Tensor {
  const ids = Int32Array.from({ length: batch * count }, (_, i) => first + (i % count));
  return Tensor.leaf(ndarray("int32", [batch, count], ids), ["batch", "pos"]);
}
