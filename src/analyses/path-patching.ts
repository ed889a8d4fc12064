/** "Through which direct paths does the information that decides between the two answers travel?" */

import { LOGIT_DIFFERENCE, RECEIVER, SENDER } from "../finding/columns.ts";
import { type Finding, finding, type Statement } from "../finding/finding.ts";
import { type AboutTable, as, column, type Table, tableOf } from "../finding/table.ts";
import type { View } from "../finding/view.ts";
import type { Model } from "../lens/model.ts";
import { contrastOptions, readContrast, runsOf } from "../measures/contrast.ts";
import { type AnalysisOptions, type GivenOptions, settled, topOption } from "../measures/options.ts";
import {
  measurePathPatching,
  PATH_PATCHING_OPTIONS,
  type PathPatchingMeasurement,
  type PathPatchingRow,
} from "../measures/path-patching.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { fixed, listed } from "../tensor/words.ts";
import { analysis } from "./analysis.ts";
import { CLEAN_RUN, contrastBaselines, contrastCaveats, contrastSettings, preferenceStatement } from "./contrast.ts";
import { modelFacts } from "./model-facts.ts";
import { IOI, PATH_PATCHING } from "./papers.ts";
import { typicalBaseline } from "./typical.ts";

/** The options of `pathPatching`. */
export type PathPatchingOptions = GivenOptions<typeof OPTIONS>;

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
  const { senders, receivers, memory, top, signal, onProgress } = asked;
  const contrast = await readContrast(model, asked, signal);
  const measured = await measurePathPatching(model, {
    ...runsOf(contrast),
    senders: senders?.length ? senders : undefined,
    receivers: receivers?.length ? receivers : undefined,
    ...{ memory, signal, onProgress },
  });
  const { rows } = measured;
  if (rows.length === 0) {
    throw new ArgumentError("There is no path: none of the receivers comes after any of the senders.", {
      asked: [measured.senders, measured.receivers],
    });
  }
  const ranked = measured.top(rows.length, ({ lost }) => Math.abs(lost)).rows;
  const [from, to] = [measured.senders.length, measured.receivers.length];
  const typical = "The share of the difference that a path loses";
  return finding({
    analysis: "path-patching",
    question: QUESTION,
    summary: [mostTravels(ranked[0]), ...strongestSender(ranked), preferenceStatement(contrast)],
    method: METHOD,
    model: modelFacts(model),
    settings: { ...contrastSettings(contrast), senders: from, receivers: to, top },
    pictures: [heatmap(measured)],
    tables: [
      pathTable(
        { name: "top", title: `The ${Math.min(top, rows.length)} strongest paths`, comparedWith: [TYPICAL, CLEAN_RUN] },
        ranked.slice(0, top),
      ),
      pathTable({ name: "paths", title: "All paths", detail: true }, rows),
    ],
    baselines: [
      ...contrastBaselines(contrast, true),
      typicalBaseline(
        TYPICAL,
        typical,
        rows.map(({ lost }) => lost),
      ),
    ],
    caveats: [
      ...contrastCaveats(contrast, "a path"),
      "Paths do not add up, because norms and nonlinearities act on their sum.",
      "A path is patched at all positions together, so it does not say from which token to which.",
      ...model.notes,
    ],
  });
}

function mostTravels({ sender, receiver, lost }: PathPatchingRow): Statement {
  return {
    text: `Most travels from ${sender} to ${receiver}: with that path patched, ${fixed(lost, 2)} of the difference is lost.`,
    figure: { value: lost, unit: "", comparedWith: [TYPICAL] },
  };
}

/** What counts as next to nothing, of the clean run's difference. */
const LITTLE = 0.05;
/** How many other receivers are named. */
const NAMED = 5;

/** Which other receivers the strongest path's sender matters for. */
function strongestSender([{ sender }, ...ranked]: readonly PathPatchingRow[]): Statement[] {
  const others = ranked.filter((path) => path.sender === sender);
  if (others.length === 0) return [];
  const heard = others.filter(({ lost }) => Math.abs(lost) >= LITTLE);
  if (heard.length === 0) return [{ text: `What ${sender} sends directly to anything else is next to nothing.` }];
  const named = heard.slice(0, NAMED).map(({ receiver, lost }) => `${receiver} (${fixed(lost, 2)})`);
  return [{ text: `${sender} also matters for ${listed(heard.length > NAMED ? [...named, "others"] : named)}.` }];
}

function heatmap({ senders, receivers }: PathPatchingMeasurement): View {
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

function pathTable(about: AboutTable, paths: readonly PathPatchingRow[]): Table {
  return tableOf(about, paths, [
    SENDER,
    RECEIVER,
    [as(LOGIT_DIFFERENCE, "The answer's logit minus the wrong one's, with the path patched."), "patched"],
    column("lost", "The share of the clean run's difference from the corrupted one that is lost.", { digits: 3 }),
  ]);
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
