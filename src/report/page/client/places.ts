/** Places along named axes, and what lights up at one. */
import { all, type Root } from "./root.ts";

/** A place along named axes, as tables and pictures know it: `{ layer: 0, head: 3, pos: 5 }`. */
export type ViewPlace = Readonly<Record<string, string | number>>;

/** Axes whose index says nothing without the layer, and without which a layer is too little to go by. */
const WITHIN_LAYER = ["head", "kv_head", "d_mlp", "expert"];

/** The place in an element's `data-at`: "layer=0 head=3". */
export function placeIn(text: string): ViewPlace {
  const entries = text.split(" ").map((word) => {
    const [axis, ...rest] = word.split("=");
    const value = rest.join("=");
    return [axis, /^(0|[1-9]\d*)$/.test(value) ? Number(value) : value];
  });
  return Object.fromEntries(entries);
}

/** A place with another one added: another layer's head and neuron are no longer meant. */
export function moved(from: ViewPlace | null, to: ViewPlace): ViewPlace {
  const elsewhere = ["layer", ...WITHIN_LAYER].some((axis) => axis in to);
  const rest = Object.entries(from ?? {}).filter(([axis]) => !(elsewhere && WITHIN_LAYER.includes(axis)));
  return { ...Object.fromEntries(rest), ...to };
}

/** A place without these axes; `null` if nothing is left. */
export function without(from: ViewPlace | null, axes: readonly string[]): ViewPlace | null {
  const rest = Object.entries(from ?? {}).filter(([axis]) => !axes.includes(axis));
  return rest.length > 0 ? Object.fromEntries(rest) : null;
}

/** Whether one place says all that the other does. */
export function includes(place: ViewPlace | null, part: ViewPlace): boolean {
  return place !== null && Object.entries(part).every(([axis, value]) => place[axis] === value);
}

/** Whether two places are the same. */
export function samePlace(a: ViewPlace | null, b: ViewPlace | null): boolean {
  if (a === null || b === null) return a === b;
  return includes(a, b) && includes(b, a);
}

/** The elements of one picture or table at each index of each axis that it knows. */
type Index = ReadonlyMap<string, ReadonlyMap<string, readonly HTMLElement[]>>;

/** Marks what is at a place in each picture and table, as far as it knows the place's axes, with a class. */
export class Lights {
  #lit: readonly Element[] = [];
  /** Looked up at each move of the pointer, so it is made once. */
  #indices: readonly Index[] | undefined;
  readonly #root: Root;
  readonly #mark: string;

  constructor(root: Root, mark: string) {
    this.#root = root;
    this.#mark = mark;
  }

  /** What can be marked has changed. */
  forget(): void {
    this.#indices = undefined;
  }

  /** @param except what is not marked, because it is pointed at */
  show(place: ViewPlace | null, except?: Element): void {
    for (const one of this.#lit) one.classList.remove(this.#mark);
    this.#indices ??= place ? all("figure, .table", this.#root).map(indexOf) : undefined;
    this.#lit = place ? this.#indices!.flatMap((index) => at(index, place)).filter((one) => one !== except) : [];
    for (const one of this.#lit) one.classList.add(this.#mark);
  }
}

function indexOf(group: HTMLElement): Index {
  const index = new Map<string, Map<string, HTMLElement[]>>();
  for (const element of all("[data-at]", group)) {
    for (const word of element.dataset.at!.split(" ")) {
      const [axis] = word.split("=", 1);
      const words = index.get(axis) ?? new Map<string, HTMLElement[]>();
      index.set(axis, words);
      const there = words.get(word);
      if (there) there.push(element);
      else words.set(word, [element]);
    }
  }
  return index;
}

function at(index: Index, place: ViewPlace): readonly HTMLElement[] {
  const vague = WITHIN_LAYER.some((axis) => axis in place && !index.has(axis));
  const axes = Object.keys(place).filter((axis) => index.has(axis) && !(vague && axis === "layer"));
  const lists = axes.map((axis) => index.get(axis)!.get(`${axis}=${place[axis]}`) ?? []);
  const [shortest = [], ...others] = lists.sort((a, b) => a.length - b.length);
  const sets = others.map((list) => new Set(list));
  return shortest.filter((one) => sets.every((set) => set.has(one)));
}
