/** What removing features costs: which are removed, and the loss without each. */
import type { OnProgress } from "../../tensor/progress.ts";
import { computeInParts, passBytes } from "../in-parts.ts";
import { Random } from "../statistics/random.ts";
import { largestIndices } from "../top-tokens.ts";
import type { FiringPlace } from "./found.ts";
import type { FeaturePass } from "./pass.ts";

/** Why a feature was removed. */
export type RemovedGroup = "largest estimates" | "drawn at random";

/** A feature that is removed at a place. */
interface Chosen {
  readonly place: FiringPlace;
  readonly group: RemovedGroup;
}

/** All places if they are few; else half of that many with the largest estimates, and as many drawn at random. */
export function chosenPlaces(places: readonly FiringPlace[], most: number, seed: number): Chosen[] {
  const sizes = places.map(({ estimated }) => Math.abs(estimated));
  const largest = places.length <= most ? places.length : Math.ceil(most / 2);
  const order = largestIndices(sizes, places.length);
  const others = order.slice(largest);
  const drawn = new Random(seed).sample(others.length, Math.min(others.length, most - largest));
  return [
    ...order.slice(0, largest).map((i): Chosen => ({ place: places[i], group: "largest estimates" })),
    ...Array.from(drawn, (i): Chosen => ({ place: places[others[i]], group: "drawn at random" })),
  ];
}

interface CostOptions {
  /** The loss with nothing removed. */
  readonly loss: number;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: OnProgress | undefined;
}

/** What removing each adds to the loss, in nats. */
export async function removalCosts(
  pass: FeaturePass,
  chosen: readonly Chosen[],
  { loss, signal, onProgress }: CostOptions,
): Promise<Map<FiringPlace, { readonly group: RemovedGroup; readonly cost: number }>> {
  if (chosen.length === 0) return new Map();
  const onDone = (done: number) => onProgress?.({ done, total: chosen.length, unit: "features" });
  const [each] = await computeInParts(
    pass.model,
    chosen.length,
    (from, to) => [pass.removed(chosen.slice(from, to).map(({ place }) => place))],
    { signal, most: passBytes(pass.model), varies: true, onDone },
  );
  return new Map(chosen.map(({ place, group }, i) => [place, { group, cost: each.data[i] - loss }]));
}
