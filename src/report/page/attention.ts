import { isPacked, valueNormsOf } from "../../finding/attention-weights.ts";
import type { AttentionSpec } from "../../finding/picture.ts";
import { ALL_HEADS, type AttentionColors, attentionColors } from "../draw/attention-colors.ts";
import { focusedHead, hasAll, headName, smallPrint } from "../draw/attention-focus.ts";
import { isLayered, layerAndHead } from "../draw/attention-rows.ts";
import { DEFAULT_WIDTH, drawFor } from "../draw/draw.ts";
import { altText } from "../draw/drawing.ts";
import { indices, tickLabels } from "../draw/ticks.ts";
import { escapeMarkup } from "../escape.ts";
import { hueOf } from "../hue.ts";
import { visibleToken } from "../token-text.ts";
import { ATTENTION } from "./attention-style.ts";
import type { AttentionData } from "./client/attention/data.ts";
import type { PageNeeds } from "./needs.ts";
import { packNumbers } from "./packed.ts";
import { rampHtml } from "./ramp.ts";

const LONGEST_LABEL = 16;

/**
 * Heads as buttons, one of them large, and the tokens. The script draws them, and reads weights, hues and words from attributes;
 * without it, and on paper, there is the drawing of the other formats.
 */
export async function attentionHtml(spec: AttentionSpec, needs: PageNeeds): Promise<string> {
  needs.features.add(ATTENTION);
  const colors = attentionColors(spec);
  if (colors.signed) needs.schemes.add("RdBu");
  const several = spec.heads.length > 1;
  const classes = ["stage", several ? "" : "alone", isLayered(spec) ? "layered" : ""];
  const note = smallPrint(spec, colors);
  const norms = spec.heads.flatMap(({ valueNorms }) => (valueNorms ? [valueNormsOf(valueNorms)] : []));
  const hasNorms = norms.length === spec.heads.length;
  return (
    `<div class="attention" data-attention="${escapeMarkup(JSON.stringify(wordsOf(spec, colors)))}" ` +
    `${weightsOf(spec, hasNorms ? norms : [], needs)}>\n` +
    (needs.still ? `<div class="still">${await stillOf(spec)}</div>\n` : "") +
    `<div class="${classes.filter(Boolean).join(" ")}" hidden>\n${tools(spec, colors, hasNorms)}\n${view(spec, colors)}\n` +
    `${several ? heads(spec, colors) : ""}\n${reading(spec)}\n` +
    `${note ? `<p class="note">${escapeMarkup(note)}</p>\n` : ""}</div>\n</div>`
  );
}

function stillOf(spec: AttentionSpec): Promise<string> {
  return drawFor(spec, { words: false, width: spec.width ?? DEFAULT_WIDTH });
}

/** What the script needs besides the weights. */
function wordsOf(spec: AttentionSpec, colors: AttentionColors): AttentionData {
  return {
    names: spec.heads.map((item) => item.name),
    tokens: spec.tokens.map((token) => visibleToken(token)),
    labels: tickLabels(spec.tokens, spec.tokens.length, LONGEST_LABEL),
    hues: spec.heads.map((_, i) => hueOf(i, spec.heads.length)).map(({ a, b }) => [round(a), round(b)] as const),
    metrics: (spec.metrics ?? []).map((metric) => ({ ...metric, values: metric.values.map(round) })),
    left: spec.heads.map(({ pattern }) => (isPacked(pattern) ? round(pattern.left) : 0)),
    ...(colors.domain ? { domain: colors.domain } : {}),
    signed: colors.signed,
    label: spec.label ?? "attention",
    all: hasAll(spec, colors) ? headName(spec, ALL_HEADS, colors) : "",
    focus: focusedHead(spec, colors),
  };
}

/** The weights as attributes, or the number by which a script finds them. */
function weightsOf({ heads }: AttentionSpec, norms: readonly Float32Array[], needs: PageNeeds): string {
  if (!needs.still) {
    const patterns = heads.map(({ pattern }) => (isPacked(pattern) ? pattern : packNumbers(pattern.flat())));
    return `data-stored="${needs.attention.push({ patterns, norms }) - 1}"`;
  }
  const packed = norms.map((some) => packNumbers(some)).join(" ");
  return `data-patterns="${heads.map(patternText).join(" ")}"${packed ? ` data-norms="${packed}"` : ""}`;
}

/** A packed pattern's parts, or float32 of a plain one. */
function patternText({ pattern }: AttentionSpec["heads"][number]): string {
  if (!isPacked(pattern)) return packNumbers(pattern.flat());
  return [pattern.weights, pattern.rest, pattern.largest, pattern.causal ? "causal" : "all"].join(",");
}

