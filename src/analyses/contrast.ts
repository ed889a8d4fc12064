/** A contrast in a finding: its baselines, captions, caveats and settings. */
import type { Baseline, Statement } from "../finding/finding.ts";
import type { Scalar } from "../finding/table.ts";
import type { Contrast } from "../measures/contrast.ts";
import { visibleToken } from "../tensor/visible.ts";
import { quoted, signed } from "../tensor/words.ts";

/** The axis that `placeLabels` belong to. */
export const PLACES_AXIS = "position (clean/corrupted where they differ)";

/** Each position's token, or both tokens where the prompts differ: a picture's tick labels. */
export function placeLabels({ clean, corrupted }: Contrast): string[] {
  return clean.tokens.map((token, i) =>
    clean.ids[i] === corrupted.ids[i] ? token : `${visibleToken(token)}/${visibleToken(corrupted.tokens[i])}`,
  );
}

export const CLEAN_RUN = "clean run";
export const CORRUPTED_RUN = "corrupted run";
export const BOTH_RUNS = [CORRUPTED_RUN, CLEAN_RUN] as const;

/**
 * Both unchanged runs, as baselines for every number of a patched one.
 * @param normalised whether numbers are fractions of the distance from one to the other
 */
export function contrastBaselines({ cleanMetric, corruptedMetric }: Contrast, normalised = false): Baseline[] {
  const scale = (at: number) => (normalised ? `: ${at} on the normalised scale` : "");
  return [
    {
      name: CORRUPTED_RUN,
      kind: "control",
      text: `The corrupted prompt with nothing patched${scale(0)}.`,
      value: corruptedMetric,
      unit: "logits",
    },
    {
      name: CLEAN_RUN,
      kind: "control",
      text: `The clean prompt with nothing patched${scale(1)}.`,
      value: cleanMetric,
      unit: "logits",
    },
  ];
}

/** What the colours of effects in logits mean: which of them bring back the clean run's difference. */
export function effectCaption({ answer, wrong, cleanMetric, corruptedMetric }: Contrast): string {
  const back = (up: boolean) => (cleanMetric > corruptedMetric === up ? ", back towards the clean run's" : "");
  return `Blue raises logit(${quoted(answer)}) − logit(${quoted(wrong)})${back(true)}; red lowers it${back(false)}.`;
}

/** How far the two unchanged runs are apart, in a sentence. */
export function preferenceStatement({ answer, wrong, cleanMetric, corruptedMetric }: Contrast): Statement {
  return {
    text: `The model prefers ${quoted(answer)} to ${quoted(wrong)} by ${signed(cleanMetric)} logits on the clean prompt and by ${signed(corruptedMetric)} on the corrupted one.`,
    figure: { value: cleanMetric - corruptedMetric, unit: "logits", comparedWith: BOTH_RUNS },
  };
}

/**
 * What every contrast must say of itself, and what to say where the prompts do not call for the answers that they are said to call for.
 * @param what what is patched: "a place"
 */
export function contrastCaveats({ answer, wrong, cleanMetric, corruptedMetric }: Contrast, what: string): string[] {
  return [
    `This is one pair of prompts: ${what} that matters here may not matter for another pair that asks the same thing.`,
    ...(cleanMetric > corruptedMetric
      ? []
      : [
          `The clean prompt makes the model prefer ${quoted(answer)} to ${quoted(wrong)} less than the corrupted one does, not more: what brings the clean run back lowers the difference.`,
        ]),
  ];
}

/** A contrast as a finding's settings. */
export function contrastSettings({ clean, corrupted, answer, wrong }: Contrast): Record<string, Scalar> {
  return {
    clean: quoted(clean.text),
    corrupted: quoted(corrupted.text),
    answer: quoted(answer),
    wrong: quoted(wrong),
  };
}
