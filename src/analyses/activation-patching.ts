/** "Which activations carry the information that decides between the two answers?" */

import { type Finding, finding, type Statement } from "../finding/finding.ts";
import type { PictureSpec } from "../finding/picture.ts";
import type { Column, PositionalTable as Table } from "../finding/table.ts";
import type { Tensor } from "../graph/tensor.ts";
import { nameAlong } from "../lens/components.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import { type HeadsOf, hasSite, headsAt } from "../lens/model-has.ts";
import { patchFrom, sweep } from "../lens/sweep.ts";
import { getActName } from "../models/act-name.ts";
import { ArgumentError, UnknownNameError } from "../tensor/errors.ts";
import { quoted } from "../tensor/words.ts";
import { analysis } from "./analysis.ts";
import {
  CLEAN_RUN,
  CORRUPTED_RUN,
  type Contrast,
  contrastBaselines,
  contrastOptions,
  contrastSettings,
  placeLabels,
  readContrast,
} from "./contrast.ts";
import { type AnalysisOptions, type GivenOptions, memoryOption, settled, topOption } from "./options.ts";
import { modelFacts } from "./prompt.ts";
import { stages } from "./stages.ts";
import { middle } from "./statistics/middle.ts";

/** What can be patched: by position, or by head at all positions. */
const SITES = {
  resid_pre: { site: "resid_pre", by: "pos", what: "the residual stream before a layer" },
  attn_out: { site: "attn_out", by: "pos", what: "an attention layer's output" },
  mlp_out: { site: "mlp_out", by: "pos", what: "an MLP's output" },
  head_out: { site: "z", by: "head", what: "a head's output" },
  head_q: { site: "q", by: "head", what: "a head's queries" },
  head_k: { site: "k", by: "head", what: "a head's keys" },
  head_v: { site: "v", by: "head", what: "a head's values" },
  head_pattern: { site: "pattern", by: "head", what: "a head's pattern" },
} as const;

/** What can be patched. */
export type PatchingSite = keyof typeof SITES;
const SITE_NAMES = Object.keys(SITES) as PatchingSite[];

/** The options of `activationPatching`. */
export type ActivationPatchingOptions = GivenOptions<typeof OPTIONS>;

/** One patched place. */
interface Cell {
  readonly site: PatchingSite;
  readonly layer: number;
  /** What the site is patched along. */
  readonly axis: "pos" | HeadsOf["axis"];
  /** The position or the head. */
  readonly at: number;
  readonly metric: number;
  readonly normalized: number;
}

const QUESTION = "Which activations carry the information that decides between the two answers?";
const TYPICAL = "typical place";

/**
 * Activation patching: the corrupted prompt is run with one activation of the clean run in its place, for every layer and
 * position and for every head; how much of the clean run's logit difference returns says what the activation carries.
 * 0 is the corrupted run, 1 the clean one.
 * @throws InputError for prompts of different lengths, answers of several tokens, or a model that does not distinguish the
 * prompts; UnknownNameError for a site that does not exist.
 */
export async function activationPatching(
  model: HookedTransformer,
  options: ActivationPatchingOptions = {},
): Promise<Finding> {
  const asked = settled("activationPatching", model, options, OPTIONS);
  const { top, memory, signal, onProgress } = asked;
  const sites = chosenSites(model, asked.sites);
  const contrast = await readContrast(model, asked, signal);
  const layers = Array.from({ length: model.cfg.nLayers }, (_, l) => l);
  const [, cache] = await model.runWithCache(contrast.clean.input, {
    returnType: null,
    namesFilter: sites.flatMap((site) => layers.map((layer) => getActName(SITES[site].site, layer))),
    signal,
  });
  const headsOf = (site: PatchingSite) => headsAt(model, SITES[site].site)!;
  const byPos = (site: PatchingSite) => SITES[site].by === "pos";
  const places = (site: PatchingSite) => (byPos(site) ? contrast.clean.ids.length : headsOf(site).count);
  const progress = stages(onProgress, sites.map(places));

  const effects = new Map<PatchingSite, Tensor>();
  for (const [i, site] of sites.entries()) {
    const { values } = await sweep(model, contrast.corrupted.input, {
      site: SITES[site].site,
      over: ["layer", byPos(site) ? "pos" : headsOf(site).axis],
      edit: patchFrom(cache),
      metric: contrast.metric,
      memory,
      signal,
      onProgress: progress[i],
    });
    effects.set(site, values);
  }
  return report(model, contrast, effects, top);
}

/** @throws UnknownNameError for a site that does not exist, ArgumentError for one that this model lacks. */
function chosenSites(model: HookedTransformer, asked: readonly string[] | undefined): PatchingSite[] {
  const here = SITE_NAMES.filter((site) => hasSite(model, SITES[site].site));
  for (const name of asked ?? []) {
    if (!SITE_NAMES.includes(name as PatchingSite)) throw new UnknownNameError("site to patch", name, SITE_NAMES);
    if (here.includes(name as PatchingSite)) continue;
    throw new ArgumentError(`"${name}" cannot be patched: this model has no MLPs.`, { asked: name, found: here });
  }
  return here.filter((site) => !asked || asked.length === 0 || asked.includes(site));
}

