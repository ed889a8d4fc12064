/** The runtime that a page fetches, in the total of a model's download: counted once it is there. If nothing is downloaded but the runtime, nothing is reported. */
import type { Engine } from "../engine/engine.ts";
import type { TotalProgress } from "../load/total-progress.ts";

/** Adds what is awaited of the runtime to a total. @returns reports it; undefined where nothing is awaited, or nobody wants to know */
export function countedRuntime(total: TotalProgress, engine: Engine | undefined): (() => void) | undefined {
  const { report } = total;
  const awaited = engine?.awaited;
  if (!report || !awaited) return undefined;
  const { file, bytes } = awaited;
  const of = engine.backend.name;
  const counted = { done: 0, total: bytes };
  total.expect(of, new Map([[file, counted]]));
  return () => {
    if (!engine.awaited) counted.done = bytes;
    if (total.begun) report({ ...counted, unit: "bytes", file, of });
  };
}
