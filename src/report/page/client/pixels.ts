/** The row, column and number of the cell under the pointer or, by arrow keys, in focus, in an image of cells. */
import { fromBase64 } from "../../../tensor/base64.ts";
import { all, type Behaviour, on, renewTip } from "./root.ts";

/** What an image of cells says in its `data-pixels`. */
export interface PixelsData {
  readonly rows: number;
  readonly columns: number;
  readonly x: NamedAxis;
  readonly y: NamedAxis;
  readonly unit: string;
  /** A title for each image. */
  readonly titles?: readonly string[];
}

interface NamedAxis {
  readonly label: string;
  readonly ticks?: readonly string[];
}

export const pixels: Behaviour = (root, life) => {
  for (const box of all("[data-pixels]", root)) {
    const data: PixelsData = JSON.parse(box.dataset.pixels!);
    const packed = box.dataset.values;
    const values = packed ? new Float32Array(fromBase64(packed).buffer) : undefined;
    for (const svg of all<SVGElement>("svg", box)) {
      all<SVGElement>(".hit", svg).forEach((hit, image) => {
        new Cells(data, values, svg, hit, image).listen(life);
      });
    }
  }
};

/** One image of cells: a frame around the cell that is pointed at, which is a tab stop, too. */
class Cells {
  #cell = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  #at: readonly [row: number, column: number] = [0, 0];
  readonly data: PixelsData;
  readonly values: Float32Array | undefined;
  readonly svg: SVGElement;
  readonly hit: SVGElement;
  readonly image: number;

  constructor(data: PixelsData, values: Float32Array | undefined, svg: SVGElement, hit: SVGElement, image: number) {
    this.data = data;
    this.values = values;
    this.svg = svg;
    this.hit = hit;
    this.image = image;
    const look = { class: "cell", role: "img", tabindex: "0" };
    for (const [name, value] of Object.entries(look)) this.#cell.setAttribute(name, value);
    svg.setAttribute("role", "group");
    hit.after(this.#cell);
    this.#put(0, 0);
  }

  listen(life: AbortSignal): void {
    const { hit, svg, data } = this;
    on(hit, "pointermove", ({ clientX, clientY }) => this.#point(clientX, clientY), life);
    const leave = () => {
      this.#cell.classList.remove("on");
      renewTip(hit);
    };
    on(hit, "pointerleave", leave, life);
    const steps: Record<string, readonly [number, number]> = {
      ArrowRight: [0, 1],
      ArrowLeft: [0, -1],
      ArrowDown: [1, 0],
      ArrowUp: [-1, 0],
    };
    const move = (event: KeyboardEvent) => {
      const step = steps[event.key];
      if (event.target !== this.#cell || !step) return;
      const [row, column] = [this.#at[0] + step[0], this.#at[1] + step[1]];
      if (row < 0 || column < 0 || row >= data.rows || column >= data.columns) return;
      event.preventDefault();
      // Another element, so that a screen reader says where the focus is now.
      const next = this.#cell.cloneNode() as SVGRectElement;
      this.#cell.replaceWith(next);
      this.#cell = next;
      this.#put(row, column);
      next.focus();
    };
    on(svg, "keydown", move, life);
  }

  #point(x: number, y: number): void {
    const { left, top, width, height } = this.hit.getBoundingClientRect();
    const index = (part: number, count: number) => Math.max(0, Math.min(count - 1, Math.floor(part * count)));
    this.#put(index((y - top) / height, this.data.rows), index((x - left) / width, this.data.columns));
    this.#cell.classList.add("on");
    renewTip(this.#cell);
  }

  #put(row: number, column: number): void {
    this.#at = [row, column];
    const { rows, columns, titles, x, y } = this.data;
    const [left, top, width, height] = ["x", "y", "width", "height"].map((name) => Number(this.hit.getAttribute(name)));
    const place = {
      x: left + (column * width) / columns,
      y: top + (row * height) / rows,
      width: width / columns,
      height: height / rows,
    };
    for (const [name, value] of Object.entries(place)) this.#cell.setAttribute(name, String(value));
    const value = this.values ? `: ${this.#short(this.values[(this.image * rows + row) * columns + column])}` : "";
    const tip = `${titles ? `${titles[this.image]}\n` : ""}${said(y, row)}, ${said(x, column)}${value}`;
    this.#cell.dataset.tip = tip;
    this.#cell.setAttribute("aria-label", tip.replaceAll("\n", "; "));
  }

  #short(value: number): string {
    if (Number.isNaN(value)) return "–";
    const { unit } = this.data;
    const digits = unit === "%" ? value.toFixed(1) : String(Number(value.toPrecision(4)));
    return `${digits.replaceAll("-", "−")} ${unit}`.trim();
  }
}

function said({ label, ticks }: NamedAxis, index: number): string {
  const tick = ticks ? ticks[index] : String(index);
  return tick.toLowerCase().startsWith(label.toLowerCase()) ? tick : `${label} ${tick}`;
}
