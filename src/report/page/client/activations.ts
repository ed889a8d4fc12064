/** Fields that select another neuron: its colours, its scale, and its tokens' tips. */

import { fromBase64 } from "../../../tensor/base64.ts";
import type { Scheme } from "../../color.ts";
import { type Control, type Listener, NOBODY } from "./control.ts";
import type { ViewPlace } from "./places.ts";
import { all, type Behaviour, on, type Root, the } from "./root.ts";

/** What a text coloured by a neuron says in its `data-activations`. */
export interface ActivationsData {
  readonly layers: number;
  readonly neurons: number;
  readonly scheme: Scheme;
  readonly domain: readonly [number, number] | null;
  readonly unit: string;
  /** The name of the only layer and of the only neuron: an axis with a single index has no field. */
  readonly fixed: readonly [layer: string, neuron: string];
  /** Each token and its position. */
  readonly tokens: readonly (readonly [token: string, pos: number])[];
}

type AxisName = "layer" | "neuron";

/** The neuron that a text is coloured by: indices. */
export interface ActivationsState {
  readonly layer: number;
  readonly neuron: number;
}

export const activations: Behaviour = (root, life) => {
  neuronViews(root, life);
};

/** Brings all texts that are coloured by a neuron to life. */
export function neuronViews(root: Root, life: AbortSignal, listener: Listener = NOBODY): Neurons[] {
  return all("[data-activations]", root).map((box) => {
    const neurons = new Neurons(box);
    const draw = () => {
      neurons.draw();
      listener.select(neurons.place);
    };
    on(neurons.fields, "input", draw, life);
    const settle = (event: Event) => {
      const field = event.target as HTMLInputElement;
      field.value = String(neurons.index(field.name as AxisName));
      draw();
    };
    on(neurons.fields, "change", settle, life);
    neurons.fields.hidden = false;
    return neurons;
  });
}

/** One text, or several, and the neurons to choose from. */
export class Neurons implements Control<ActivationsState> {
  readonly element: HTMLElement;
  readonly fields: HTMLElement;
  readonly #data: ActivationsData;
  readonly #values: Float32Array;
  readonly #spans: readonly HTMLElement[];
  readonly #legend: readonly SVGTextElement[];

  constructor(box: HTMLElement) {
    this.element = box;
    this.fields = the(".fields", box);
    this.#data = JSON.parse(box.dataset.activations!);
    this.#values = new Float32Array(fromBase64(box.dataset.values!).buffer);
    this.#spans = all(".token", box);
    this.#legend = all<SVGTextElement>(".legend text", box);
  }

  /** The index that a field holds, within its range. */
  index(name: AxisName): number {
    const count = name === "layer" ? this.#data.layers : this.#data.neurons;
    return Math.max(0, Math.min(count - 1, Math.round(Number(this.#field(name)?.value) || 0)));
  }

  get state(): ActivationsState {
    return { layer: this.index("layer"), neuron: this.index("neuron") };
  }

  /** Where the neuron is. */
  get place(): ViewPlace {
    return { layer: this.index("layer"), d_mlp: this.index("neuron") };
  }

  show(state: Partial<ActivationsState>): void {
    for (const name of ["layer", "neuron"] as const) {
      const field = this.#field(name);
      const index = state[name];
      const count = name === "layer" ? this.#data.layers : this.#data.neurons;
      if (field && index !== undefined && index >= 0 && index < count) field.value = String(index);
    }
    this.draw();
  }

  select(place: ViewPlace | null): void {
    if (typeof place?.d_mlp !== "number") return;
    this.show({ neuron: place.d_mlp, ...(typeof place.layer === "number" ? { layer: place.layer } : {}) });
  }

  /** Nothing is pointed at here: a neuron has to be selected to be seen. */
  point(): void {}

  draw(): void {
    const { layers, neurons, scheme, unit, tokens } = this.#data;
    const at = this.index("layer") * neurons + this.index("neuron");
    const row = this.#spans.map((_, i) => this.#values[i * layers * neurons + at]);
    const real = row.filter((value) => !Number.isNaN(value));
    const [low, high] = [Math.min(...real), Math.max(...real)];
    const [from, to] = this.#domain(low, high);
    const name = [this.#name("layer"), this.#name("neuron")].filter(Boolean).join(", ");
    this.#spans.forEach((span, i) => {
      const value = row[i];
      const part = Math.max(0, Math.min(1, (value - from) / (to - from || 1)));
      const level = `var(--${scheme}${Number.isNaN(value) ? "-gap" : Math.round(100 * part)}`;
      span.style.background = `${level})`;
      span.style.color = `${level}i)`;
      const number = Number.isNaN(value) ? "–" : `${short(value, 4)} ${unit}`.trim();
      span.dataset.tip = `“${tokens[i][0]}” at position ${tokens[i][1]}\n${name}: ${number}`;
    });
    if (name) this.#legend[0].textContent = name + (unit ? ` (${unit})` : "");
    this.#legend.slice(-3).forEach((text, i) => {
      text.textContent = short(from + ((to - from) * i) / 2, 3);
    });
    the("output", this.fields).textContent = real.length ? `from ${short(low, 3)} to ${short(high, 3)}` : "";
  }

  #domain(low: number, high: number): readonly [number, number] {
    const { scheme, domain } = this.#data;
    const most = Math.max(Math.abs(low), Math.abs(high)) || 1;
    if (domain) return domain;
    if (scheme === "RdBu") return [-most, most];
    return scheme === "Blues" ? [0, most] : [low, low === high ? low + 1 : high];
  }

  #field(name: AxisName): HTMLInputElement | HTMLSelectElement | null {
    return this.fields.querySelector(`[name=${name}]`);
  }

  #name(name: AxisName): string {
    const field = this.#field(name);
    if (!field) return this.#data.fixed[name === "layer" ? 0 : 1];
    if (field instanceof HTMLSelectElement) return field.selectedOptions[0].textContent!;
    return `${field.closest("label")!.firstChild!.textContent!.trim()} ${field.value}`;
  }
}

function short(value: number, digits: number): string {
  return String(Number(value.toPrecision(digits))).replace("-", "−");
}
