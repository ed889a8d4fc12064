/** A dictionary's weights before its training. */
import type { DictionaryConfig } from "../../dictionaries/config.ts";
import { type NDArray, ndarray, zeros } from "../../tensor/array.ts";
import { uniform } from "../../tensor/random.ts";
import type { LossSettings } from "./settings.ts";
import { LOG, trainedSizes } from "./trained-weights.ts";

/**
 * Decoder rows drawn evenly between ±1 and scaled to one norm, the encoder their transpose, thresholds as the settings say, and the rest 0;
 * the same for a seed on every machine. Of a transcoder that reads another width the encoder is drawn like the decoder. Source:
 * SAELens' `TrainingSAE.initialize_weights`.
 */
export function initDictionary(cfg: DictionaryConfig, settings: LossSettings, seed: number): Map<string, NDArray> {
  const { dIn, dOut, dSae } = cfg;
  const random = uniform(seed);
  const rows = (width: number) => drawnRows(dSae, width, settings.decoderInitNorm, random);
  const decoder = rows(dOut);
  const reads = dIn === dOut ? decoder : rows(dIn);
  const encoder = columnsOf(reads, dIn);
  const threshold = () => new Float32Array(dSae).fill(Math.log(settings.jumpreluInitThreshold));
  const drawn: Readonly<Record<string, () => Float32Array>> = {
    W_dec: () => decoder,
    W_enc: () => encoder,
    [`${LOG}threshold`]: threshold,
  };
  return new Map(
    [...trainedSizes(cfg)].map(([name, sizes]): [string, NDArray] => {
      const shape = Object.values(sizes);
      return [name, Object.hasOwn(drawn, name) ? ndarray("float32", shape, drawn[name]()) : zeros("float32", shape)];
    }),
  );
}

/** Rows drawn evenly between ±1 and scaled to one norm. */
export function drawnRows(count: number, width: number, norm: number, random: () => number): Float32Array<ArrayBuffer> {
  const data = Float32Array.from({ length: count * width }, () => 2 * random() - 1);
  return scaledRows(data, width, norm);
}

/** Scales each row to a norm, in place. */
export function scaledRows(data: Float32Array<ArrayBuffer>, width: number, norm: number): Float32Array<ArrayBuffer> {
  for (let at = 0; at < data.length; at += width) {
    const row = data.subarray(at, at + width);
    const factor = norm / (Math.hypot(...row) || 1);
    for (let i = 0; i < width; i++) row[i] *= factor;
  }
  return data;
}

/** Rows [row width] as columns, [width row]. */
export function columnsOf(rows: Float32Array, width: number): Float32Array<ArrayBuffer> {
  const count = rows.length / width;
  const columns = new Float32Array(rows.length);
  for (let row = 0; row < count; row++)
    for (let i = 0; i < width; i++) columns[i * count + row] = rows[row * width + i];
  return columns;
}
