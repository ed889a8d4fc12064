/** "Which activations carry the information that decides between the two answers?" */

import { type Baseline, type Finding, finding, type Method, type Statement } from "../finding/finding.ts";
import { nameAlong } from "../lens/components.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import {
  ACTIVATION_PATCHING_OPTIONS,
  cellsOf,
  measureActivationPatching,
  type Patched,
  type PatchedCell,
  type PatchingSite,
  SITES,
} from "../measures/activation-patching.ts";
import { type Contrast, contrastOptions, readContrast, runsOf } from "../measures/contrast.ts";
import { type AnalysisOptions, type GivenOptions, settled, topOption } from "../measures/options.ts";
import { middle } from "../measures/statistics/middle.ts";
import { listed, quoted } from "../tensor/words.ts";
import { heatmaps } from "./activation-patching/pictures.ts";
import { patchingTables } from "./activation-patching/tables.ts";
import { analysis } from "./analysis.ts";
import { CLEAN_RUN, CORRUPTED_RUN, contrastBaselines, contrastSettings } from "./contrast.ts";
import { modelFacts } from "./model-facts.ts";
import { IOI, PATCHING_PRACTICES, ROME } from "./papers.ts";

/** The options of `activationPatching`. */
export type ActivationPatchingOptions = GivenOptions<typeof OPTIONS>;

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
  const { sites: chosen, memory, signal, onProgress } = asked;
  const contrast = await readContrast(model, asked, signal);
  const { patched: found } = await measureActivationPatching(model, {
    ...runsOf(contrast),
    ...{ sites: chosen, memory, signal, onProgress },
  });
  const sites = [...found.keys()];
  const cells = [...found].flatMap(([site, values]) => cellsOf(site, values, contrast));
  const ranked = [...cells].sort((a, b) => Math.abs(b.normalized) - Math.abs(a.normalized));
  return finding({
    analysis: "activation-patching",
    question: QUESTION,
    summary: statements(contrast, ranked, found),
    method: method(contrast),
    model: modelFacts(model),
    settings: { ...contrastSettings(contrast), sites: sites.join(", "), top: asked.top },
    parts: [
      { name: "positions", title: "By layer and position" },
      { name: "heads", title: "By head, at all positions" },
    ].filter(({ name }) => sites.some((site) => SITES[site].by === (name === "heads" ? "head" : "pos"))),
    pictures: (["pos", "head"] as const).flatMap((by) => heatmaps(by, found, contrast)),
    tables: patchingTables(cells, ranked.slice(0, asked.top), contrast),
    baselines: [...contrastBaselines(contrast, true), typicalPlace(cells)],
    caveats: [
      "This is one pair of prompts: a place that matters here may not matter for another pair that asks the same thing.",
      "Patching clean into corrupted finds what is enough to bring the answer back. To find what is necessary, swap the two prompts.",
      "Effects do not add up: information that two places both carry may be restored by either of them.",
      ...(found.has("resid_pre")
        ? [
            "By construction, resid_pre at layer 0 regains everything where the prompts differ, and nothing where they agree.",
          ]
        : []),
      ...model.notes,
    ],
  });
}

function method({ place, answer, wrong }: Contrast): Method {
  return {
    text: `The corrupted prompt is run with one activation taken from the run on the clean prompt, and the difference of the answers' logits at ${place} is measured: logit(${quoted(answer)}) − logit(${quoted(wrong)}). It is given as a fraction of the distance between the two runs, (patched − corrupted) / (clean − corrupted).\n\nresid_pre, attn_out and mlp_out are patched at one layer and position at a time; a head's output (z), queries (q), keys (k), values (v) or pattern in one layer at all positions. All places of a layer run side by side, and everything before the layer is computed once.`,
    references: [ROME, IOI, PATCHING_PRACTICES],
  };
}

function typicalPlace(cells: readonly PatchedCell[]): Baseline {
  const { median, interval, level } = middle(cells.map((cell) => cell.normalized));
  return {
    name: TYPICAL,
    kind: "reference value",
    text: `The median of all ${cells.length} patched places, and the range that the middle 95 % of them regain.`,
    value: median,
    interval,
    level,
    samples: cells.length,
  };
}

/** A place in a sentence: "resid_pre of layer 0 at “ lady” (position 2)", "z of L0H3". */
function placed({ site, axis, layer, at }: PatchedCell, { clean }: Contrast): string {
  if (axis !== "pos") return `${site} of ${nameAlong(axis, layer, at)}`;
  return `${site} of layer ${layer} at ${quoted(clean.tokens[at])} (position ${at})`;
}

/** What counts as next to nothing, of the difference between the two runs. */
const LITTLE = 0.05;
const fixed = (x: number): string =>
  x
    .toFixed(2)
    .replace(/^-(0\.00)$/, "$1")
    .replace("-", "−");

function statements(contrast: Contrast, ranked: readonly PatchedCell[], found: Patched): [Statement, ...Statement[]] {
  const { cleanMetric, corruptedMetric, answer, wrong } = contrast;
  const best = (site: PatchingSite) => ranked.find((cell) => cell.site === site)!;
  // The embedding carries all of it by construction, so it would answer nothing.
  const reported = ranked.filter((cell) => !(cell.site === "resid_pre" && cell.layer === 0));
  const answered = reported[0] ?? ranked[0];
  const others = [...found.keys()].map(best).filter((cell) => cell !== answered && reported.includes(cell));
  const moves = others.filter((cell) => Math.abs(cell.normalized) >= LITTLE);
  const nothing = others.filter((cell) => Math.abs(cell.normalized) < LITTLE);
  return [
    {
      text: `Of all places after the embedding, ${placed(answered, contrast)} regains most: ${fixed(answered.normalized)} of the difference.`,
      figure: { value: answered.normalized, unit: "", comparedWith: [TYPICAL] },
    },
    {
      text: `The model prefers ${quoted(answer)} to ${quoted(wrong)} by ${fixed(cleanMetric)} logits on the clean prompt and by ${fixed(corruptedMetric)} on the corrupted one.`,
      figure: { value: cleanMetric - corruptedMetric, unit: "logits", comparedWith: [CLEAN_RUN, CORRUPTED_RUN] },
    },
    ...(moves.length > 0
      ? [
          {
            text: `Largest of each other site: ${listed(moves.map((cell) => `${placed(cell, contrast)} (${fixed(cell.normalized)})`))}.`,
          },
        ]
      : []),
    ...(nothing.length > 0
      ? [
          {
            text: `Patching ${listed(
              nothing.map(({ site }) => site),
              "or",
            )} anywhere changes next to nothing: at most ${Math.max(...nothing.map(({ normalized }) => Math.abs(normalized))).toFixed(2)}.`,
          },
        ]
      : []),
  ];
}

const OPTIONS = {
  ...contrastOptions,
  ...ACTIVATION_PATCHING_OPTIONS,
  top: topOption("places"),
} as const satisfies AnalysisOptions;

/** `activationPatching` for the index. */
export const activationPatchingAnalysis = analysis({
  name: "activation-patching",
  model: "gelu-3l-novels",
  question: QUESTION,
  description:
    "Runs the corrupted prompt with one activation of the clean run in its place, for every layer and position and for every head, and measures how much of the clean run's logit difference is regained.",
  example: { clean: "My sister was angry, because", corrupted: "My brother was angry, because" },
  options: OPTIONS,
  run: activationPatching,
});
