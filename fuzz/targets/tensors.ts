/** Whether two sets of tensors are the same. */
import type { NDArray } from "../../src/index.ts";

export function sameTensors(
  found: ReadonlyMap<string, NDArray>,
  expected: ReadonlyMap<string, NDArray>,
): string | undefined {
  if ([...found.keys()].sort().join() !== [...expected.keys()].sort().join()) return `tensors ${[...found.keys()]}`;
  for (const [name, a] of found) {
    const b = expected.get(name)!;
    if (a.dtype !== b.dtype || a.shape.join() !== b.shape.join()) return `${name} is ${a.dtype} [${a.shape}]`;
    if (a.data.some((x, i) => !Object.is(x, b.data[i]))) return `${name} has other numbers`;
  }
  return undefined;
}
