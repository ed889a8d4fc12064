/** SAELens' names of architectures: each says what a dictionary is composed of. */
import { ACTIVATIONS, type ActivationName } from "./activations.ts";

/** What a dictionary is composed of. */
export interface Composition {
  readonly activation: ActivationName;
  /** Whether it writes what something else than its input is to be: it has an output of its own, and reads another hook point. */
  readonly transcoder: boolean;
  /** Whether `x W_skipᵀ` is added to its output; only transcoders have that. */
  readonly skip: boolean;
}

const NAMES = Object.keys(ACTIVATIONS) as ActivationName[];

/** A composition's name: `standard`, `jumprelu`, `transcoder`, `topk_skip_transcoder`. */
export function architectureName({ activation, transcoder, skip }: Composition): string {
  const kind = activation === "relu" ? "" : activation;
  if (!transcoder) return kind || "standard";
  return [kind, skip ? "skip" : "", "transcoder"].filter(Boolean).join("_");
}

/** Every architecture by its name. */
export const ARCHITECTURES: ReadonlyMap<string, Composition> = new Map(
  [
    { transcoder: false, skip: false },
    { transcoder: true, skip: false },
    { transcoder: true, skip: true },
  ]
    .flatMap((shape) => NAMES.map((activation): Composition => ({ activation, ...shape })))
    .map((composition) => [architectureName(composition), composition]),
);
