/** A set of transcoders as files that circuit-tracer reads. */
import { writeSafetensors } from "../../load/index.ts";
import type { NDArray } from "../../tensor/array.ts";
import { ndarray } from "../../tensor/array.ts";
import { ConfigError } from "../../tensor/errors.ts";
import { compositionOf } from "../config.ts";
import type { LayerSource, SetParts } from "../set-parts.ts";

/** A set's `config.yaml`, with the activation where thresholds do not say it. */
interface SetConfig {
  readonly model_name: string | null;
  readonly model_kind: "transcoder_set" | "cross_layer_transcoder";
  readonly feature_input_hook: string;
  readonly feature_output_hook: string;
  readonly scan: string | null;
  readonly activation?: "topk" | undefined;
  readonly k?: number | null | undefined;
}

/**
 * The files of a set by name: `config.yaml`; for each layer `layer_N.safetensors`, or across layers `W_enc_N.safetensors` and
 * `W_dec_N.safetensors`, as the numbers are in memory, float32.
 * @throws ConfigError for what the format cannot say: groups, gates, top-k with relu, negative thresholds with it, normalised inputs, a skip
 * connection across layers
 * Source: circuit-tracer's `to_safetensors`.
 */
export async function circuitTracerFiles(parts: SetParts, signal?: AbortSignal): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  let first: LayerSource | undefined;
  for (let layer = 0; layer < parts.nLayers; layer++) {
    signal?.throwIfAborted();
    const source = await parts.open(layer, signal);
    first ??= source;
    const numbers = await numbersOf(source, `Layer ${layer} of ${parts.name}`, parts, signal);
    for (const [file, arrays] of filesOf(parts, layer, numbers)) files.set(file, writeSafetensors(arrays));
  }
  const { stringify } = await import("yaml");
  files.set("config.yaml", new TextEncoder().encode(stringify(configOf(parts, first!))));
  return files;
}

function configOf(parts: SetParts, { cfg }: LayerSource): SetConfig {
  const isTopk = compositionOf(cfg).activation === "signed_topk";
  return {
    model_name: parts.modelName,
    model_kind: parts.kind === "per-layer" ? "transcoder_set" : "cross_layer_transcoder",
    feature_input_hook: parts.featureInputHook,
    feature_output_hook: parts.featureOutputHook,
    scan: parts.scan,
    ...(isTopk ? { activation: "topk", k: cfg.k } : {}),
  };
}

/** A layer's numbers by circuit-tracer's names. */
interface Numbers {
  readonly encoder: ReadonlyMap<string, NDArray>;
  readonly W_dec: NDArray;
  readonly threshold: NDArray | undefined;
}

async function numbersOf(
  source: LayerSource,
  what: string,
  { kind }: SetParts,
  signal: AbortSignal | undefined,
): Promise<Numbers> {
  const { cfg, skip, bDec } = source;
  const { activation } = compositionOf(cfg);
  const refuse = (why: string): never => {
    throw new ConfigError(`${what} ${why}, which circuit-tracer's format cannot say.`, { asked: cfg.architecture });
  };
  const written = ["relu", "jumprelu", "signed_jumprelu", "signed_topk"];
  if (!written.includes(activation)) refuse(`makes features by "${activation}"`);
  if (cfg.normalizeActivations !== "none") refuse(`normalises its input (${cfg.normalizeActivations})`);
  if (skip && kind === "cross-layer") refuse("has a skip connection across layers");
  const threshold = activation.endsWith("jumprelu") ? source.weight("threshold").array : undefined;
  // Of a negative threshold relu is what decides, and circuit-tracer has no relu there.
  if (activation === "jumprelu" && threshold!.data.some((t) => t < 0)) refuse("has negative thresholds with relu");
  const all = Array.from({ length: cfg.dSae }, (_, feature) => feature);
  const targets = await source.decoderRows(all, signal);
  return {
    encoder: new Map<string, NDArray>([
      ["W_enc", source.encoderRows(all)],
      ["b_enc", source.weight("b_enc").array!],
      ["b_dec", bDec],
      ...(skip ? [["W_skip", skip] as [string, NDArray]] : []),
    ]),
    W_dec: kind === "per-layer" ? targets[0] : byFeature(targets),
    threshold,
  };
}

/** [feature target d_model] of the rows for each target. */
function byFeature(targets: readonly NDArray<"float32">[]): NDArray<"float32"> {
  const [features, width] = targets[0].shape;
  const data = new Float32Array(features * targets.length * width);
  targets.forEach((rows, t) => {
    for (let f = 0; f < features; f++) {
      data.set(rows.data.subarray(f * width, (f + 1) * width), (f * targets.length + t) * width);
    }
  });
  return ndarray("float32", [features, targets.length, width], data);
}

function filesOf({ kind }: SetParts, layer: number, { encoder, W_dec, threshold }: Numbers) {
  if (kind === "per-layer") {
    const own = threshold ? [["activation_function.threshold", threshold] as const] : [];
    return [[`layer_${layer}.safetensors`, new Map([...encoder, ["W_dec", W_dec] as const, ...own])] as const];
  }
  const own = threshold ? [["threshold", threshold] as const] : [];
  const numbered = [...encoder, ...own].map(([name, array]) => [`${name}_${layer}`, array] as const);
  return [
    [`W_enc_${layer}.safetensors`, new Map(numbered)] as const,
    [`W_dec_${layer}.safetensors`, new Map([[`W_dec_${layer}`, W_dec]])] as const,
  ];
}
