/** Which features are changed, one at a time, where more could be than are worth a run: the largest estimates, and some at random. */
import { Random } from "../statistics/random.ts";
import { largestIndices } from "../top-tokens.ts";

/** Why a feature was changed. */
export type ChosenGroup = "largest estimates" | "drawn at random";

/** A feature that is changed at a place. */
export interface Chosen<Place> {
  readonly place: Place;
  readonly group: ChosenGroup;
}

/** All places if they are few; else half of that many with the largest estimates, and as many drawn at random. */
export function chosenPlaces<Place extends { readonly estimated: number }>(
  places: readonly Place[],
  most: number,
  seed: number,
): Chosen<Place>[] {
  const sizes = places.map(({ estimated }) => Math.abs(estimated));
  const largest = places.length <= most ? places.length : Math.ceil(most / 2);
  const order = largestIndices(sizes, places.length);
  const others = order.slice(largest);
  const drawn = new Random(seed).sample(others.length, Math.min(others.length, most - largest));
  return [
    ...order.slice(0, largest).map((i): Chosen<Place> => ({ place: places[i], group: "largest estimates" })),
    ...Array.from(drawn, (i): Chosen<Place> => ({ place: places[others[i]], group: "drawn at random" })),
  ];
}