function tools(spec: AttentionSpec, { signed }: AttentionColors, hasNorms: boolean): string {
  const toggle = (name: string, text: string, title: string) =>
    `<button type="button" data-switch="${name}" aria-pressed="false" title="${escapeMarkup(title)}">${text}</button>`;
  const first = visibleToken(spec.tokens[0] ?? "");
  const metrics = (spec.metrics ?? []).map(({ name, lowestFirst }, i) => {
    const order = lowestFirst ? "lowest first" : "highest first";
    return `<option value="${i}">${escapeMarkup(name)}, ${order}</option>`;
  });
  const sort = `<label>sort heads by <select><option value="">layer</option>${metrics.join("")}</select></label>`;
  return (
    `<div class="tools">${spec.heads.length > 1 && metrics.length > 0 ? sort : ""}` +
    toggle("first", "hide first token", `Leaves out the attention to “${first}”, and fits the colours to the rest.`) +
    (signed
      ? ""
      : toggle("log", "logarithmic", "Colours follow the logarithm: each tenth of a weight is a third paler.")) +
    (hasNorms
      ? toggle("values", "× |value|", "Weights times the norm of the value vector that is read: how much is moved.")
      : "") +
    `<span class="zoom" hidden><button type="button" aria-label="smaller">−</button><output>1×</output>` +
    `<button type="button" aria-label="larger">+</button></span></div>`
  );
}

function view(spec: AttentionSpec, colors: AttentionColors): string {
  const scale = colors.scale(focusedHead(spec, colors));
  return (
    `<div class="view"><p class="heading"></p><p class="facts"></p>${rampHtml(scale, ["transparent", "transparent"])}\n` +
    `<div class="frame" role="img" aria-label="${escapeMarkup(altText(spec))}"><div class="room"><canvas></canvas><i class="spot"></i></div></div></div>`
  );
}

function heads(spec: AttentionSpec, colors: AttentionColors): string {
  const focus = focusedHead(spec, colors);
  const layered = isLayered(spec);
  const columns = spec.perRow ?? 1;
  const head = (index: number) => {
    const name = index === ALL_HEADS ? (colors.signed ? "mean" : "all") : spec.heads[index].name;
    return (
      `<button type="button" class="head" data-head="${index}" aria-label="${escapeMarkup(name)}" aria-pressed="${index === focus}" ` +
      `tabindex="${index === focus ? 0 : -1}"><i class="thumb"></i><span>${escapeMarkup(name)}<small></small></span></button>`
    );
  };
  const axis = (text: string, rows = false) => `<span class="axis${rows ? " of-layers" : ""}">${text}</span>`;
  const cells = spec.heads.map((_, i) => {
    const starts = layered && i % columns === 0;
    return `${starts ? axis(`L${layerAndHead(spec.heads[i].name)[0]}`, true) : ""}${head(i)}`;
  });
  const top = layered
    ? [axis(""), ...indices(columns).map((i) => axis(`H${layerAndHead(spec.heads[i].name)[1]}`))]
    : [];
  // A few heads can be drawn larger; many should fit together.
  const thumb = spec.heads.length <= 6 ? 96 : spec.heads.length <= 20 ? 72 : 56;
  return (
    `<div class="heads"><div class="grid-of-heads${spec.perRow ? " rows-of-layers" : ""}" style="--thumb:${thumb}px;--columns:${columns}" ` +
    `role="group" aria-label="Heads: focus to see, press to select">` +
    `<canvas class="thumbs"></canvas>${[...(hasAll(spec, colors) ? [head(ALL_HEADS)] : []), ...top, ...cells].join("\n")}</div></div>`
  );
}

function reading(spec: AttentionSpec): string {
  const tokens = spec.tokens.map(
    (token, pos) =>
      `<span class="token" role="button" aria-pressed="false" data-tip="" tabindex="${pos === 0 ? 0 : -1}">` +
      `${escapeMarkup(visibleToken(token))}</span>`,
  );
  return (
    `<div class="reading"><p class="direction" role="group" aria-label="What the tokens show">` +
    `<button type="button" aria-pressed="true">source ← destination</button>` +
    `<button type="button" aria-pressed="false">destination ← source</button></p>` +
    `<p class="status" aria-live="polite"></p>\n` +
    `<p class="tokens" role="group" aria-label="Tokens: focus to see, press to select"><svg class="arcs" aria-hidden="true"></svg>${tokens.join("<wbr>")}</p></div>`
  );
}

function round(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}
