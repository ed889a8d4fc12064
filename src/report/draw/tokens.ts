import type { TokensSpec } from "../../finding/picture.ts";
import { inkOn } from "../color.ts";
import { escapeMarkup } from "../escape.ts";
import { cutText, textWidth, visibleToken } from "../token-text.ts";
import { type Drawing, MONO, round, svgText } from "./drawing.ts";
import { largest } from "./limits.ts";
import { tokenColorings, tokenLegend, tokenTitle } from "./token-values.ts";

const SIZE = 13;
const LETTER = SIZE * 0.602;
const LINE = 25;
const BOX = 20;
const LONGEST_LABEL = 22;

/** Tokens need no axes and no measuring by a browser, because a fixed-width font has known widths. */
export function drawTokens(spec: TokensSpec, width: number): Drawing {
  const colorings = tokenColorings(spec);
  const several = spec.rows.length > 1;
  const names = spec.texts.map((text) => text.label ?? "");
  const labels = several ? [...names, ...spec.rows.map((row) => row.title)] : names;
  const longest = Math.min(
    LONGEST_LABEL,
    largest(
      labels.map((label) => [...label].length),
      0,
    ),
  );
  const left = longest > 0 ? longest * 6.8 + 12 : 0;
  const parts: string[] = [];
  let y = 0;
  for (const text of spec.texts) {
    if (several && text.label) {
      parts.push(svgText(text.label, 0, y + 14, `font-weight="600"`));
      y += LINE - 3;
    }
    spec.rows.forEach((row, r) => {
      const label = several ? row.title : text.label;
      if (label) parts.push(svgText(cutText(label, LONGEST_LABEL), 0, y + 14, `opacity="0.75"`));
      let x = left;
      text.tokens.forEach((token, pos) => {
        const shown = visibleToken(token);
        const box = Math.max(textWidth(shown), 1) * LETTER + 5;
        if (x > left && x + box > width) {
          x = left;
          y += LINE;
        }
        parts.push(drawToken(shown, x, y, box, colorings[r].of(text.values[r][pos]), tokenTitle(spec, text, pos)));
        if (text.marked?.includes(pos)) {
          parts.push(
            `<rect x="${round(x)}" y="${round(y)}" width="${round(box)}" height="${BOX}" rx="2" fill="none" stroke="currentColor" stroke-width="2"/>`,
          );
        }
        x += box + 2;
      });
      y += LINE;
    });
    if (several) y += 8;
  }
  return { width, height: y, content: parts.join(""), legend: tokenLegend(spec, colorings) };
}

function drawToken(shown: string, x: number, y: number, box: number, color: string, title: string): string {
  const ink = `font-family="${MONO}" font-size="${SIZE}" fill="${inkOn(color)}" style="white-space:pre"`;
  return (
    `<g><title>${escapeMarkup(title)}</title>` +
    `<rect x="${round(x)}" y="${round(y)}" width="${round(box)}" height="${BOX}" rx="2" fill="${color}"/>` +
    `${svgText(shown, x + 2.5, y + 14.5, ink)}</g>`
  );
}
