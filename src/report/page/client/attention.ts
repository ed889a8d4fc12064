/** What pointing, pressing and keys do in pictures of attention. */

import { type StoredAttention, type Switches, takeAttention } from "./attention/data.ts";
import { headOf } from "./attention/head-grid.ts";
import { AttentionView, type Focus } from "./attention/view.ts";
import type { Listener } from "./control.ts";
import { all, type Behaviour, closest, on, onResize, type Root, renewTip, the } from "./root.ts";

export const attention: Behaviour = (root, life) => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  for (const box of attentionBoxes(root)) {
    const view = finished(attentionView(box, takeAttention(box), life));
    dark.addEventListener("change", () => view.renew(), { signal: life });
  }
};

/** The elements of pictures of attention. */
export function attentionBoxes(root: Root): HTMLElement[] {
  return all("[data-attention]", root);
}

/** Brings a picture of attention to life, in steps, except that nothing redraws it when it becomes dark. */
export function* attentionView(
  box: HTMLElement,
  stored: StoredAttention,
  life: AbortSignal,
  listener?: Listener,
): Generator<undefined, AttentionView> {
  const view = new AttentionView(box, stored, life, listener);
  yield;
  yield* view.start();
  yield;
  const listening = [listenToHeads, listenToTokens, listenToTools, listenToCells, listenToKeys, listenToSize];
  for (const listen of listening) listen(view, life);
  return view;
}