function report(
  model: HookedTransformer,
  contrast: Contrast,
  found: ReadonlyMap<PatchingSite, Tensor>,
  top: number,
): Finding {
  const cells = [...found].flatMap(([site, values]) => cellsOf(site, values, contrast));
  const ranked = [...cells].sort((a, b) => Math.abs(b.normalized) - Math.abs(a.normalized));
  const typical = middle(cells.map((cell) => cell.normalized));
  return finding({
    analysis: "activation-patching",
    question: QUESTION,
    summary: statements(contrast, ranked, found),
    method: {
      text: `The corrupted prompt is run with one activation taken from the run on the clean prompt, and the difference of the answers' logits at ${contrast.place} is measured: logit(${quoted(contrast.answer)}) − logit(${quoted(contrast.wrong)}). It is given as a fraction of the distance between the two runs, (patched − corrupted) / (clean − corrupted).\n\nresid_pre, attn_out and mlp_out are patched at one layer and position at a time; a head's output (z), queries, keys, values or pattern in one layer at all positions. All places of a layer run side by side, and everything before the layer is computed once.`,
      references: [
        {
          title: "Locating and Editing Factual Associations in GPT",
          url: "https://arxiv.org/abs/2202.05262",
          paper: "Meng et al., 2022",
        },
        {
          title: "Towards Best Practices of Activation Patching in Language Models",
          url: "https://arxiv.org/abs/2309.16042",
          paper: "Zhang and Nanda, 2023",
        },
      ],
    },
    model: modelFacts(model),
    settings: { ...contrastSettings(contrast), sites: [...found.keys()].join(", "), top },
    parts: [
      { name: "positions", title: "By layer and position" },
      { name: "heads", title: "By head, at all positions" },
    ].filter(({ name }) => [...found.keys()].some((site) => SITES[site].by === (name === "heads" ? "head" : "pos"))),
    pictures: (["pos", "head"] as const).flatMap((by) => heatmaps(by, found, contrast)),
    tables: [
      table("top", `The ${Math.min(top, ranked.length)} largest effects`, ranked.slice(0, top), contrast),
      { ...table("all", "All places", cells, contrast), detail: true },
    ],
    baselines: [
      ...contrastBaselines(contrast, true),
      {
        name: TYPICAL,
        kind: "reference value",
        text: `The median of all ${cells.length} patched places, and the range that the middle 95 % of them regain.`,
        value: typical.median,
        interval: typical.interval,
        level: typical.level,
        samples: cells.length,
      },
    ],
    caveats: [
      "This is one pair of prompts: a place that matters here may not matter for another pair that asks the same thing.",
      "Patching clean into corrupted finds what is enough to bring the answer back. To find what is necessary, swap the two prompts.",
      "Effects do not add up: information that two places both carry may be restored by either of them.",
      ...(SITE_NAMES.some((site) => found.has(site) && site === "resid_pre")
        ? [
            "By construction, resid_pre at layer 0 regains everything where the prompts differ, and nothing where they agree.",
          ]
        : []),
      ...model.notes,
    ],
  });
}

function cellsOf(site: PatchingSite, values: Tensor, contrast: Contrast): Cell[] {
  const [, width] = values.shape;
  const axis = values.axes[1] as Cell["axis"];
  return Array.from(values.data, (metric, i) => ({
    ...{ site, axis },
    layer: Math.floor(i / width),
    at: i % width,
    metric,
    normalized: contrast.normalized(metric),
  }));
}

/** A place in a sentence: "resid_pre of layer 0 at “ lady” (position 2)", "head_out of L0H3". */
function place({ site, axis, layer, at }: Cell, { clean }: Contrast): string {
  if (axis !== "pos") return `${site} of ${nameAlong(axis, layer, at)}`;
  return `${site} of layer ${layer} at ${quoted(clean.tokens[at])} (position ${at})`;
}

