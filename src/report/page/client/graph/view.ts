/** A graph as it is looked at. */

import type { GraphSpec, GraphState } from "../../../../finding/picture.ts";
import { fromBase64 } from "../../../../tensor/base64.ts";
import { altText, legendSvg, svgDocument } from "../../../draw/drawing.ts";
import { drawShown } from "../../../draw/graph.ts";
import type { PlacedNode } from "../../../draw/graph-layout.ts";
import { litPart } from "../../../draw/graph-paths.ts";
import { graphState, SUPERNODE, shownGraph } from "../../../draw/graph-shown.ts";
import { type Control, type Listener, NOBODY } from "../control.ts";
import { all, REDRAWN, the } from "../root.ts";

/** How long nodes take to where they belong, in milliseconds. */
const MOVING = 180;
/** The widest drawing, in pixels. */
const WIDEST = 1100;

export class GraphView implements Control<GraphState> {
  readonly element: HTMLElement;
  readonly drawing: HTMLElement;
  readonly spec: GraphSpec;
  readonly listener: Listener;
  /** What is shown of it. */
  shown: GraphSpec;
  #state: GraphState;
  #width = 0;
  /** The node under the pointer or the focus, by its place in what is shown. */
  #pointed: number | undefined;
  #nodes: SVGElement[] = [];
  #edges: SVGElement[] = [];
  /** Where nodes are, by their names. */
  #places = new Map<string, PlacedNode>();

  constructor(box: HTMLElement, listener: Listener = NOBODY) {
    this.element = box;
    this.listener = listener;
    this.drawing = the(".drawing", box);
    this.spec = specIn(box);
    this.#state = graphState(this.spec);
    this.shown = this.spec;
    box.classList.add("moving");
    the(".stage", box).hidden = false;
    this.fit();
  }

  get state(): GraphState {
    return this.#state;
  }

