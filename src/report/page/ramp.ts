import { type Coloring, upperEnd } from "../color.ts";
import { escapeMarkup } from "../escape.ts";
import { formatNumber } from "../format.ts";

/** A colour scale of CSS colours, which a script may repaint: its label, its ends, and the colours between them. */
export function rampHtml(scale: Pick<Coloring, "label" | "domain" | "more">, colors: readonly string[]): string {
  return (
    `<p class="ramp"><span>${escapeMarkup(scale.label)}</span> <output>${formatNumber(scale.domain[0], 3)}</output>` +
    `<i style="background:linear-gradient(90deg,${colors.join(",")})"></i><output>${upperEnd(scale, 3)}</output></p>`
  );
}
