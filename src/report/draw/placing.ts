/** Finds room for words among what is drawn: of several candidates the first that covers least. */

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Room for words, and where in it they are: its width is an estimate. */
export interface WordBox extends Box {
  readonly anchor: "start" | "middle" | "end";
}

/** Where words with this anchor begin, centre or end. */
export function anchorX({ x, width, anchor }: WordBox): number {
  return anchor === "start" ? x : anchor === "end" ? x + width : x + width / 2;
}

function overlaps(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

function inside(a: Box, b: Box): boolean {
  return a.x >= b.x && a.y >= b.y && a.x + a.width <= b.x + b.width && a.y + a.height <= b.y + b.height;
}

/** A frame with the words that are already in it, and what words had better not cover. */
export class Placing {
  readonly #words: Box[] = [];
  readonly #drawn: { readonly box: Box; readonly weight: number }[] = [];

  readonly #frame: Box;

  constructor(frame: Box) {
    this.#frame = frame;
  }

  /** Something drawn: words cover it only where there is no better place, the less the more it weighs. */
  avoid(box: Box, weight = 1): void {
    this.#drawn.push({ box, weight });
  }

  /** A line, as boxes along it. */
  avoidLine(from: readonly [number, number], to: readonly [number, number], weight = 1): void {
    const steps = Math.max(1, Math.ceil(Math.hypot(to[0] - from[0], to[1] - from[1]) / 5));
    for (let i = 0; i <= steps; i++) {
      const at = (k: 0 | 1) => from[k] + ((to[k] - from[k]) * i) / steps;
      this.avoid({ x: at(0) - 1, y: at(1) - 1, width: 2, height: 2 }, weight);
    }
  }

  /** The candidate that covers least, if that is at most `most`: inside the frame, and on no other words. */
  place<T extends Box>(candidates: Iterable<T>, most = Number.POSITIVE_INFINITY): T | undefined {
    let best: T | undefined;
    let least = most;
    for (const box of candidates) {
      if (!inside(box, this.#frame) || this.#words.some((other) => overlaps(box, other))) continue;
      let cost = 0;
      for (const { box: other, weight } of this.#drawn) if (overlaps(box, other)) cost += weight;
      if (best ? cost >= least : cost > least) continue;
      [best, least] = [box, cost];
      if (cost === 0) break;
    }
    if (best) this.#words.push(best);
    return best;
  }
}