  /** The graph with the state in which it is shown. */
  get looked(): GraphSpec {
    return { ...this.spec, state: this.#state };
  }

  show(state: Partial<GraphState>): void {
    const before = this.#state;
    this.#state = graphState(this.spec, { ...before, ...state });
    // A redrawn node could not be clicked twice.
    const isSame = JSON.stringify({ ...this.#state, locked: before.locked }) === JSON.stringify(before);
    if (isSame) this.light();
    else this.draw();
    this.#renewTools();
  }

  /** Changes the state as a user does. */
  change(state: Partial<GraphState>): void {
    this.show(state);
    this.listener.change();
  }

  /** Places that are selected or pointed at elsewhere are marked in the drawing, as in all others. */
  select(): void {}
  point(): void {}

  /** Draws it as wide as there is room. */
  fit(): void {
    const width = Math.min(WIDEST, Math.floor(this.drawing.clientWidth));
    if (width === this.#width || width === 0) return;
    this.#width = width;
    this.#places.clear();
    this.draw();
    this.#renewTools();
  }

  draw(): void {
    if (this.#width === 0) return;
    const focused = this.#nameOf(this.drawing.querySelector(":focus"));
    this.shown = shownGraph(this.looked);
    const { pinned, pinnedOnly } = this.#state;
    const { drawing, layout } = drawShown(this.shown, this.#width, { pinned: new Set(pinnedOnly ? [] : pinned) });
    const { width, height, content, legend } = drawing;
    const label = altText(this.spec);
    const key = legendSvg(legend, width, "Nodes and edges");
    // What a page's policy refuses in markup, its style sheet says.
    this.drawing.innerHTML = (
      `<div class="legend">${key}</div>` + svgDocument(width, height, label, content)
    ).replaceAll(' style="white-space:pre"', "");
    const svg = this.drawing.lastElementChild as SVGElement;
    svg.setAttribute("role", "group");
    this.#nodes = all<SVGElement>("[data-node]", svg);
    this.#edges = [];
    for (const path of all<SVGElement>("[data-edge]", svg)) this.#edges[this.#edgeOf(path)] = path;
    the("[data-mark=edge]", svg).setAttribute("aria-hidden", "true");
    for (const title of all("title", svg)) {
      (title.parentElement as unknown as SVGElement).dataset.tip = title.textContent!;
      title.remove();
    }
    const stop = Math.max(0, this.#place(focused ?? this.#state.locked[0]));
    this.#nodes.forEach((node, i) => {
      node.setAttribute("role", "button");
      node.setAttribute("tabindex", i === stop ? "0" : "-1");
      // What is written at it comes first, so that it can be called by that.
      const [text, tip] = [the("text", node).textContent!, node.dataset.tip!.replaceAll("\n", "; ")];
      node.setAttribute("aria-label", text && !tip.startsWith(text) ? `${text}: ${tip}` : tip);
    });
    this.#pointed = undefined;
    this.light();
    this.#move(layout.nodes);
    this.element.dispatchEvent(new Event(REDRAWN, { bubbles: true }));
    if (focused !== undefined) this.#nodes[this.#place(focused)]?.focus();
  }

  /** Lights a node's paths, while the pointer or the focus is on it; of none, those of the locked nodes. */
  pointAt(place: number | undefined): void {
    if (place === this.#pointed) return;
    this.#pointed = place;
    this.light();
  }

  light(): void {
    const locked = this.#state.locked.map((name) => this.#place(name)).filter((i) => i >= 0);
    const seen = this.#pointed === undefined ? locked : [this.#pointed];
    const lit = seen.length > 0 ? litPart(this.shown.edges, seen) : undefined;
    this.#nodes.forEach((node, i) => {
      node.classList.toggle("faded", lit !== undefined && !lit.nodes.has(i));
      node.setAttribute("aria-pressed", String(locked.includes(i)));
    });
    this.#edges.forEach((edge, i) => {
      edge.classList.toggle("faded", lit !== undefined && !lit.edges.has(i));
    });
  }

  /** The place of a node's element in what is shown. */
  placeOf(element: Element): number {
    return this.#nodes.indexOf(element as SVGElement);
  }

  /** Moves the focus to the first locked node: the button that had it may be switched off. */
  focus(): void {
    this.#nodes[this.#place(this.#state.locked[0])]?.focus();
  }

  get elements(): readonly SVGElement[] {
    return this.#nodes;
  }

  /** Locks a node, alone or with those that are, or releases it. */
  lock(place: number, more: boolean): void {
    const { name } = this.shown.nodes[place];
    const { locked, pinnedOnly } = this.#state;
    const others = locked.filter((one) => one !== name);
    const kept = more || pinnedOnly ? others : [];
    this.change({ locked: locked.includes(name) ? kept : [...kept, name] });
  }

  /** Pins nodes, or releases them if all are pinned; of a group its nodes. */
  pin(names: readonly string[]): void {
    const { pinned, groups } = this.#state;
    const members = names.flatMap((name) => groups.find(([label]) => label === name)?.slice(1) ?? [name]);
    const all = members.every((name) => pinned.includes(name));
    this.change({
      pinned: all ? pinned.filter((name) => !members.includes(name)) : [...pinned, ...members],
      ...(this.#state.pinnedOnly ? { locked: [] } : {}),
    });
  }

  /** Makes one group of the locked nodes and groups. */
  group(label: string): void {
    const { locked, groups } = this.#state;
    const names = locked.flatMap((name) => groups.find(([one]) => one === name)?.slice(1) ?? [name]);
    const others = groups.filter(([one]) => !locked.includes(one));
    const taken = new Set([...this.spec.nodes.map(({ name }) => name), ...others.map(([one]) => one)]);
    let free = label || SUPERNODE;
    for (let i = 2; taken.has(free); i++) free = `${label || SUPERNODE} ${i}`;
    // What is locked is known once there is such a group.
    this.#state = graphState(this.spec, { ...this.#state, groups: [...others, [free, ...names]] });
    this.draw();
    this.change({ locked: [free] });
  }

  /** Takes the locked groups apart. */
  ungroup(): void {
    const { locked, groups } = this.#state;
    const apart = groups.filter(([label]) => locked.includes(label));
    this.change({
      groups: groups.filter((group) => !apart.includes(group)),
      locked: apart.flatMap(([, ...names]) => names),
    });
  }

  #renewTools(): void {
    const { element: box, shown, spec } = this;
    const { share, locked, pinned, groups, pinnedOnly } = this.#state;
    const slider = box.querySelector<HTMLInputElement>("[name=share]");
    if (slider) {
      slider.value = String(Math.round(100 * share));
      slider.disabled = pinnedOnly;
      the("output", box).textContent = `${slider.value} %`;
    }
    const counts = [`${shown.nodes.length} of ${spec.nodes.length} nodes`, `${shown.edges.length} edges`];
    the(".count", box).textContent = counts.join(", ");
    for (const button of all<HTMLButtonElement>("[data-view]", box)) {
      const isPinned = button.dataset.view === "pinned";
      button.setAttribute("aria-pressed", String(isPinned === pinnedOnly));
      if (!isPinned) continue;
      button.disabled = pinned.length === 0;
      button.textContent = `pinned (${pinned.length})`;
    }
    the(".grouping", box).hidden = !pinnedOnly;
    const act = (name: string) => the<HTMLButtonElement>(`[data-act=${name}]`, box);
    const labels = groups.map(([label]) => label);
    const seen = locked.filter((name) => this.#place(name) >= 0);
    act("pin").disabled = seen.length === 0;
    act("pin").textContent =
      seen.length > 0 && seen.every((name) => pinned.includes(name) || labels.includes(name)) ? "unpin" : "pin";
    act("group").disabled = seen.length < 2;
    act("ungroup").disabled = !seen.some((name) => labels.includes(name));
  }

  /** Lets nodes move to where they belong from where they were. */
  #move(now: readonly PlacedNode[]): void {
    const before = this.#places;
    this.#places = new Map(this.shown.nodes.map(({ name }, i) => [name, now[i]]));
    if (before.size === 0 || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    const timing = { duration: MOVING, easing: "ease-out" };
    this.#nodes.forEach((node, i) => {
      const was = before.get(this.shown.nodes[i].name);
      const from = was ? { transform: `translate(${was.x - now[i].x}px,${was.y - now[i].y}px)` } : { opacity: 0 };
      node.animate([from, {}], timing);
    });
    the("[data-mark=edge]", this.drawing).animate([{ opacity: 0 }, {}], timing);
  }

  #edgeOf(path: SVGElement): number {
    const [from, to] = path.dataset.edge!.split(" ").map(Number);
    return this.shown.edges.findIndex((edge) => edge.from === from && edge.to === to);
  }

  #place(name: string | undefined): number {
    return this.shown.nodes.findIndex((node) => node.name === name);
  }

  #nameOf(element: Element | null): string | undefined {
    const place = element ? this.placeOf(element) : -1;
    return this.shown.nodes[place]?.name;
  }
}

/** What a box has in its attributes, which it then need not. */
function specIn(box: HTMLElement): GraphSpec {
  const numbers = new Float32Array(fromBase64(box.dataset.edges!).buffer);
  const optional = (name: "strength" | "share", value: number) => (Number.isNaN(value) ? {} : { [name]: value });
  const edges = Array.from({ length: numbers.length / 5 }, (_, i) => {
    const [from, to, weight, strength, share] = numbers.subarray(5 * i, 5 * i + 5);
    return {
      from,
      to,
      weight: figures(weight),
      ...optional("strength", figures(strength)),
      ...optional("share", figures(share)),
    };
  });
  return { ...JSON.parse(box.dataset.graph!), edges };
}

/** A number of float32 without the digits that float64 adds. */
function figures(value: number): number {
  return Number(value.toPrecision(5));
}