/** Takes all steps. */
function finished<T>(steps: Generator<undefined, T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

function listenToHeads(view: AttentionView, life: AbortSignal): void {
  const { heads, words, data } = view;
  for (const button of heads.buttons) {
    const head = headOf(button);
    focusOn(view, button, "head", head, life);
    button.dataset.tip = head < 0 ? data.all : [data.names[head], ...words.metrics(head)].join("\n");
    on(button, "click", () => selectHead(view, head), life);
  }
}

function listenToTokens(view: AttentionView, life: AbortSignal): void {
  view.strip.spans.forEach((span, pos) => {
    focusOn(view, span, "token", pos, life);
    on(span, "click", () => selectToken(view, pos), life);
  });
}

/** Shows a head or token while the pointer or the focus is on it. The tip of a token changes with the focus, so it is shown again. */
function focusOn(view: AttentionView, element: HTMLElement, what: keyof Focus, index: number, life: AbortSignal): void {
  const show = () => {
    view.seen[what] = index;
    view.drawSoon();
    if (what === "token") element.dataset.tip = view.tipOf(index);
    view.listener.hover(what === "token" ? { pos: index } : view.placeOf(index));
  };
  const point = () => {
    show();
    renewTip(element);
  };
  const leave = () => {
    view.seen[what] = null;
    view.drawSoon();
    view.listener.hover(null);
  };
  on(element, "pointerenter", point, life);
  on(element, "focus", show, life);
  on(element, "pointerleave", leave, life);
  on(element, "blur", leave, life);
}

/** Selects a head, or releases it if it is selected. */
function selectHead(view: AttentionView, head: number): void {
  const again = view.keep.head === head;
  view.keepHead(again ? null : head);
  view.draw();
  const place = again ? {} : view.placeOf(head);
  view.listener.select(place, "head" in place ? [] : ["layer", "head"]);
}

/** Selects a token, or releases it if it is selected. */
function selectToken(view: AttentionView, pos: number): void {
  view.keep.token = view.keep.token === pos ? null : pos;
  view.draw();
  if (view.keep.token === null) view.listener.select({}, ["pos"]);
  else view.listener.select({ pos });
}

function listenToTools(view: AttentionView, life: AbortSignal): void {
  const { element: box, switches, plot, data, listener } = view;
  all(".direction button", box).forEach((button, i) => {
    const turn = () => {
      view.toSource = i === 0;
      view.draw();
      listener.change();
    };
    on(button, "click", turn, life);
  });
  for (const button of all("[data-switch]", box)) {
    const what = button.dataset.switch as keyof Switches;
    const press = () => {
      view.turn({ [what]: !switches[what] });
      listener.change();
    };
    on(button, "click", press, life);
  }
  const choice = box.querySelector<HTMLSelectElement>(".tools select");
  if (choice) {
    choice.value = "";
    const sort = () => {
      view.sort(choice.value === "" ? null : data.metrics[Number(choice.value)]);
      view.draw();
      listener.change();
    };
    on(choice, "change", sort, life);
  }
  const zoom = (times: number) => {
    plot.zoomTo(plot.zoom * times);
    view.draw();
    listener.change();
  };
  on(plot.smaller, "click", () => zoom(1 / 2), life);
  on(plot.larger, "click", () => zoom(2), life);
}

function listenToCells(view: AttentionView, life: AbortSignal): void {
  const { plot, words, weights, listener } = view;
  const { canvas, spot } = plot;
  const leave = () => {
    if (!view.pointed) return;
    view.pointed = null;
    delete spot.dataset.tip;
    renewTip(spot);
    view.seen.token = null;
    view.drawSoon();
    listener.hover(null);
  };
  const point = (event: PointerEvent) => {
    const here = plot.cellAt(event);
    if (!here) return leave();
    const [query, key] = here;
    if (view.pointed?.[0] === query && view.pointed[1] === key) return;
    view.pointed = here;
    plot.putSpot(here);
    const heads = view.head < 0 ? weights.heads : [view.head];
    const numbers = heads.map((head) => weights.at(head, query, key));
    spot.dataset.tip = `${words.token(query)} attends to ${words.token(key)}\n${words.numbers(view.head, numbers)}`;
    const now = view.toSource ? query : key;
    view.seen.token = now;
    view.drawSoon();
    renewTip(spot);
    listener.hover({ ...view.placeOf(view.head), query, key, pos: now });
  };
  const press = (event: MouseEvent) => {
    const here = plot.cellAt(event);
    if (here) selectToken(view, here[view.toSource ? 0 : 1]);
  };
  on(canvas, "pointermove", point, life);
  on(canvas, "pointerleave", leave, life);
  on(canvas, "click", press, life);
  on(plot.frame, "scroll", () => view.drawSoon(), life, { passive: true });
}

/** Releases what is selected. */
function release(view: AttentionView): void {
  const { head, token } = view.keep;
  const axes = [...(head === null ? [] : ["layer", "head"]), ...(token === null ? [] : ["pos"])];
  if (axes.length === 0) return;
  view.keep.token = null;
  view.keepHead(null);
  view.draw();
  view.listener.select({}, axes);
}

function listenToKeys(view: AttentionView, life: AbortSignal): void {
  const press = (event: KeyboardEvent) => {
    if (event.key === "Escape") release(view);
    const span = closest(event, ".token");
    if (span && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      span.click();
    }
    const button = closest(event, ".head");
    if (button) moveAmongHeads(event, button, the(".grid-of-heads", view.element));
  };
  on(view.element, "keydown", press, life);
}

function moveAmongHeads(event: KeyboardEvent, button: HTMLElement, grid: HTMLElement): void {
  const shown = all(".head", grid);
  const here = shown.indexOf(button);
  const last = shown.at(-1);
  const inRow = (one: HTMLElement) =>
    shown.filter((other) => other.offsetTop === one.offsetTop && other !== last).length;
  const across = Math.max(...shown.map(inRow), 1);
  const places: Record<string, number> = {
    ArrowRight: here + 1,
    ArrowLeft: here - 1,
    ArrowDown: here + across,
    ArrowUp: here - across,
    Home: 0,
    End: shown.length - 1,
  };
  const to = shown[places[event.key]];
  if (!to) return;
  event.preventDefault();
  button.tabIndex = -1;
  to.tabIndex = 0;
  to.focus();
}

function listenToSize(view: AttentionView, life: AbortSignal): void {
  const { frame } = view.plot;
  let width = frame.clientWidth;
  const fit = () => {
    if (frame.clientWidth === width) return;
    width = frame.clientWidth;
    view.layOut();
  };
  onResize(view.element, fit, life);
}
