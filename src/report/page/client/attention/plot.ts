/** The large view of a head: its cells with the tokens beside and below them. Only what is in sight is drawn, so that it can be zoomed without end. */
import { all, the } from "../root.ts";
import type { Colors } from "./colors.ts";
import { draft } from "./drafts.ts";
import { FONT, type Labels } from "./labels.ts";
import type { Weights } from "./weights.ts";

const LARGEST_CELL = 28;
/** The cells' distance from the top. */
const TOP = 7;
/** Cells smaller than this are marked by a frame around them. */
const SMALL_CELL = 8;

/** What is shown: a head, and what of it is pointed at or selected. */
export interface Shown {
  readonly head: number;
  readonly token: number | null;
  /** The cell under the pointer: query and key. */
  readonly cell: readonly [query: number, key: number] | null;
  /** Whether a token is a query, so that a row of cells is about it. */
  readonly toSource: boolean;
}

export class Plot {
  readonly frame: HTMLElement;
  readonly canvas: HTMLCanvasElement;
  /** Where the pointer is, for the tip. */
  readonly spot: HTMLElement;
  readonly smaller: HTMLButtonElement;
  readonly larger: HTMLButtonElement;
  zoom = 1;
  cell = 1;
  #left = 0;
  #wide = 0;
  #high = 0;
  /** The largest cell that needs no scrolling. */
  #whole = 1;
  #drawn = "";
  readonly #room: HTMLElement;
  readonly #zooming: HTMLElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #shot = document.createElement("canvas");
  readonly #labels: Labels;
  readonly #weights: Weights;
  readonly #colors: Colors;

