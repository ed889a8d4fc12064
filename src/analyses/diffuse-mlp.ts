/** "Which tokens does the MLP layer matter for, even though no single neuron stands out?" */

import { type Finding, finding } from "../finding/finding.ts";
import type { Model } from "../lens/model.ts";
import { compare } from "../measures/diffuse-mlp/comparisons.ts";
import { DIFFUSE_MLP_OPTIONS } from "../measures/diffuse-mlp/options.ts";
import { measureDiffuseMlp } from "../measures/diffuse-mlp.ts";
import { NOTEBOOK_PROMPTS, NOTEBOOK_PROMPTS_NOTE } from "../measures/notebook-prompts.ts";
import { type AnalysisOptions, type GivenOptions, settled, topOption } from "../measures/options.ts";
import { analysis } from "./analysis.ts";
import { capCaveat } from "./caps.ts";
import { agreement } from "./diffuse-mlp/agreement.ts";
import { attribution } from "./diffuse-mlp/attribution.ts";
import { caveats, method } from "./diffuse-mlp/method.ts";
import { notebook } from "./diffuse-mlp/notebook.ts";
import { modelFacts } from "./model-facts.ts";

/** The options of `diffuseMlp`. */
export type DiffuseMlpOptions = GivenOptions<typeof OPTIONS>;

const QUESTION = "Which tokens does the MLP layer matter for, even though no single neuron stands out?";

/**
 * Problem 4.39c of Neel Nanda's 200 open problems. First the steps of a notebook that asked it of solu-1l, with the same numbers:
 * ablation effect over outlier score, and that score before and after the norm inside the MLP. Then the same question about
 * each neuron's direct logit attribution, with a null model, a permutation test and bootstrap intervals.
 *
 * The same seed gives the same finding.
 * @throws ArgumentError for an option out of range or a model that lacks what is needed; InputError for a prompt that is
 * too long or too short.
 */
export async function diffuseMlp(model: Model, options: DiffuseMlpOptions = {}): Promise<Finding> {
  const { top, excludeBos, ...asked } = settled("diffuseMlp", model, options, OPTIONS);
  const { prompts, seed } = asked;
  const measured = await measureDiffuseMlp(model, asked);
  const { cfg } = model;
  const facts = modelFacts(model);
  const { site } = measured;
  const compared = compare(measured, { top, seed, excludeBos });
  const answered = attribution(measured, compared, seed, top);
  const steps = notebook(measured, compared, cfg.eps, seed);
  const same = agreement(compared, seed, top);
  const [first, ...others] = [answered, steps, same].flatMap(({ summary }) => summary);
  const parts = [answered, same, steps];
  const ofNotebook = prompts === NOTEBOOK_PROMPTS;
  return finding({
    analysis: "diffuse-mlp",
    question: QUESTION,
    summary: [first, ...others],
    method: method(site, cfg.eps),
    model: { ...facts, config: { ...facts.config, eps: cfg.eps } },
    settings: {
      layer: site.layer,
      ablated: site.ablated,
      top,
      seed,
      "exclude BOS": excludeBos,
      prompts: ofNotebook ? `the notebook's ${prompts.length}` : prompts.length,
      positions: measured.length,
    },
    parts: parts.map(({ part }) => part),
    pictures: parts.flatMap(({ pictures }) => pictures),
    tables: parts.flatMap(({ tables }) => tables),
    baselines: parts.flatMap(({ baselines }) => baselines),
    caveats: [...(ofNotebook ? [NOTEBOOK_PROMPTS_NOTE] : []), ...caveats(site), ...capCaveat(model), ...model.notes],
  });
}

const OPTIONS = {
  ...DIFFUSE_MLP_OPTIONS,
  top: { ...topOption("positions"), description: "how many positions to select" },
  excludeBos: { type: "flag", description: "leave BOS out of rankings and comparisons" },
} as const satisfies AnalysisOptions;

/** `diffuseMlp` for the index. */
export const diffuseMlpAnalysis = analysis({
  name: "diffuse-mlp",
  question: QUESTION,
  description:
    "Problem 4.39c of Neel Nanda's 200 open problems in mechanistic interpretability: the steps of a notebook that asked it of a SoLU model, " +
    "with the same numbers, and then the same question about each neuron's direct logit attribution, with a null model, a permutation test and bootstrap intervals.",
  example: { top: 20 },
  options: OPTIONS,
  run: diffuseMlp,
});
