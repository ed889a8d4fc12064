/** The small pictures of all heads, on one canvas behind their buttons, so that all of them can fade at each move of the pointer. */
import { all, the } from "../root.ts";
import { headOf } from "./head-grid.ts";

/** The most pixels along a side, and of the whole, that every browser has room for. */
const LONGEST = 16_000;
const LARGEST = 16_000_000;
/** How much is left of a head that has nothing to do with a token. */
const FAINTEST = 0.2;

interface Place {
  readonly head: number;
  readonly left: number;
  readonly top: number;
  readonly side: number;
}

export class Thumbs {
  /** The side of a head's picture, in pixels. */
  readonly side: number;
  readonly #grid: HTMLElement | null;
  readonly #canvas: HTMLCanvasElement | null;
  /** Every head's picture, `#columns` in a row. */
  readonly #sheet = document.createElement("canvas");
  readonly #columns: number;
  readonly #slots = new Map<number, number>();
  readonly #smooth: boolean;
  #places: readonly Place[] = [];
  #ratio = 1;

  /** @param side the side of a picture, in pixels @param smooth whether their pixels run into each other when they are drawn larger */
  constructor(grid: HTMLElement | null, side: number, smooth: boolean) {
    this.side = side;
    this.#grid = grid;
    this.#smooth = smooth;
    this.#canvas = grid && the<HTMLCanvasElement>(".thumbs", grid);
    const heads = grid ? all(".head", grid).map(headOf) : [];
    for (const [slot, head] of heads.entries()) this.#slots.set(head, slot);
    this.#columns = Math.ceil(Math.sqrt(heads.length));
    this.#sheet.width = this.#columns * side;
    this.#sheet.height = Math.ceil(heads.length / Math.max(1, this.#columns)) * side;
  }

  /** Takes a head's picture. */
  put(head: number, picture: ImageData): void {
    const [x, y] = this.#slotOf(head);
    this.#sheet.getContext("2d")!.putImageData(picture, x, y);
  }

  /** Reads where the buttons are. */
  layOut(): void {
    const [grid, canvas] = [this.#grid, this.#canvas];
    if (!grid || !canvas) return;
    // The canvas is itself a part of what scrolls.
    canvas.style.width = canvas.style.height = "0";
    const [width, height] = [grid.scrollWidth, grid.scrollHeight];
    const from = grid.getBoundingClientRect();
    const [left, top] = [from.left + grid.clientLeft - grid.scrollLeft, from.top + grid.clientTop - grid.scrollTop];
    this.#places = all(".head", grid).map((button) => {
      const box = the(".thumb", button).getBoundingClientRect();
      return { head: headOf(button), left: box.left - left, top: box.top - top, side: box.width };
    });
    const room = Math.min(LONGEST / Math.max(width, height, 1), Math.sqrt(LARGEST / Math.max(width * height, 1)));
    this.#ratio = Math.min(devicePixelRatio || 1, room);
    canvas.width = Math.round(width * this.#ratio);
    canvas.height = Math.round(height * this.#ratio);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }

  /** Draws all, each as strongly as its part says: 1 for the whole picture, 0 for the faintest. */
  draw(part: (head: number) => number): void {
    const context = this.#canvas?.getContext("2d");
    if (!context) return;
    const { side } = this;
    context.setTransform(this.#ratio, 0, 0, this.#ratio, 0, 0);
    context.clearRect(0, 0, context.canvas.width / this.#ratio, context.canvas.height / this.#ratio);
    context.imageSmoothingEnabled = this.#smooth;
    for (const place of this.#places) {
      const [x, y] = this.#slotOf(place.head);
      context.globalAlpha = FAINTEST + (1 - FAINTEST) * part(place.head);
      context.drawImage(this.#sheet, x, y, side, side, place.left, place.top, place.side, place.side);
    }
  }

  #slotOf(head: number): readonly [x: number, y: number] {
    const slot = this.#slots.get(head)!;
    return [(slot % this.#columns) * this.side, Math.floor(slot / this.#columns) * this.side];
  }
}
