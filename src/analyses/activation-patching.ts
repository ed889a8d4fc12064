/** "Which activations carry the information that decides between the two answers?" */

import { HEAD, LAYER, LOGIT_DIFFERENCE, POS, SITE } from "../finding/columns.ts";
import { type Finding, finding, type Method, type Statement } from "../finding/finding.ts";
import { as, column, type Table, tableOf } from "../finding/table.ts";
import type { View } from "../finding/view.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import {
  ACTIVATION_PATCHING_OPTIONS,
  type ActivationPatchingRow,
  measureActivationPatching,
  type Patched,
  SITES,
} from "../measures/activation-patching.ts";
import { type Contrast, contrastOptions, readContrast, runsOf } from "../measures/contrast.ts";
import { type AnalysisOptions, type GivenOptions, settled, topOption } from "../measures/options.ts";
import { fixed, listed, quoted } from "../tensor/words.ts";
import { analysis } from "./analysis.ts";
import {
  BOTH_RUNS,
  contrastBaselines,
  contrastCaveats,
  contrastSettings,
  PLACES_AXIS,
  placeLabels,
  preferenceStatement,
} from "./contrast.ts";
import { modelFacts } from "./model-facts.ts";
import { IOI, PATCHING_PRACTICES, ROME } from "./papers.ts";
import { placeCells, placeName } from "./places.ts";
import { typicalBaseline } from "./typical.ts";

/** The options of `activationPatching`. */
export type ActivationPatchingOptions = GivenOptions<typeof OPTIONS>;

const QUESTION = "Which activations carry the information that decides between the two answers?";
const TYPICAL = "typical place";
const REGAINED = column("regained", "The fraction of the distance from the corrupted run to the clean one.", {
  digits: 3,
});

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
  const { sites, memory, top, signal, onProgress } = asked;
  const contrast = await readContrast(model, asked, signal);
  const runs = { ...runsOf(contrast), sites, memory, signal, onProgress };
  const measured = await measureActivationPatching(model, runs);
  const { patched, rows } = measured;
  const ranked = measured.top(rows.length, ({ regained }) => Math.abs(regained)).rows;
  const pictures = (["pos", "head"] as const).flatMap((by) => heatmaps(by, patched, contrast));
  return finding({
    analysis: "activation-patching",
    question: QUESTION,
    summary: statements(contrast, ranked),
    method: method(contrast),
    model: modelFacts(model),
    settings: { ...contrastSettings(contrast), sites: [...patched.keys()].join(", "), top },
    parts: [
      { name: "positions", title: "By layer and position" },
      { name: "heads", title: "By head, at all positions" },
    ].filter(({ name }) => pictures.some(({ part }) => part === name)),
    pictures,
    tables: [
      table("top", `The ${Math.min(top, rows.length)} largest effects`, ranked.slice(0, top), contrast),
      table("all", "All places", rows, contrast),
    ],
    baselines: [
      ...contrastBaselines(contrast, true),
      typicalBaseline(
        TYPICAL,
        "What a patched place regains",
        rows.map(({ regained }) => regained),
      ),
    ],
    caveats: [
      ...contrastCaveats(contrast, "a place"),
      "Patching clean into corrupted finds what is enough to bring the answer back. To find what is necessary, swap the two prompts.",
      "Effects do not add up: information that two places both carry may be restored by either of them.",
      ...(patched.has("resid_pre")
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

/** What counts as next to nothing, of the difference between the two runs. */
const LITTLE = 0.05;

/** @param ranked the places with the largest effects first */
function statements(contrast: Contrast, ranked: readonly ActivationPatchingRow[]): [Statement, ...Statement[]] {
  // The embedding carries all of it by construction, so it would answer nothing.
  const reported = ranked.filter(({ site, layer }) => !(site === "resid_pre" && layer === 0));
  const [answered] = [...reported, ...ranked];
  const best = reported.filter(
    (row, i) => row !== answered && reported.findIndex(({ site }) => site === row.site) === i,
  );
  const moves = best.filter(({ regained }) => Math.abs(regained) >= LITTLE);
  const nothing = best.filter(({ regained }) => Math.abs(regained) < LITTLE);
  const named = (row: ActivationPatchingRow) => placeName(row, contrast.clean.tokens);
  const each = moves.map((row) => `${named(row)} (${fixed(row.regained, 2)})`);
  const most = Math.max(...nothing.map(({ regained }) => Math.abs(regained)));
  const sites = nothing.map(({ site }) => site);
  return [
    {
      text: `Of all places after the embedding, ${named(answered)} regains most: ${fixed(answered.regained, 2)} of the difference.`,
      figure: { value: answered.regained, unit: "", comparedWith: [TYPICAL] },
    },
    preferenceStatement(contrast),
    ...(moves.length > 0 ? [{ text: `Largest of each other site: ${listed(each)}.` }] : []),
    ...(nothing.length > 0
      ? [{ text: `Patching ${listed(sites, "or")} anywhere changes next to nothing: at most ${most.toFixed(2)}.` }]
      : []),
  ];
}

/** The sites that are patched by position, or those by head, side by side on one scale. */
function heatmaps(by: "pos" | "head", patched: Patched, contrast: Contrast): View[] {
  const own = [...patched].filter(([site]) => SITES[site].by === by);
  if (own.length === 0) return [];
  // Where query heads share keys and values, there are fewer of these than queries.
  const shared = own.some(([, { axes }]) => axes[1] === "kv_head")
    ? " Several heads share one of the keys and values, so there are fewer of these."
    : "";
  const [name, along] = by === "pos" ? ["positions", "position"] : ["heads", "head"];
  return [
    {
      ...{ kind: "imshow", name, part: name, title: `What is regained, by layer and ${along}`, table: "all" },
      caption: `1: all of the clean run's logit difference is back; 0: none of it; below 0: it moves further away. ${own.map(([site]) => `${site} is ${SITES[site].what}`).join("; ")}.${shared}`,
      where: { [SITE.name]: own.map(([site]) => site) },
      facet: SITE.name,
      x: by === "pos" ? { column: POS.name, label: PLACES_AXIS, ticks: placeLabels(contrast) } : HEAD.name,
      y: LAYER.name,
      color: { column: REGAINED.name, atLeast: 1 },
    },
  ];
}

function table(name: string, title: string, rows: readonly ActivationPatchingRow[], { clean }: Contrast): Table {
  return tableOf({ name, title, detail: name === "all", comparedWith: BOTH_RUNS }, rows, [
    ...placeCells<ActivationPatchingRow>(clean.tokens),
    [as(LOGIT_DIFFERENCE, "The answer's logit minus the wrong one's, with the patch."), "patched"],
    REGAINED,
  ]);
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
