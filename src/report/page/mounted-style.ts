/** The style of a view that is mounted in someone else's page: the same rules, said of the element that they are in. */
import { FONT } from "../draw/drawing.ts";
import type { PageNeeds } from "./needs.ts";
import { styleOf } from "./style.ts";

/** A view takes nothing from the page but whether it is dark, and variables of the element around it. */
const HOST = `
:host { display: block; container-type: inline-size; --rem: 16px; --text: 100%; --room: 100%; } :host([hidden]) { display: none; }
#view { all: initial; color-scheme: inherit; display: block; color: var(--ink); font: calc(17 / 16 * var(--rem))/1.6 ${FONT}; }
figure, header + figure { margin: 0; } figure + :is(figure, h2, .table, .results), .results + *, .table + * { margin-top: 36px; } header + figure { margin-top: 24px; }
figure .wide > svg, .narrow > svg { width: auto; max-width: 100%; }
#tip { inset: auto; margin: 0; border: 0; }
.chosen.token, td.chosen { box-shadow: 0 0 0 2px var(--ink); } tr.chosen > td, tr.chosen > th { background: var(--chip); }
svg .chosen { stroke: var(--ink); stroke-width: 2.5px; paint-order: stroke; }
`;

/** What shows between things is the page, whose colour `Canvas` is. */
export const GROUND = ":host{--page:Canvas}#ground{display:none;color-scheme:inherit;background-color:Canvas}";

/** The rules, and those that are added where it is dark. */
export function mountedStyle(body: string, needs: PageNeeds): { readonly light: string; readonly dark: string } {
  const { light, dark } = styleOf(body, needs, HOST.trim());
  return { light: hosted(light) + GROUND, dark: hosted(dark) + GROUND };
}

/**
 * Rules of a page as rules of an element: its variables are the element's, lengths do not follow the page's letters, and how narrow it is
 * depends on the room that it has.
 */
function hosted(rules: string): string {
  return rules
    .replaceAll(":root", ":host")
    .replace(/([\d.]+)rem\b/g, "calc($1 * var(--rem))")
    .replace(/@media (?:screen and )?\((min|max)-width: (\d+)px\)/g, "@container ($1-width: $2px)");
}
