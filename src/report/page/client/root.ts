/** What brings pages to life: functions of a root and of how long they live. */

/** A page, or the shadow root of a view that is mounted in one. */
export type Root = Document | ShadowRoot;

/** Brings everything of one kind within a root to life, until `life` is aborted: then no listener and no observer is left. */
export type Behaviour = (root: Root, life: AbortSignal) => void;

/** All elements that match, as an array. */
export function all<E extends Element = HTMLElement>(selector: string, root: ParentNode): E[] {
  return [...root.querySelectorAll<E>(selector)];
}

/** The first element that matches, which is there. */
export function the<E extends Element = HTMLElement>(selector: string, root: ParentNode): E {
  return root.querySelector<E>(selector)!;
}

/** Listens for as long as `life` lasts. */
export function on<E extends keyof GlobalEventHandlersEventMap>(
  target: EventTarget,
  type: E,
  act: (event: GlobalEventHandlersEventMap[E]) => void,
  life: AbortSignal,
  options: AddEventListenerOptions = {},
): void {
  target.addEventListener(type, act as EventListener, { ...options, signal: life });
}

/** Calls `act` when an element's size changes, for as long as `life` lasts, and when it is first observed. */
export function onResize(element: Element, act: () => void, life: AbortSignal): void {
  const observer = new ResizeObserver(act);
  observer.observe(element);
  life.addEventListener("abort", () => observer.disconnect());
}

/** Whether a root is a page of its own. */
export function isPage(root: Root): root is Document {
  return root.nodeType === Node.DOCUMENT_NODE;
}

/** The element around everything in a root. */
export function outermost(root: Root): HTMLElement {
  return isPage(root) ? root.documentElement : (root.host as HTMLElement);
}

/** The closest element around where an event happened that matches. */
export function closest<E extends Element = HTMLElement>({ target }: Event, selector: string): E | null {
  return target instanceof Element ? target.closest<E>(selector) : null;
}

/** Makes the arrow keys move from one element of a group to another, of which one is a tab stop. */
export function moveFocus(from: HTMLElement | SVGElement, to: HTMLElement | SVGElement): void {
  from.setAttribute("tabindex", "-1");
  to.setAttribute("tabindex", "0");
  to.focus();
}

/** Asks for the tip of an element to be shown again, or for none. */
export function renewTip(element: Element): void {
  element.dispatchEvent(new Event("tip", { bubbles: true }));
}

/** What an element shows has other elements now: what was looked up in it has to be again. */
export const REDRAWN = "redrawn";
