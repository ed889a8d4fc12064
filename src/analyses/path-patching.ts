/** "Through which direct paths does the information that decides between the two answers travel?" */

import { LOGIT_DIFFERENCE, RECEIVER, SENDER } from "../finding/columns.ts";
import { type Baseline, type Finding, finding, type Statement } from "../finding/finding.ts";
import { type AboutTable, as, column, type Table, tableOf } from "../finding/table.ts";
import type { View } from "../finding/view.ts";
import type { Model } from "../lens/model.ts";
import { type Contrast, contrastOptions, readContrast, runsOf } from "../measures/contrast.ts";
import {
  type AnalysisOptions,
  type GivenOptions,
  type SettledOptions,
  settled,
  topOption,
} from "../measures/options.ts";
import { measurePathPatching, PATH_PATCHING_OPTIONS, type PathPatchingMeasurement } from "../measures/path-patching.ts";
import { middle } from "../measures/statistics/middle.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { listed, quoted } from "../tensor/words.ts";
import { analysis } from "./analysis.ts";
import { CLEAN_RUN, CORRUPTED_RUN, contrastBaselines, contrastSettings } from "./contrast.ts";
import { modelFacts } from "./model-facts.ts";
import { IOI, PATH_PATCHING } from "./papers.ts";

/** The options of `pathPatching`. */
export type PathPatchingOptions = GivenOptions<typeof OPTIONS>;

/** One patched path. */
interface PatchedPath {
  readonly from: string;
  readonly to: string;
  readonly metric: number;
  /** How much of the clean run's logit difference is lost: 0 none, 1 all of it. */
  readonly lost: number;
}

/** All paths between senders and receivers. */
interface PatchedPaths {
  readonly contrast: Contrast;
  readonly senders: readonly string[];
  readonly receivers: readonly string[];
  readonly paths: readonly PatchedPath[];
  /** The same, those that lose or gain most first. */
  readonly ranked: readonly PatchedPath[];
}

const QUESTION = "Through which direct paths does the information that decides between the two answers travel?";
const TYPICAL = "typical path";

const METHOD = {
  text: "The clean prompt is run. Along one path at a time, what the receiver reads from the residual stream is changed by what the sender writes on the corrupted prompt minus what it writes on the clean one; every other component still reads the clean stream, except for what comes through the receiver. Norms are recomputed. What is lost is (clean − patched) / (clean − corrupted), of the difference of the answers' logits at the last position.",
  references: [IOI, PATH_PATCHING],
};

/**
 * Path patching of the clean run: along one direct path at a time, a receiver reads what the sender writes on the corrupted
 * prompt. How much of the clean run's logit difference is lost says what travels there.
 * @throws InputError for prompts of different lengths or answers of several tokens; UnknownNameError or ArgumentError for
 * a component that does not exist.
 */
export async function pathPatching(model: Model, options: PathPatchingOptions = {}): Promise<Finding> {
  const asked = settled("pathPatching", model, options, OPTIONS);
  const patched = await patchPaths(model, asked);
  const { contrast, senders, receivers } = patched;
  return finding({
    analysis: "path-patching",
    question: QUESTION,
    summary: summaryOf(patched),
    method: METHOD,
    model: modelFacts(model),
    settings: { ...contrastSettings(contrast), senders: senders.length, receivers: receivers.length, top: asked.top },
    pictures: [heatmap(patched)],
    tables: tables(patched, asked.top),
    baselines: [...contrastBaselines(contrast, true), typicalPath(patched)],
    caveats: [
      "This is one pair of prompts: a path that matters here may not matter for another pair that asks the same thing.",
      "Paths do not add up, because norms and nonlinearities act on their sum.",
      "A path is patched at all positions together, so it does not say from which token to which.",
      ...model.notes,
    ],
  });
}

/** Patches every path between the senders and the receivers. @throws ArgumentError if there is none */
async function patchPaths(model: Model, asked: SettledOptions<typeof OPTIONS>): Promise<PatchedPaths> {
  const { memory, signal, onProgress } = asked;
  const contrast = await readContrast(model, asked, signal);
  const result = await measurePathPatching(model, {
    ...runsOf(contrast),
    senders: asked.senders?.length ? asked.senders : undefined,
    receivers: asked.receivers?.length ? asked.receivers : undefined,
    memory,
    signal,
    onProgress,
  });
  const { senders, receivers } = result;
  const paths = pathsOf(result, senders, receivers, contrast);
  if (paths.length === 0) {
    throw new ArgumentError("There is no path: none of the receivers comes after any of the senders.", {
      asked: [senders, receivers],
    });
  }
  const ranked = [...paths].sort((a, b) => Math.abs(b.lost) - Math.abs(a.lost));
  return { contrast, senders, receivers, paths, ranked };
}

