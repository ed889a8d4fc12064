/** Features that write the like of another one. */
import type { Dictionary } from "../../dictionaries/dictionary.ts";
import type { HookedTransformer } from "../../lens/hooked-transformer.ts";
import { largestIndices } from "../top-tokens.ts";

/** A feature, and how much its direction is another one's. */
export interface NearFeatureRow {
  readonly d_sae: number;
  /** The cosine of the two decoder rows. */
  readonly cosine: number;
}

/** The other features with the largest cosine of decoder rows. */
export async function nearestRows(
  model: HookedTransformer,
  { weights, dSae }: Dictionary,
  feature: number,
  { top, signal }: { readonly top: number; readonly signal: AbortSignal | undefined },
): Promise<NearFeatureRow[]> {
  const W_dec = weights.get("W_dec")!;
  const own = W_dec.at({ d_sae: feature });
  const dots = W_dec.matmul(own.unsqueeze(-1, "one")).squeeze(-1);
  const [dot, squares] = await model.compute([dots, W_dec.mul(W_dec).sum(-1)], { signal });
  const norms = Array.from(squares.data, Math.sqrt);
  // A feature that writes nothing has no direction.
  const cosine = (i: number) => (norms[i] * norms[feature] > 0 ? dot.data[i] / (norms[i] * norms[feature]) : 0);
  const cosines = Array.from({ length: dSae }, (_, i) => (i === feature ? -Infinity : cosine(i)));
  return largestIndices(cosines, Math.min(top, dSae - 1)).map((d_sae) => ({ d_sae, cosine: cosines[d_sae] }));
}
