/** The tokens beside and below the cells: as many as there is room for, and always those that are pointed at. */

/** The letters of tokens on the canvas. */
export const FONT = "11px ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace";
/** The least distance between two labels. */
const PITCH = 11.5;

/** Where the cells are on the canvas, and how far they are scrolled. */
export interface CellsPlace {
  readonly left: number;
  readonly top: number;
  readonly wide: number;
  readonly high: number;
  readonly cell: number;
  readonly scrollLeft: number;
  readonly scrollTop: number;
}

type Marked = readonly [query: number | null, key: number | null];

export class Labels {
  /** The room that they need below the cells. */
  below = 14;
  #every = 1;
  #turned = false;
  readonly #texts: readonly string[];

  constructor(texts: readonly string[]) {
    this.#texts = texts;
  }

  /** The width of the widest. */
  widest(context: CanvasRenderingContext2D): number {
    return Math.max(0, ...this.#texts.map((text) => context.measureText(text).width));
  }

  /** Decides which are written, and whether upright, for cells of this size. */
  fit(context: CanvasRenderingContext2D, cell: number): void {
    const steps = [1, 10, 100, 1000, 10000].flatMap((power) => [2 * power, 5 * power, 10 * power]);
    this.#every = cell >= PITCH ? 1 : (steps.find((step) => step >= PITCH / cell) ?? steps.at(-1)!);
    const due = this.#texts.filter((_, i) => i % this.#every === 0);
    const longest = Math.max(0, ...due.map((text) => context.measureText(text).width));
    this.#turned = longest + 5 > cell;
    this.below = this.#turned ? Math.max(longest, 40) : 14;
  }

  draw(
    context: CanvasRenderingContext2D,
    place: CellsPlace,
    marked: Marked,
    colors: { readonly ink: string; readonly soft: string },
  ): void {
    const { left, top, wide, high, cell, scrollLeft, scrollTop } = place;
    context.font = FONT;
    context.textBaseline = "middle";
    for (let i = 0; i < this.#texts.length; i++) {
      const y = top - scrollTop + (i + 0.5) * cell;
      const x = left - scrollLeft + (i + 0.5) * cell;
      context.fillStyle = marked[0] === i ? colors.ink : colors.soft;
      if (this.#isWritten(i, marked[0], cell) && y >= top && y <= top + high) {
        context.textAlign = "right";
        context.fillText(this.#texts[i], left - 6, y, left - 22);
      }
      context.fillStyle = marked[1] === i ? colors.ink : colors.soft;
      if (this.#isWritten(i, marked[1], cell) && x >= left - 1 && x <= left + wide + 1) {
        this.#below(context, this.#texts[i], x, top + high);
      }
    }
    this.#names(context, place, colors.soft);
  }

  #isWritten(index: number, marked: number | null, cell: number): boolean {
    if (marked === index) return true;
    return index % this.#every === 0 && (marked === null || Math.abs(index - marked) * cell >= PITCH);
  }

  #below(context: CanvasRenderingContext2D, text: string, x: number, bottom: number): void {
    if (!this.#turned) {
      context.textAlign = "center";
      context.fillText(text, x, bottom + 11);
      return;
    }
    context.save();
    context.translate(x, bottom + 7);
    context.rotate(-Math.PI / 2);
    context.textAlign = "right";
    context.fillText(text, 0, 0, this.below);
    context.restore();
  }

  #names(context: CanvasRenderingContext2D, { left, top, wide, high }: CellsPlace, soft: string): void {
    context.fillStyle = soft;
    context.font = "11px system-ui, sans-serif";
    context.textAlign = "center";
    context.fillText("key", left + wide / 2, context.canvas.clientHeight - 8);
    context.save();
    context.translate(8, top + high / 2);
    context.rotate(-Math.PI / 2);
    context.fillText("query", 0, 0);
    context.restore();
  }
}