function pathsOf(
  { values }: PathPatchingMeasurement,
  senders: readonly string[],
  receivers: readonly string[],
  { normalized }: Contrast,
): PatchedPath[] {
  return senders
    .flatMap((from, s) => receivers.map((to, r) => ({ from, to, metric: values.get(s, r) })))
    .filter(({ metric }) => !Number.isNaN(metric))
    .map((path) => ({ ...path, lost: 1 - normalized(path.metric) }));
}

function summaryOf({ contrast, ranked }: PatchedPaths): Finding["summary"] {
  const [{ from, to, lost }] = ranked;
  const { answer, wrong, cleanMetric, corruptedMetric } = contrast;
  return [
    {
      text: `Most travels from ${from} to ${to}: with that path patched, ${fixed(lost)} of the difference is lost.`,
      figure: { value: lost, unit: "", comparedWith: [TYPICAL] },
    },
    ...strongestSender(ranked),
    {
      text: `The model prefers ${quoted(answer)} to ${quoted(wrong)} by ${fixed(cleanMetric)} logits on the clean prompt and by ${fixed(corruptedMetric)} on the corrupted one.`,
      figure: { value: cleanMetric - corruptedMetric, unit: "logits", comparedWith: [CLEAN_RUN, CORRUPTED_RUN] },
    },
  ];
}

/** What counts as next to nothing, of the clean run's difference. */
const LITTLE = 0.05;
/** How many other receivers are named. */
const NAMED = 5;

/** Which other receivers the strongest path's sender matters for. */
function strongestSender(ranked: readonly PatchedPath[]): Statement[] {
  const [{ from: sender, to: receiver }] = ranked;
  const others = ranked.filter(({ from, to }) => from === sender && to !== receiver);
  if (others.length === 0) return [];
  const heard = others.filter(({ lost }) => Math.abs(lost) >= LITTLE);
  if (heard.length === 0) return [{ text: `What ${sender} sends directly to anything else is next to nothing.` }];
  const named = heard.slice(0, NAMED).map(({ to, lost }) => `${to} (${fixed(lost)})`);
  return [{ text: `${sender} also matters for ${listed(heard.length > NAMED ? [...named, "others"] : named)}.` }];
}

const fixed = (x: number): string => x.toFixed(2).replace("-", "−");

function heatmap({ senders, receivers }: PatchedPaths): View {
  return {
    kind: "imshow",
    name: "paths",
    title: "What is lost with each direct path patched",
    caption: "1: all of the clean run's logit difference; 0: nothing; below 0: it grows. Empty cells have no path.",
    table: "paths",
    x: { column: RECEIVER.name, values: receivers },
    y: { column: SENDER.name, values: senders },
    color: "lost",
  };
}

function tables({ paths, ranked }: PatchedPaths, top: number): Table[] {
  const strongest = ranked.slice(0, top);
  const title = `The ${strongest.length} strongest paths`;
  return [
    pathTable({ name: "top", title, comparedWith: [TYPICAL, CLEAN_RUN] }, strongest),
    pathTable({ name: "paths", title: "All paths", detail: true }, paths),
  ];
}

function pathTable(about: AboutTable, paths: readonly PatchedPath[]): Table {
  return tableOf(about, paths, [
    [SENDER, "from"],
    [RECEIVER, "to"],
    [as(LOGIT_DIFFERENCE, "The answer's logit minus the wrong one's, with the path patched."), "metric"],
    column("lost", "The share of the clean run's difference from the corrupted one that is lost.", { digits: 3 }),
  ]);
}

function typicalPath({ paths }: PatchedPaths): Baseline {
  const { median, interval, level } = middle(paths.map(({ lost }) => lost));
  return {
    name: TYPICAL,
    kind: "reference value",
    text: `The median of all ${paths.length} paths, and the range that most of them lose.`,
    value: median,
    interval,
    level,
    samples: paths.length,
  };
}

const OPTIONS = {
  ...contrastOptions,
  ...PATH_PATCHING_OPTIONS,
  top: topOption("paths"),
} as const satisfies AnalysisOptions;

/** `pathPatching` for the index. */
export const pathPatchingAnalysis = analysis({
  name: "path-patching",
  model: "gelu-3l-novels",
  question: QUESTION,
  description:
    "Patches one direct path at a time, from a head, an MLP or the embedding to a head's queries, keys or values, an MLP or the logits, and measures how much of the clean run's logit difference is lost.",
  example: { receivers: ["L0MLP", "logits"] },
  options: OPTIONS,
  run: pathPatching,
});
