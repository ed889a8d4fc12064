/** "Does the model know who receives the gift?" */

import { LOGIT_DIFFERENCE } from "../finding/columns.ts";
import { type Baseline, type Finding, finding } from "../finding/finding.ts";
import { as, column, type Table, tableOf } from "../finding/table.ts";
import type { View } from "../finding/view.ts";
import type { Model } from "../lens/model.ts";
import { IOI_OPTIONS, type IoiOptions } from "../measures/ioi/options.ts";
import { type IoiMeasurement, measureIoi } from "../measures/ioi.ts";
import { settled } from "../measures/options.ts";
import { bootstrapInterval } from "../measures/statistics/bootstrap.ts";
import { Random } from "../measures/statistics/random.ts";
import { percent } from "../tensor/words.ts";
import { analysis } from "./analysis.ts";
import { modelFacts } from "./model-facts.ts";
import { IOI } from "./papers.ts";

const QUESTION = "Does the model know who receives the gift?";
const CHANCE = "chance";
const CONTROL = "a third person gives";
const CONTROL_ACCURACY = "a third person gives, accuracy";
const INTERVAL = "other prompts";

const METHOD = {
  text: `Two people are named, then one of them (S) gives something; the prompt ends where the other's name (IO) should come. The logit difference is logit[IO] − logit[S] at the last token, and a prompt is right if it is above 0. Half of the prompts name IO first (ABBA), half S (BABA); templates, names, places and objects are drawn with the seed. In the control a third person gives, so that only the order of the two names distinguishes them.`,
  references: [IOI],
};

/**
 * Indirect object identification: "When Mary and John went to the store, John gave a book to" should continue with the
 * name that is not John's. Source: Wang et al. 2022; TransformerLens' `evals.ioi_eval`, which draws the same sample every
 * time, while this one draws by seed.
 * @throws InputError without a tokenizer, or if fewer than three names are one token.
 */
export async function ioi(model: Model, options: IoiOptions = {}): Promise<Finding> {
  const asked = settled("ioi", model, options, IOI_OPTIONS);
  const { seed } = asked;
  const measured = await measureIoi(model, asked);
  const { prompts, names, skipped } = measured;
  return finding({
    analysis: "ioi",
    question: QUESTION,
    summary: summaryOf(measured),
    method: METHOD,
    model: modelFacts(model),
    settings: { samples: prompts.length, seed, names: names.length },
    pictures: [DIFFERENCES],
    tables: [byOrder(measured), byPrompt(measured)],
    baselines: baselines(measured, seed),
    caveats: [
      "Only the two names are compared: the model may prefer a pronoun or another word to both.",
      "A model that prefers whichever name was mentioned once also gets it right: the order of the names and the control say little about how.",
      ...(skipped > 0
        ? [
            "The tokenizer decides which names are one token, so models with different tokenizers see different prompts.",
          ]
        : []),
      ...model.notes,
    ],
  });
}

function summaryOf({ orders, names, skipped }: IoiMeasurement): Finding["summary"] {
  const [{ prompts, accuracy, logit_difference: lead }, , , control] = orders;
  const no = accuracy > 0.5 && accuracy > control.accuracy ? "The" : "No: the";
  return [
    {
      text: `${no} receiver has the higher logit in ${percent(accuracy)} of ${prompts} prompts; a guess has it in half, and where a third person gives, the same name has it in ${percent(control.accuracy)}.`,
      figure: { value: 100 * accuracy, unit: "%", comparedWith: [CHANCE, CONTROL_ACCURACY] },
    },
    {
      text: `On average the receiver's logit is ${Math.abs(lead).toFixed(2)} logits ${lead < 0 ? "below" : "above"} the giver's.`,
      figure: { value: lead, unit: "logits", comparedWith: [CONTROL, INTERVAL] },
    },
    { text: `${names.length} names are one token for this model; ${skipped} that are several were left out.` },
  ];
}

const DIFFERENCES: View = {
  kind: "hist",
  name: "differences",
  title: "Logit differences of the prompts",
  caption: "Right of 0 the receiver is preferred. The control shows what is preferred when the prompt does not decide.",
  table: "prompts",
  value: [LOGIT_DIFFERENCE.name, "control"],
  x: { label: "logit of the receiver − logit of the giver" },
  of: "prompts",
  references: [{ kind: "x", at: 0, label: "equal" }],
};
const ORDER = column("order", "ABBA or BABA.", { format: "text" });
function byOrder({ orders }: IoiMeasurement): Table {
  const about = { name: "orders", title: "By the order of the names", comparedWith: [CHANCE, CONTROL] };
  return tableOf(about, orders, [
    [
      as(ORDER, "ABBA: the receiver is named first; BABA: the giver."),
      ({ order }) => (order === "control" ? CONTROL : order),
    ],
    column("prompts", "How many prompts.", { format: "integer" }),
    as(LOGIT_DIFFERENCE, "Mean of the receiver's logit (IO) minus the giver's (S)."),
    column("accuracy", "How often IO has the higher logit.", { format: "percent" }),
  ]);
}

function byPrompt({ prompts, rows }: IoiMeasurement): Table {
  const description = "The receiver's logit (IO) minus the giver's (S) after it.";
  return tableOf({ name: "prompts", title: "All prompts", detail: true }, rows, [
    [column("prompt", "The text.", { format: "text" }), ({ prompt }) => prompts[prompt].text],
    ORDER,
    column("io", "The name that should come.", { title: "IO", format: "token" }),
    column("s", "The name that should not.", { title: "S", format: "token" }),
    as(LOGIT_DIFFERENCE, { title: "prompts", description }),
    as(LOGIT_DIFFERENCE, { name: "control", title: CONTROL, description: "The same where a third person gives." }),
  ]);
}

function baselines({ rows, orders }: IoiMeasurement, seed: number): Baseline[] {
  const interval = bootstrapInterval(
    [...rows.keys()],
    (drawn) => rows.reduce((sum, row, i) => sum + row.logit_difference * drawn[i], 0) / rows.length,
    new Random(seed),
  )!;
  const { logit_difference, accuracy } = orders[3];
  const drawn = { samples: rows.length, seed };
  return [
    {
      name: CHANCE,
      kind: "reference value",
      text: "Of two names, a guess is right half of the time.",
      ...{ value: 50, unit: "%" },
    },
    {
      name: CONTROL,
      kind: "control",
      text: "The mean difference in the same prompts with a third name in the giver's place.",
      ...{ value: logit_difference, unit: "logits", ...drawn },
    },
    {
      name: CONTROL_ACCURACY,
      kind: "control",
      text: "How often the same name is preferred there.",
      ...{ value: 100 * accuracy, unit: "%", ...drawn },
    },
    {
      name: INTERVAL,
      kind: "bootstrap interval",
      text: "Where the mean difference would lie with other prompts of the same kind.",
      ...{ ...interval, seed, unit: "logits" },
    },
  ];
}

/** `ioi` for the index. */
export const ioiAnalysis = analysis({
  name: "ioi",
  question: QUESTION,
  description:
    'Indirect object identification (Wang et al. 2022): "When Mary and John went to the store, John gave a book to" should continue with Mary. Logit difference and accuracy on seeded prompts, compared with a control in which a third person gives.',
  example: { samples: 100 },
  options: IOI_OPTIONS,
  run: ioi,
});
