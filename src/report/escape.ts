/** Text for markup: nothing in a prompt or token may become an element, an attribute or an invalid character. */

import { visibleControls } from "../tensor/visible.ts";

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Text for the inside of an element or of a quoted attribute, in HTML and in XML. */
export function escapeMarkup(text: string): string {
  return validXml(text).replace(/[&<>"']/g, (c) => ENTITIES[c]);
}

/** Sentences for HTML: as above, with each percent sign kept on the line of its number. */
export function escapeProse(text: string): string {
  return escapeMarkup(text).replace(/(\d) %/g, "$1\u00a0%");
}

/** Characters that XML forbids, that control a terminal or that reverse a line, as marks: everything drawn or written goes through here. */
export function validXml(text: string): string {
  return visibleControls(text);
}