function statements(
  contrast: Contrast,
  ranked: readonly Cell[],
  found: ReadonlyMap<PatchingSite, Tensor>,
): [Statement, ...Statement[]] {
  const { cleanMetric, corruptedMetric, answer, wrong } = contrast;
  const best = (site: PatchingSite) => ranked.find((cell) => cell.site === site)!;
  const sentence = (cell: Cell, first: boolean): Statement => ({
    text: `${first ? "Of all places after the embedding, " : ""}${place(cell, contrast)} regains ${first ? "most: " : ""}${cell.normalized.toFixed(2)} of the difference.`,
    figure: { value: cell.normalized, unit: "", comparedWith: [TYPICAL] },
  });
  // The embedding carries all of it by construction, so it would answer nothing.
  const reported = ranked.filter((cell) => !(cell.site === "resid_pre" && cell.layer === 0));
  const answered = reported[0] ?? ranked[0];
  const others = [...found.keys()].map(best).filter((cell) => cell !== answered && reported.includes(cell));
  return [
    sentence(answered, true),
    {
      text: `The model prefers ${quoted(answer)} to ${quoted(wrong)} by ${cleanMetric.toFixed(2)} logits on the clean prompt and by ${corruptedMetric.toFixed(2)} on the corrupted one.`,
      figure: { value: cleanMetric - corruptedMetric, unit: "logits", comparedWith: [CLEAN_RUN, CORRUPTED_RUN] },
    },
    ...others.map((cell) => ({
      ...sentence(cell, false),
      text: `Largest of ${cell.site}: ${place(cell, contrast)}, ${cell.normalized.toFixed(2)}.`,
    })),
  ];
}

/** The sites that are patched by position, or those by head, side by side on one scale. */
function heatmaps(
  by: "pos" | "head",
  found: ReadonlyMap<PatchingSite, Tensor>,
  contrast: Contrast,
): readonly PictureSpec[] {
  const own = [...found].filter(([site]) => SITES[site].by === by);
  if (own.length === 0) return [];
  const width = Math.max(...own.map(([, values]) => values.shape[1]));
  const facets = own.map(([site, values]) => ({
    title: site,
    // Where query heads share keys and values, there are fewer of these than queries.
    values: Array.from({ length: values.shape[0] }, (_, layer) =>
      Array.from({ length: width }, (_, at) =>
        at < values.shape[1] ? contrast.normalized(values.get(layer, at)) : null,
      ),
    ),
  }));
  const shared = own.some(([, { axes }]) => axes[1] === "kv_head")
    ? " Several heads share one of the keys and values, so there are fewer of these."
    : "";
  const furthest = Math.max(1, ...facets.flatMap(({ values }) => values.flat().map((x) => Math.abs(x ?? 0))));
  return [
    {
      kind: "facets",
      name: by === "pos" ? "positions" : "heads",
      part: by === "pos" ? "positions" : "heads",
      title: by === "pos" ? "What is regained, by layer and position" : "What is regained, by layer and head",
      caption: `1: all of the clean run's logit difference is back; 0: none of it; below 0: it moves further away. ${own.map(([site]) => `${site} is ${SITES[site].what}`).join("; ")}.${shared}`,
      facets,
      x: by === "pos" ? { label: "position", ticks: placeLabels(contrast) } : { label: "head" },
      y: { label: "layer" },
      color: { label: "regained", domain: [-furthest, furthest] },
    },
  ];
}

function table(name: string, title: string, cells: readonly Cell[], { clean }: Contrast): Table {
  const shared = cells.some(({ axis }) => axis === "kv_head")
    ? " (for head_k and head_v, which of those that heads share)"
    : "";
  const columns: Column[] = [
    { name: "site", title: "site", format: "text", description: "What was patched." },
    { name: "layer", title: "layer", axis: "layer", format: "integer", description: "The layer." },
    { name: "pos", title: "pos", axis: "pos", format: "integer", description: "The position; none means all of them." },
    { name: "token", title: "token", format: "token", description: "The clean prompt's token at that position." },
    {
      name: "head",
      title: "head",
      axis: "head",
      format: "integer",
      description: `The head${shared}; none means all of them.`,
    },
    {
      name: "logit_difference",
      title: "logit difference",
      unit: "logits",
      format: { digits: 3 },
      description: "The answer's logit minus the wrong one's, with the patch.",
    },
    {
      name: "regained",
      title: "regained",
      format: { digits: 3 },
      description: "The fraction of the distance from the corrupted run to the clean one.",
    },
  ];
  return {
    name,
    title,
    columns,
    rows: cells.map(({ site, axis, layer, at, metric, normalized }) => {
      const byPos = axis === "pos";
      return [site, layer, byPos ? at : null, byPos ? clean.tokens[at] : null, byPos ? null : at, metric, normalized];
    }),
    comparedWith: [CORRUPTED_RUN, CLEAN_RUN],
  };
}

const OPTIONS = {
  ...contrastOptions,
  sites: {
    type: "texts",
    placeholder: "site",
    description: `what to patch: ${SITE_NAMES.join(", ")}`,
    defaultText: "all",
  },
  top: topOption("places"),
  memory: memoryOption(),
} as const satisfies AnalysisOptions;

/** `activationPatching` for the index. */
export const activationPatchingAnalysis = analysis({
  name: "activation-patching",
  question: QUESTION,
  description:
    "Runs the corrupted prompt with one activation of the clean run in its place, for every layer and position and for every head, and measures how much of the clean run's logit difference is regained.",
  example: "--sites head_out head_v --out report.html",
  counts: "places",
  options: OPTIONS,
  run: (model, { ...options }, context) => activationPatching(model, { ...options, ...context }),
});
