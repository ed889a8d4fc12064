import type { TokensSpec } from "../../finding/picture.ts";
import { placed } from "../draw/at-places.ts";
import { altText, legendSvg } from "../draw/drawing.ts";
import { tokenColorings, tokenLegend, tokenTitle } from "../draw/token-values.ts";
import { escapeMarkup } from "../escape.ts";
import { visibleToken } from "../token-text.ts";
import type { TokenColors } from "./token-colors.ts";

/** Tokens as text that wraps and can be selected; all texts are one tab stop, and arrow keys move from token to token and text to text. */
export function tokensHtml(spec: TokensSpec, colors: TokenColors): string {
  const colorings = tokenColorings(spec);
  const several = spec.rows.length > 1;
  const texts = spec.texts.map((text, t) => {
    const rows = spec.rows.map((row, r) => {
      const name = (several ? row.title : text.label) ?? "";
      const spans = text.tokens.map((token, pos) => {
        const marked = text.marked?.includes(pos) ? " marked" : "";
        return (
          `<span class="token ${colors.of(colorings[r].of(text.values[r][pos]))}${marked}" tabindex="${t + r + pos === 0 ? 0 : -1}" ` +
          `title="${escapeMarkup(tokenTitle(spec, text, pos))}"${placed(text.places?.[pos] ?? (spec.texts.length === 1 ? `pos=${pos}` : undefined))}>${escapeMarkup(visibleToken(token))}</span>`
        );
      });
      const label = escapeMarkup([text.label, row.title].filter(Boolean).join(", "));
      return (
        `<div class="text"><span class="name">${escapeMarkup(name)}</span>` +
        `<p class="tokens" role="group" aria-label="${label}">${spans.join("<wbr>")}</p></div>`
      );
    });
    return (several && text.label ? `<p class="heading">${escapeMarkup(text.label)}</p>` : "") + rows.join("\n");
  });
  const legend = legendSvg(tokenLegend(spec, colorings), 320, `Colours of: ${altText(spec)}`);
  return `<div class="legend">${legend}</div>\n<div class="texts">\n${texts.join("\n")}\n</div>`;
}
