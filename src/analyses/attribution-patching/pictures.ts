/** Attribution patching's pictures: the estimates and, on the same scale, the results of actual patching. */

import type { FacetsSpec, PictureSpec } from "../../finding/picture.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { headName, nameAlong, neuronName } from "../../lens/components.ts";
import type { Model } from "../../lens/model.ts";
import { headsAt } from "../../lens/model-has.ts";
import { changeOf } from "../../measures/attribution-patching/places.ts";
import type { AttributionPatchingMeasurement, AttributionSite } from "../../measures/attribution-patching.ts";
import type { Contrast } from "../../measures/contrast.ts";
import { effectCaption, PLACES_AXIS, placeLabels } from "../contrast.ts";

/** The most heads for which a picture has one row each; more heads are shown as a grid, with all positions together. */
const MOST_ROWS = 32;
/** How many heads have their patterns drawn. */
const PATTERNS = 4;
/** How many neurons are drawn. */
const NEURONS = 20;

type Matrix = readonly (readonly number[])[];
/** The effect of a place, estimated or patched. */
type Effect = (site: AttributionSite, ...index: number[]) => number;
interface Head {
  readonly layer: number;
  readonly head: number;
}

/** What every picture needs. */
interface Shown {
  readonly model: Model;
  readonly effects: AttributionPatchingMeasurement["effects"];
  readonly estimated: Effect;
  /** The effects of these sites as patched, if all of them were. */
  readonly patchedAt: (sites: readonly AttributionSite[]) => Effect | undefined;
  /** The positions, and their axis. */
  readonly at: readonly number[];
  readonly positions: { readonly label: string; readonly ticks: readonly string[] };
  readonly colours: string;
}

export function attributionPictures(
  model: Model,
  contrast: Contrast,
  { effects, corrupted }: AttributionPatchingMeasurement,
  measured: ReadonlyMap<AttributionSite, Tensor>,
): PictureSpec[] {
  const patched: Effect = (site, ...index) => changeOf(measured.get(site)!.get(...index), corrupted);
  const all: Shown = {
    model,
    effects,
    estimated: (site, ...index) => effects.get(site)!.get(...index),
    patchedAt: (sites) => (sites.every((site) => measured.has(site)) ? patched : undefined),
    at: range(contrast.clean.ids.length),
    positions: { label: PLACES_AXIS, ticks: placeLabels(contrast) },
    colours: effectCaption(contrast),
  };
  // Where heads share keys and values, there are fewer of these.
  const headPictures =
    headsAt(model, "k")!.axis === "kv_head"
      ? [
          ...byHead(all, "Heads' outputs (z) and queries", "heads", ["z", "q"]),
          ...byHead(all, "Keys and values, each of several heads", "shared-heads", ["k", "v"]),
        ]
      : byHead(all, "Heads' outputs (z), queries, keys and values", "heads", ["z", "q", "k", "v"]);
  return [streamPicture(all), ...headPictures, ...patternPictures(all), ...neuronPictures(all)];
}

function streamPicture({ model, effects, estimated, patchedAt, at, positions, colours }: Shown): FacetsSpec {
  const sites = (["resid_pre", "attn_out", "resid_mid", "mlp_out"] as const).filter((site) => effects.has(site));
  const places = range(model.cfg.nLayers).flatMap((layer) => sites.map((site) => ({ layer, site })));
  const byPosition = (effect: Effect): Matrix =>
    places.map(({ layer, site }) => at.map((pos) => effect(site, layer, pos)));
  const patched = patchedAt(sites);
  return {
    kind: "facets",
    name: "stream",
    part: "positions",
    title: "The residual stream, and what layers write to it",
    caption: colours,
    facets: [
      { title: "estimated", values: byPosition(estimated) },
      ...(patched ? [{ title: "patched", values: byPosition(patched) }] : []),
    ],
    x: positions,
    y: { label: "place", ticks: places.map(({ layer, site }) => `L${layer} ${site}`) },
    color: { label: "effect", unit: "logits" },
  };
}

function headsOf({ cfg }: Model, count: number): Head[] {
  return range(cfg.nLayers).flatMap((layer) => range(count).map((head): Head => ({ layer, head })));
}

