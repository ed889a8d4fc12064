/** Text into markup: nothing that a prompt or token holds may become an element, an attribute or an invalid character. */

import { visibleControls } from "../tensor/visible.ts";

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Text for the inside of an element or of a quoted attribute, in HTML and in XML. */
export function escapeMarkup(text: string): string {
  return validXml(text).replace(/[&<>"']/g, (c) => ENTITIES[c]);
}

/** Sentences for HTML: as above, and a percent sign stays with its number. */
export function escapeProse(text: string): string {
  return escapeMarkup(text).replace(/(\d) %/g, "$1\u00a0%");
}

/** What XML forbids, speaks to a terminal or turns a line around, as marks: whatever is drawn or written comes through here. */
export function validXml(text: string): string {
  return visibleControls(text);
}
