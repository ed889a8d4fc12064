/** "What do these changes do to what the model predicts?" */
import { mean } from "simple-statistics";
import { POS, TOKEN } from "../finding/columns.ts";
import { type Finding, finding } from "../finding/finding.ts";
import { as, column, type Table, tableOf } from "../finding/table.ts";
import type { View } from "../finding/view.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import { type InterventionEffect, measureEffect } from "../measures/interventions/effect.ts";
import type { GivenIntervention } from "../measures/interventions/options.ts";
import { interventionName } from "../measures/interventions/place.ts";
import { settledIntervention } from "../measures/interventions.ts";
import { tokenText } from "../measures/prompt.ts";
import { percent, quoted } from "../tensor/words.ts";
import { modelFacts } from "./model-facts.ts";
import { ACTIVATION_ADDITION } from "./papers.ts";

const UNCHANGED = "the unchanged run";

/** The next tokens and the loss of each token, before and after changes. @see measureEffect */
export async function interventions(
  model: HookedTransformer,
  prompt: string,
  changes: readonly GivenIntervention[],
  signal?: AbortSignal,
): Promise<Finding> {
  const effect = await measureEffect(model, prompt, changes, { signal });
  const names = changes.map((change) => interventionName(settledIntervention(model, change)));
  const losses = {
    before: mean(effect.losses.map(({ before }) => before)),
    after: mean(effect.losses.map(({ after }) => after)),
  };
  return finding({
    analysis: "interventions",
    question: "What do these changes do to what the model predicts?",
    summary: [
      {
        text: answer(model, effect),
        figure: { value: 100 * effect.next[0].after, unit: "%", comparedWith: [UNCHANGED] },
      },
      {
        text: `The text's tokens have ${losses.after.toFixed(2)} nats on average with the changes, and ${losses.before.toFixed(2)} without.`,
      },
      { text: `The next token's distribution moves by ${effect.divergence.toFixed(3)} nats (KL divergence).` },
    ],
    method: {
      text:
        "The model reads the text twice: as it is, and with hooks that change activations. Probabilities are the softmax of the logits at the last position; a token's loss is −log p, where p is its probability at the position before it. The divergence is Σ p log(p / q), p without the changes and q with them.\n\n" +
        "A mean is that of the unchanged run over all positions; what is patched comes from a run of the other prompt; a direction is the difference of two prompts at their last positions (Turner et al., 2023).",
      references: [ACTIVATION_ADDITION],
    },
    model: modelFacts(model),
    settings: Object.fromEntries([["prompt", prompt], ...names.map((name, i) => [`change ${i + 1}`, name])]),
    pictures: [NEXT_VIEW, LOSS_VIEW],
    tables: [nextTable(model, effect), lossTable(effect)],
    baselines: [
      {
        name: UNCHANGED,
        kind: "control",
        text: "The probability of the same token without the changes.",
        value: 100 * effect.next[0].before,
        unit: "%",
      },
    ],
    caveats: [
      "One text says little about what a part does in general.",
      "Activations that are set to zero or to a mean are ones that later layers may never have seen.",
      ...model.notes,
    ],
  });
}

function answer(model: HookedTransformer, { next }: InterventionEffect): string {
  const [first] = next;
  const last = next.reduce((a, b) => (b.after > a.after ? b : a));
  const name = quoted(tokenText(model, first.id));
  const moved = `${percent(first.before)} before, ${percent(first.after)} after`;
  return last.id === first.id
    ? `It still expects ${name} next: ${moved}.`
    : `It expects ${quoted(tokenText(model, last.id))} next (${percent(last.after)}) instead of ${name}, which has ${moved}.`;
}

const BEFORE = column("before", "Without the changes.", { format: "percent" });
const AFTER = column("after", "With the changes.", { format: "percent" });
const NATS = { unit: "nats", digits: 2 } as const;

function nextTable(model: HookedTransformer, { next }: InterventionEffect): Table {
  return tableOf({ name: "next", title: "Next tokens, before and after", comparedWith: [UNCHANGED] }, next, [
    [as(TOKEN, { description: "The token." }), ({ id }) => tokenText(model, id)],
    BEFORE,
    AFTER,
  ]);
}

function lossTable({ prompt, losses }: InterventionEffect): Table {
  const rows = losses.map(({ before, after }, i) => ({ before, after, pos: i + 1, token: prompt.tokens[i + 1] }));
  return tableOf({ name: "losses", title: "Loss of each token, before and after" }, rows, [
    POS,
    TOKEN,
    as(BEFORE, NATS),
    as(AFTER, NATS),
    [column("change", "After minus before.", NATS), ({ before, after }) => after - before],
  ]);
}

const NEXT_VIEW: View = {
  kind: "bar",
  name: "next",
  title: "Next tokens, before and after",
  table: "next",
  x: { column: TOKEN.name, label: "" },
  y: [BEFORE.name, AFTER.name],
  horizontal: true,
};

const LOSS_VIEW: View = {
  kind: "tokens",
  name: "losses",
  title: "Loss of each token, before and after",
  caption: "The darker a token, the less it was expected.",
  table: "losses",
  token: TOKEN.name,
  rows: [
    { column: BEFORE.name, scheme: "Blues" },
    { column: AFTER.name, scheme: "Blues" },
  ],
  oneScale: true,
  hover: ["change"],
};
