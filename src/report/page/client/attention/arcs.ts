/** Arrows between tokens: from the one that attends to those that it attends to, for the token that is shown. */
import { the } from "../root.ts";

const SVG = "http://www.w3.org/2000/svg";
/** The most arrows: more would hide the text. */
const MOST = 10;
/** Weights below this part of the largest have no arrow. */
const LEAST = 0.05;
/** The length of a tip's sides, in pixels. */
const TIP = 4;

/** A weight and the colour of its arrow. */
export interface Arc {
  readonly from: number;
  readonly to: number;
  readonly weight: number;
  readonly color: string;
}

interface Place {
  readonly x: number;
  readonly y: number;
}

export class Arcs {
  readonly #svg: SVGElement;
  readonly #paths: readonly SVGPathElement[];
  readonly #spans: readonly HTMLElement[];
  readonly #places = new Map<number, Place>();

  constructor(box: HTMLElement, spans: readonly HTMLElement[]) {
    this.#spans = spans;
    this.#svg = the<SVGElement>(".arcs", box);
    this.#paths = Array.from({ length: MOST }, () => document.createElementNS(SVG, "path"));
    this.#svg.replaceChildren(...this.#paths);
  }

  /** Tokens have moved: their places are read again. */
  layOut(): void {
    this.#places.clear();
    this.#svg.style.height = "0";
    const { scrollHeight } = this.#svg.parentElement!;
    this.#svg.style.height = `${scrollHeight}px`;
  }

  /** Draws the largest of these. */
  draw(arcs: readonly Arc[]): void {
    const largest = arcs.reduce((most, { weight }) => Math.max(most, weight), 0);
    const drawn = arcs
      .filter(({ weight }) => weight > 0 && weight >= LEAST * largest)
      .sort((a, b) => b.weight - a.weight)
      .slice(0, MOST);
    this.#paths.forEach((path, i) => {
      const arc = drawn[i];
      if (!arc) {
        path.removeAttribute("d");
        return;
      }
      const part = arc.weight / largest;
      path.setAttribute("d", pathOf(this.#placeOf(arc.from), this.#placeOf(arc.to)));
      path.style.stroke = arc.color;
      path.style.strokeWidth = `${1 + 1.5 * part}`;
      path.style.strokeOpacity = `${0.3 + 0.7 * part}`;
    });
  }

  /** The middle of a token's upper edge, within what scrolls. */
  #placeOf(pos: number): Place {
    const there = this.#places.get(pos);
    if (there) return there;
    const { offsetLeft, offsetTop, offsetWidth } = this.#spans[pos];
    const place = { x: offsetLeft + offsetWidth / 2, y: offsetTop };
    this.#places.set(pos, place);
    return place;
  }
}

/** Up from one token and down to the other. */
function pathOf(from: Place, to: Place): string {
  const loop = from.x === to.x && from.y === to.y;
  const across = loop ? 9 : 0;
  const up = loop ? 16 : Math.min(26, 9 + 0.12 * Math.abs(to.x - from.x));
  const curve = `C${from.x - across} ${from.y - up} ${to.x + across} ${to.y - up} ${to.x} ${to.y}`;
  return `M${from.x} ${from.y}${curve}m${-TIP} ${-TIP}l${TIP} ${TIP} ${TIP} ${-TIP}`;
}
