/** Leaves that are made once for inputs that are alike. */
import type { Tensor } from "../graph/tensor.ts";

/** The same leaves for the same sizes and mask, so that two graphs of one input share what they have in common. */
export function remembered<T>(
  make: (batch: number, pos: number, earlier: number, mask: Tensor | undefined, window: number | null) => T,
): (batch: number, pos: number, earlier: number, mask: Tensor | undefined, window?: number | null) => T {
  const unmasked = new Map<string, T>();
  const masked = new WeakMap<Tensor, Map<string, T>>();
  return (batch, pos, earlier, mask, window = null) => {
    const known = mask ? (masked.get(mask) ?? new Map<string, T>()) : unmasked;
    if (mask) masked.set(mask, known);
    const key = `${batch} ${pos} ${earlier} ${window}`;
    const leaves = known.get(key) ?? make(batch, pos, earlier, mask, window);
    if (known.size >= 16) known.delete(known.keys().next().value!);
    known.set(key, leaves);
    return leaves;
  };
}
