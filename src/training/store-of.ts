/** Where a training run keeps its checkpoints: a store, or a folder where the platform has folders. */
import { platform } from "../platform.ts";
import { ArgumentError } from "../tensor/errors.ts";
import type { CheckpointStore } from "./checkpoint-store.ts";

/** @throws ArgumentError for a path where there are no folders. */
export function storeOf(place: string | CheckpointStore): CheckpointStore {
  if (typeof place !== "string") {
    const lacks = (["check", "write", "open"] as const).find((method) => typeof place[method] !== "function");
    if (lacks === undefined) return place;
    throw new ArgumentError(`A CheckpointStore must have ${lacks}(), and the one passed as saveDir does not.`, {
      asked: lacks,
    });
  }
  const { checkpoints } = platform();
  if (checkpoints) return checkpoints(place);
  throw new ArgumentError(`There is no folder "${place}" here: pass a CheckpointStore as saveDir.`, { asked: place });
}
