/** Which head is drawn large, and what is said of it. */
import { isPacked, keptPerQuery } from "../../finding/attention-weights.ts";
import type { AttentionMetric, AttentionSpec } from "../../finding/picture.ts";
import { percent } from "../../tensor/words.ts";
import { formatNumber } from "../format.ts";
import { ALL_HEADS, type AttentionColors } from "./attention-colors.ts";
import { atMost } from "./limits.ts";

/** The hues of more heads than this mix to mud. */
const MOST_MIXED = 8;
/** The most weights of all heads together: 144 heads of 1024 tokens have 151 million. */
const MOST_PACKED = 200_000_000;
/** The same for plain numbers. */
const MOST_PLAIN = 4_000_000;

/** @throws ArgumentError for more weights than a picture can have */
export function checkWeights(heads: number, tokens: number, packed = true): void {
  const what = `weights (${heads} heads of ${tokens} x ${tokens})`;
  atMost(packed ? MOST_PACKED : MOST_PLAIN, heads * tokens ** 2, what, "show fewer heads, or a part of the text");
}

/** Whether there is a view of all heads together: a mixture of few hues, or a mean. */
export function hasAll(spec: AttentionSpec, { signed }: AttentionColors): boolean {
  return spec.heads.length > 1 && (signed || spec.heads.length <= MOST_MIXED);
}

/** The index of the head that is drawn large. */
export function focusedHead(spec: AttentionSpec, colors: AttentionColors): number {
  const named = spec.heads.some((head) => head.name === spec.focus);
  return !named && hasAll(spec, colors) ? ALL_HEADS : oneHead(spec);
}

/** The same where one has to be chosen. */
export function oneHead(spec: AttentionSpec): number {
  const named = spec.heads.findIndex((head) => head.name === spec.focus);
  return named >= 0 ? named : first(spec);
}

/** The first by the first of the metrics. */
function first({ metrics }: AttentionSpec): number {
  return metrics?.[0] ? (order(metrics[0])[0] ?? 0) : 0;
}

/** Heads' indices, the highest or lowest first, as the metric says. */
function order({ values, lowestFirst }: AttentionMetric): number[] {
  return [...values.keys()].sort((a, b) => (lowestFirst ? values[a] - values[b] : values[b] - values[a]) || a - b);
}

/** The name of the large view. */
export function headName(spec: AttentionSpec, head: number, { signed }: AttentionColors): string {
  if (head === ALL_HEADS) return signed ? "mean of all heads" : "all heads, mixed by hue";
  return spec.heads.length <= MOST_MIXED ? spec.heads[head].name : nameWithReason(spec, head);
}

/** The name of a head and, if it is the first by the first metric, that. */
export function nameWithReason({ heads, metrics }: AttentionSpec, head: number): string {
  const [metric] = metrics ?? [];
  const { name } = heads[head];
  if (heads.length === 1 || !metric || order(metric)[0] !== head) return name;
  return `${name}, the ${metric.lowestFirst ? "lowest" : "highest"} of ${heads.length} heads in ${metric.name}`;
}

/** A head's metrics: "induction 0.83 · entropy 1.2 nats". */
export function metricsLine({ metrics = [] }: AttentionSpec, head: number): string {
  if (head === ALL_HEADS) return "";
  return metrics
    .map(({ name, unit, values }) => `${name} ${formatNumber(values[head], 2)}${unit ? ` ${unit}` : ""}`)
    .join(" · ");
}

/** What there is to say of colours and numbers, if anything. */
export function smallPrint(spec: AttentionSpec, colors: AttentionColors): string {
  const own = colors.domain === undefined && spec.heads.some((_, head) => colors.scale(head).more);
  const whose = spec.heads.length > 1 ? "Each head has a colour scale of its own: the" : "The";
  const scales = `${whose} darkest is for weights that one in ten queries reaches, the first token left aside.`;
  return [own ? scales : "", packedNote(spec)].filter(Boolean).join(" ");
}

/** How exact a packed picture is; empty for plain numbers. */
function packedNote({ heads, tokens }: AttentionSpec): string {
  const packed = heads.flatMap(({ pattern }) => (isPacked(pattern) ? [pattern] : []));
  if (packed.length === 0) return "";
  const most = keptPerQuery(heads.length, tokens.length);
  const left = packed.reduce((sum, pattern) => sum + pattern.left, 0) / packed.length;
  const which =
    most < tokens.length ? `The ${most} largest weights of each query` : "Weights from 1/1024 of a head's largest on";
  return (
    `${which} are drawn one by one, rounded within 2 %` +
    (left >= 0.0005 ? `; the others, ${percent(left)} of the attention, as their mean.` : ".")
  );
}
