import type { AttentionSpec } from "../../finding/picture.ts";
import { focusedHead, headName, largeView } from "../draw/attention.ts";
import { ALL_HEADS, attentionColors } from "../draw/attention-colors.ts";
import { cellPaths } from "../draw/cells.ts";
import { altText, svgDocument } from "../draw/drawing.ts";
import { indices } from "../draw/ticks.ts";
import { escapeMarkup } from "../escape.ts";
import { hueOf } from "../hue.ts";
import { visibleToken } from "../token-text.ts";
import { ATTENTION } from "./attention-script.ts";
import type { PageNeeds } from "./needs.ts";
import { packNumbers } from "./packed.ts";
import { rampHtml } from "./ramp.ts";

const WIDE = 460;
const ALONE = 560;
const NARROW = 350;

/**
 * Heads as buttons, one of them large, and the tokens. All of this works without the script, which adds the focus on a
 * head, a token or a cell. The script reads weights and hues from attributes, and words from the page.
 */
export function attentionHtml(spec: AttentionSpec, needs: PageNeeds): string {
  needs.features.add(ATTENTION);
  const colors = attentionColors(spec);
  if (colors.signed) needs.schemes.add("RdBu");
  const focus = focusedHead(spec);
  const several = spec.heads.length > 1;
  const count = spec.tokens.length;
  const paint = (color: string) => `style="stroke:${color}"`;

  const view = (width: number) => {
    const { width: w, height, content } = largeView(spec, width, (q, k) => colors.css(focus, q, k), paint);
    const size = `style="max-width:${Math.round(1.25 * w)}px" `;
    return svgDocument(w, height, altText(spec), content).replace("<svg ", `<svg ${size}`);
  };
  const head = (index: number) => {
    const paths = cellPaths(count, count, (q, k) => colors.css(index, q, k), paint);
    const label = index === ALL_HEADS ? (colors.signed ? "mean" : "all") : spec.heads[index].name;
    return (
      `<button type="button" class="head" data-head="${index}" aria-pressed="${index === focus}" ` +
      `tabindex="${index === focus ? 0 : -1}"><span>${escapeMarkup(label)}</span>` +
      `<svg viewBox="0 -0.5 ${count} ${count}" aria-hidden="true" fill="none" stroke-width="1.04" ` +
      `shape-rendering="crispEdges">${paths}</svg></button>`
    );
  };
  // A few heads can be drawn larger; many should fit together.
  const thumb = spec.heads.length <= 6 ? 96 : spec.heads.length <= 20 ? 72 : 50;
  const heads = several
    ? `\n<div class="heads${spec.perRow ? " layers" : ""}" style="--thumb:${thumb}px" role="group" aria-label="Heads: focus to see, press to select">` +
      `${[ALL_HEADS, ...indices(spec.heads.length)].map(head).join("\n")}</div>`
    : "";
  const tokens = spec.tokens.map(
    (token, pos) =>
      `<span class="token" role="button" aria-pressed="false" tabindex="${pos === 0 ? 0 : -1}">` +
      `${escapeMarkup(visibleToken(token, { spaces: false }))}</span>`,
  );
  const data = {
    names: spec.heads.map((item) => item.name),
    tokens: spec.tokens.map((token) => visibleToken(token)),
    hues: spec.heads.map((_, i) => hueOf(i, spec.heads.length)).map(({ a, b }) => [round(a), round(b)]),
    domain: colors.domain,
    signed: colors.signed,
    all: headName(spec, ALL_HEADS, colors),
    focus,
  };
  const scale = colors.scale(focus);
  const stops = indices(11).map((i) => scale.css(scale.domain[0] + ((scale.domain[1] - scale.domain[0]) * i) / 10));
  return (
    `<div class="attention" data-attention="${escapeMarkup(JSON.stringify(data))}" ` +
    `data-weights="${packNumbers(spec.heads.flatMap((item) => item.pattern.flat()))}">\n` +
    `<div class="stage${several ? "" : " alone"}">\n<div class="view"><p class="heading">${escapeMarkup(headName(spec, focus, colors))}</p>` +
    `${rampHtml(scale.label, scale.domain, stops)}\n` +
    `<div class="wide">${view(several ? WIDE : ALONE)}</div><div class="narrow">${view(NARROW)}</div></div>${heads}\n` +
    `<div class="reading" hidden><p class="direction" role="group" aria-label="What the tokens show">` +
    `<button type="button" aria-pressed="true">source ← destination</button>` +
    `<button type="button" aria-pressed="false">destination ← source</button></p>` +
    `<p class="status" aria-live="polite"></p>\n` +
    `<p class="tokens" role="group" aria-label="Tokens: focus to see, press to select">${tokens.join("<wbr>")}</p></div>\n</div>\n</div>`
  );
}

function round(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}
