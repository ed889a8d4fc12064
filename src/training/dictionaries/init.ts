/** A dictionary's weights before its training. */
import type { DictionaryConfig } from "../../dictionaries/config.ts";
import { type NDArray, ndarray, zeros } from "../../tensor/array.ts";
import { uniform } from "../../tensor/random.ts";
import type { LossSettings } from "./settings.ts";
import { LOG, trainedSizes } from "./step.ts";

/**
 * Decoder rows drawn evenly between ±1 and scaled to one norm, the encoder their transpose, thresholds as the settings say, and the rest 0;
 * the same for a seed on every machine. Of a transcoder that reads another width the encoder is drawn like the decoder. Source:
 * SAELens' `TrainingSAE.initialize_weights`.
 */
export function initDictionary(cfg: DictionaryConfig, settings: LossSettings, seed: number): Map<string, NDArray> {
  const { dIn, dOut, dSae } = cfg;
  const random = uniform(seed);
  const rows = (width: number): Float32Array => {
    const data = Float32Array.from({ length: dSae * width }, () => 2 * random() - 1);
    for (let row = 0; row < dSae; row++) {
      const part = data.subarray(row * width, (row + 1) * width);
      const norm = Math.hypot(...part) || 1;
      for (let i = 0; i < width; i++) part[i] *= settings.decoderInitNorm / norm;
    }
    return data;
  };
  const decoder = rows(dOut);
  const reads = dIn === dOut ? decoder : rows(dIn);
  const encoder = new Float32Array(dIn * dSae);
  for (let row = 0; row < dSae; row++) for (let i = 0; i < dIn; i++) encoder[i * dSae + row] = reads[row * dIn + i];
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
