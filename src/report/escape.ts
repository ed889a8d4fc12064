/** Text for markup: nothing in a prompt or token may become an element, an attribute or an invalid character. */

import { visibleControls } from "../tensor/visible.ts";
import { UNBROKEN } from "./token-text.ts";

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Text for the inside of an element or of a quoted attribute, in HTML and in XML. */
export function escapeMarkup(text: string): string {
  return validXml(text).replace(/[&<>"']/g, (c) => ENTITIES[c]);
}

/** Sentences for HTML: as above, with what belongs together on one line. */
export function escapeProse(text: string): string {
  return escapeMarkup(text).replace(UNBROKEN, "\u00a0");
}

/** Characters that XML forbids, that control a terminal or that reverse a line, as marks: everything drawn or written goes through here. */
export function validXml(text: string): string {
  return visibleControls(text);
}
