/** Transcoders on a run: which features are active where, what they write, and what the MLPs write besides. */
import type { TranscoderLayer } from "../../dictionaries/transcoder-layer.ts";
import type { TranscoderSet } from "../../dictionaries/transcoder-set.ts";
import { Tensor } from "../../graph/tensor.ts";
import type { Model } from "../../lens/model.ts";
import { zeros } from "../../tensor/array.ts";
import { ArgumentError } from "../../tensor/errors.ts";
import type { FeatureKind } from "./trace.ts";
import { type ActiveFeature, FeatureRows, silentPositions, type TranscodedLayer } from "./transcoded-layer.ts";
import { transcoderFeatures } from "./transcoder-features.ts";

/**
 * Features of transcoders, for tracing.
 * @throws ArgumentError for transcoders of another model
 */
export function transcoderKind(of: string, model: Model, set: TranscoderSet, signal?: AbortSignal): FeatureKind {
  needOwn(of, model, set);
  const layers = Array.from({ length: set.nLayers }, (_, layer) => layer);
  return {
    points: layers.flatMap((layer) => [set.inputHook(layer), set.outputHook(layer)]),
    pass: (graph) => {
      const read = layers.map((layer) => graph.at(set.inputHook(layer)));
      const written = layers.map((layer) => graph.at(set.outputHook(layer)));
      return {
        values: [...read, ...written],
        features: async (computed) => {
          const opened: TranscodedLayer[] = [];
          for (const layer of layers) {
            const coder = await set.layer(layer, { signal });
            const [input, output] = [computed[layer], computed[layers.length + layer]];
            const encoded = await encodedBy(model, coder, input, signal);
            const silent = silentPositions(model.cfg);
            opened.push({ ...encoded, coder, output, silent, read: read[layer], written: written[layer] });
          }
          return transcoderFeatures(opened, signal);
        },
      };
    },
  };
}

/** @throws ArgumentError for transcoders of another model */
function needOwn(of: string, { cfg }: Model, set: TranscoderSet): void {
  if (set.nLayers === cfg.nLayers && set.dModel === cfg.dModel) return;
  const trained = set.modelName ? ` of ${set.modelName}` : "";
  throw new ArgumentError(
    `${of} needs transcoders for the ${cfg.nLayers} layers of ${cfg.modelName}, with d_model ${cfg.dModel}, but ${set.name} has them for ${set.nLayers} layers${trained}, with d_model ${set.dModel}.`,
    { asked: [set.nLayers, set.dModel], found: [cfg.nLayers, cfg.dModel] },
  );
}

/** Which features are active, and their rows. */
async function encodedBy(
  model: Model,
  coder: TranscoderLayer,
  input: Tensor,
  signal: AbortSignal | undefined,
): Promise<Pick<TranscodedLayer, "skipped" | "bias" | "active" | "rows">> {
  const [, length, width] = input.shape;
  const nothing = Tensor.leaf(zeros("float32", [1, 1, width]), input.axes);
  const skip = coder.skip && Tensor.leaf(coder.skip, ["d_model", "d_model"]).transpose(0, 1);
  const values = [coder.encode(input).acts, coder.encode(nothing).pre, ...(skip ? [input.matmul(skip)] : [])];
  const [acts, bias, skipped] = await model.compute(values, { signal });
  const { dSae } = coder.cfg;
  const active: ActiveFeature[] = [];
  for (let pos = silentPositions(model.cfg); pos < length; pos++) {
    for (let feature = 0; feature < dSae; feature++) {
      const activation = acts.data[pos * dSae + feature];
      if (activation !== 0) active.push({ pos, feature, activation });
    }
  }
  const rows = new FeatureRows(coder);
  await rows.read(
    active.map(({ feature }) => feature),
    signal,
  );
  return { active, bias: bias.data as Float32Array, skipped, rows };
}
