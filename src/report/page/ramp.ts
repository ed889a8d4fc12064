import { escapeMarkup } from "../escape.ts";
import { formatNumber } from "../format.ts";

/** A colour scale of CSS colours, which a script may repaint: its label, its ends, and the colours between them. */
export function rampHtml(label: string, domain: readonly [number, number], colors: readonly string[]): string {
  const number = (value: number) => formatNumber(value, 3);
  return (
    `<p class="ramp"><span>${escapeMarkup(label)}</span> <output>${number(domain[0])}</output>` +
    `<i style="background:linear-gradient(90deg,${colors.join(",")})"></i><output>${number(domain[1])}</output></p>`
  );
}
