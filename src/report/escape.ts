/** Text into markup: nothing that a prompt or token holds may become an element, an attribute or an invalid character. */

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Text for the inside of an element or of a quoted attribute, in HTML and in XML. */
export function escapeMarkup(text: string): string {
  return validXml(text).replace(/[&<>"']/g, (c) => ENTITIES[c]);
}

/** Sentences for HTML: as above, and a percent sign stays with its number. */
export function escapeProse(text: string): string {
  return escapeMarkup(text).replace(/(\d) %/g, "$1\u00a0%");
}

/** Characters that XML forbids, and lone surrogates, replaced by U+FFFD. */
export function validXml(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what XML forbids
  return text.replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Surrogate}/gu, "\ufffd");
}
