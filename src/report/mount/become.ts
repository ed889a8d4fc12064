/** Elements that are shown become others: what is the same stays, and is neither laid out nor painted again. */

/** What markup does not show: pixels, what somebody typed, pictures that have a control. It is always the new one. */
const OWN = "canvas, input, select, textarea, [data-attention], [data-activations], [data-pixels], [data-graph]";

/** Makes an element, or what takes its place, the same as another, which is used up. @returns what is there now */
export function become(shown: Element, next: Element): Element {
  if (!isLike(shown, next) || next.matches(OWN)) {
    shown.replaceWith(next);
    return next;
  }
  if (shown.isEqualNode(next) && !next.querySelector(OWN)) return shown;
  takeAttributes(shown, next);
  const children = [...next.childNodes];
  [...shown.childNodes].forEach((child, i) => {
    const other = children[i];
    if (child instanceof Element && other instanceof Element) become(child, other);
    else if (child.nodeType !== other.nodeType) child.replaceWith(other);
    else if (child.nodeValue !== other.nodeValue) child.nodeValue = other.nodeValue;
  });
  return shown;
}

/** Gives an element the attributes of another, and no more. */
export function takeAttributes(to: Element, from: Element): void {
  for (const { name } of [...to.attributes]) if (!from.hasAttribute(name)) to.removeAttribute(name);
  for (const attribute of from.attributes) {
    if (to.getAttribute(attribute.name) === attribute.value) continue;
    // A page's policy may refuse the attribute, but not this.
    if (attribute.name === "style") (to as HTMLElement).style.cssText = attribute.value;
    else to.setAttributeNode(attribute.cloneNode() as Attr);
  }
}

/** Whether they differ in no more than their attributes and what is in their children. */
function isLike(a: Element, b: Element): boolean {
  return (
    a.localName === b.localName && a.namespaceURI === b.namespaceURI && a.childNodes.length === b.childNodes.length
  );
}