  constructor(box: HTMLElement, labels: Labels, weights: Weights, colors: Colors) {
    this.#labels = labels;
    this.#weights = weights;
    this.#colors = colors;
    this.frame = the(".frame", box);
    this.#room = the(".room", box);
    this.canvas = the<HTMLCanvasElement>("canvas", this.#room);
    this.spot = the(".spot", box);
    this.#zooming = the(".zoom", box);
    [this.smaller, this.larger] = all<HTMLButtonElement>("button", this.#zooming);
    this.#context = this.canvas.getContext("2d")!;
  }

  /** Fits everything into the room that there is. */
  layOut(): void {
    const { frame, canvas } = this;
    const n = this.#weights.tokens;
    this.#context.font = FONT;
    this.#left = Math.min(this.#labels.widest(this.#context) + 24, 0.34 * frame.clientWidth);
    const space = frame.clientWidth - this.#left - 2;
    const fit = space / Math.max(1, n);
    this.#whole = fit >= SMALL_CELL ? Math.min(LARGEST_CELL, Math.floor(fit)) : fit;
    this.cell = Math.min(Math.max(this.#whole, LARGEST_CELL), this.#whole * this.zoom);
    this.#labels.fit(this.#context, this.cell);
    const below = this.#labels.below + 26 + TOP;
    const side = n * this.cell;
    this.#layOutZoom();
    const scrolls = side > space + 1;
    const most = Math.min(side, space);
    frame.style.height = `${most + below + (scrolls ? frame.offsetHeight - frame.clientHeight : 0)}px`;
    this.#room.style.width = scrolls ? `${this.#left + side + 2}px` : "100%";
    this.#room.style.height = `${side + below}px`;
    frame.tabIndex = scrolls ? 0 : -1;
    const [width, height] = [frame.clientWidth, frame.clientHeight];
    const ratio = devicePixelRatio || 1;
    this.#wide = Math.min(side, width - this.#left - 2);
    this.#high = Math.min(side, height - below);
    this.#drawn = "";
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    this.#context.setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  /** Draws what is in sight. */
  draw(shown: Shown): void {
    const context = this.#context;
    const { ink, soft, rule, accent } = this.#colors;
    const [left, wide, high] = [this.#left, this.#wide, this.#high];
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    context.save();
    context.beginPath();
    context.rect(left, TOP, wide, high);
    context.clip();
    this.#drawCells(shown.head);
    if (shown.token !== null) this.#frameToken(shown.token, shown.toSource, accent);
    if (shown.cell) this.#frameCell(shown.cell, ink);
    context.restore();
    context.strokeStyle = rule;
    context.lineWidth = 1;
    context.strokeRect(left - 0.5, TOP - 0.5, wide + 1, high + 1);
    const marked = shown.cell ?? [shown.toSource ? shown.token : null, shown.toSource ? null : shown.token];
    const { scrollLeft, scrollTop } = this.frame;
    const place = { left, top: TOP, wide, high, cell: this.cell, scrollLeft, scrollTop };
    this.#labels.draw(context, place, marked, { ink, soft });
  }

  /** The query and key of the cell under a pointer. */
  cellAt({ clientX, clientY }: MouseEvent): readonly [query: number, key: number] | null {
    const box = this.canvas.getBoundingClientRect();
    const [x, y] = [clientX - box.left - this.#left, clientY - box.top - TOP];
    if (x < 0 || y < 0 || x >= this.#wide || y >= this.#high) return null;
    const index = (at: number) => Math.min(this.#weights.tokens - 1, Math.floor(at / this.cell));
    return [index(y + this.frame.scrollTop), index(x + this.frame.scrollLeft)];
  }

  /** Puts the spot, which has the tip, on a cell. */
  putSpot([query, key]: readonly [query: number, key: number]): void {
    const size = `${Math.max(this.cell, 3)}px`;
    const [left, top] = [`${this.#left + key * this.cell}px`, `${TOP + query * this.cell}px`];
    Object.assign(this.spot.style, { left, top, width: size, height: size });
  }

  /** Makes cells larger or smaller around the middle of what is in sight. */
  zoomTo(zoom: number): void {
    const { frame, cell: was } = this;
    const [x, y] = [frame.scrollLeft + this.#wide / 2, frame.scrollTop + this.#high / 2];
    this.zoom = Math.max(1, zoom);
    this.layOut();
    frame.scrollLeft = (x * this.cell) / was - this.#wide / 2;
    frame.scrollTop = (y * this.cell) / was - this.#high / 2;
  }

  #layOutZoom(): void {
    this.#zooming.hidden = this.#whole >= 14;
    this.smaller.disabled = this.zoom <= 1;
    this.larger.disabled = this.cell >= LARGEST_CELL;
    const times = this.cell / this.#whole;
    the("output", this.#zooming).textContent = `${times.toFixed(times < 10 && this.cell % this.#whole ? 1 : 0)}×`;
  }

  #drawCells(head: number): void {
    const n = this.#weights.tokens;
    const { scrollLeft, scrollTop } = this.frame;
    const side = Math.min(n, Math.max(1, Math.ceil(n * this.cell * (devicePixelRatio || 1))));
    const key = [head, side, this.#colors.version].join();
    if (this.#drawn !== key) {
      this.#shot.width = this.#shot.height = side;
      this.#shot.getContext("2d")!.putImageData(draft(head, side, this.#weights, this.#colors), 0, 0);
      this.#drawn = key;
    }
    this.#context.imageSmoothingEnabled = false;
    const per = (n * this.cell) / side;
    const [x, y] = [Math.floor(scrollLeft / per), Math.floor(scrollTop / per)];
    const [columns, rows] = [this.#wide, this.#high].map((length) => Math.min(side, Math.ceil(length / per) + 2));
    const [left, top] = [this.#left - scrollLeft + x * per, TOP - scrollTop + y * per];
    this.#context.drawImage(this.#shot, x, y, columns, rows, left, top, columns * per, rows * per);
  }

  #frameToken(token: number, toSource: boolean, color: string): void {
    const context = this.#context;
    const pad = this.cell < SMALL_CELL ? 2.5 : 0;
    const [across, along] = [this.cell + 2 * pad, this.#weights.tokens * this.cell + 4];
    const [left, top] = [this.#left - this.frame.scrollLeft, TOP - this.frame.scrollTop];
    const at = token * this.cell - pad;
    context.strokeStyle = color;
    context.lineWidth = this.cell < SMALL_CELL ? 1 : 2;
    if (toSource) context.strokeRect(left - 2, top + at, along, across);
    else context.strokeRect(left + at, top - 2, across, along);
  }

  #frameCell([query, key]: readonly [query: number, key: number], ink: string): void {
    const { scrollLeft, scrollTop } = this.frame;
    const size = Math.max(this.cell, 3);
    this.#context.strokeStyle = ink;
    this.#context.lineWidth = 1.5;
    const [left, top] = [this.#left - scrollLeft + key * this.cell, TOP - scrollTop + query * this.cell];
    this.#context.strokeRect(left, top, size, size);
  }
}