function byHead(
  { model, estimated, patchedAt, at, positions, colours }: Shown,
  title: string,
  name: string,
  sites: readonly AttributionSite[],
): FacetsSpec[] {
  const { axis, count } = headsAt(model, sites[0])!;
  const own = headsOf(model, count);
  const each = own.length <= MOST_ROWS;
  const values = (effect: Effect, site: AttributionSite): Matrix =>
    each
      ? own.map(({ layer, head }) => at.map((pos) => effect(site, layer, pos, head)))
      : range(model.cfg.nLayers).map((layer) =>
          range(count).map((head) => total(at.map((pos) => effect(site, layer, pos, head)))),
        );
  return pair(
    {
      kind: "facets",
      ...{ name, title, part: "heads" },
      caption: `${each ? "Each position on its own." : "Each position on its own, summed over positions."} ${colours}`,
      x: each ? positions : { label: "head" },
      y: each
        ? { label: "head", ticks: own.map(({ layer, head }) => nameAlong(axis, layer, head)) }
        : { label: "layer" },
    },
    (effect) => sites.map((site) => ({ title: site, values: values(effect, site) })),
    estimated,
    patchedAt(sites),
  );
}

function patternPictures({ model, estimated, patchedAt, at, positions, colours }: Shown): FacetsSpec[] {
  const square = (effect: Effect, { layer, head }: Head): Matrix =>
    at.map((query) => at.map((key) => effect("pattern", layer, head, query, key)));
  const size = (head: Head) => total(square(estimated, head).map((row) => total(row.map(Math.abs))));
  const strongest = headsOf(model, model.cfg.nHeads)
    .map((head) => ({ head, size: size(head) }))
    .sort((a, b) => b.size - a.size)
    .slice(0, PATTERNS)
    .map(({ head }) => head);
  return pair(
    {
      kind: "facets",
      name: "patterns",
      part: "heads",
      title: "Patterns of the heads with the largest estimates",
      caption: `Each weight of a pattern on its own: rows are queries, columns keys. ${colours}`,
      x: { label: "key", ticks: positions.ticks },
      y: { label: "query", ticks: positions.ticks },
    },
    (effect) => strongest.map((head) => ({ title: headName(head.layer, head.head), values: square(effect, head) })),
    estimated,
    patchedAt(["pattern"]),
  );
}

function neuronPictures({ model, effects, estimated, patchedAt, at, positions, colours }: Shown): FacetsSpec[] {
  const post = effects.get("post");
  if (!post) return [];
  const most = (layer: number, index: number) =>
    Math.max(...at.map((pos) => Math.abs(estimated("post", layer, pos, index))));
  const neurons = range(model.cfg.nLayers)
    .flatMap((layer) => range(post.shape[2]).map((index) => ({ layer, index, most: most(layer, index) })))
    .sort((a, b) => b.most - a.most)
    .slice(0, NEURONS);
  return pair(
    {
      kind: "facets",
      name: "neurons",
      part: "neurons",
      title: `The ${neurons.length} neurons with the largest estimates`,
      caption: `Each position on its own. ${colours}`,
      x: positions,
      y: { label: "neuron", ticks: neurons.map(({ layer, index }) => neuronName(layer, index)) },
    },
    (effect) => [
      { title: "post", values: neurons.map(({ layer, index }) => at.map((pos) => effect("post", layer, pos, index))) },
    ],
    estimated,
    patchedAt(["post"]),
  );
}

/** A picture of the estimates and, if the effects were measured, one of those on the same scale. */
function pair(
  base: Omit<FacetsSpec, "facets" | "color">,
  facets: (effect: Effect) => FacetsSpec["facets"],
  estimated: Effect,
  patched: Effect | undefined,
): FacetsSpec[] {
  const both = [
    { how: "estimated", facets: facets(estimated) },
    ...(patched ? [{ how: "patched", facets: facets(patched) }] : []),
  ];
  const sizes = both.flatMap((one) =>
    one.facets.flatMap((f) => f.values.flatMap((row) => row.map((x) => Math.abs(x!)))),
  );
  const most = sizes.reduce((a, b) => Math.max(a, b), 0);
  const color = { label: "effect", unit: "logits", ...(most > 0 ? { domain: [-most, most] as const } : {}) };
  return both.map((one) => ({
    ...base,
    name: `${base.name}-${one.how}`,
    title: `${base.title}, ${one.how}`,
    facets: one.facets,
    color,
  }));
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, x) => sum + x, 0);
}

function range(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}
