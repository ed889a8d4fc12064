/** How the numbers were obtained, and what to know before trusting them. */
import type { Method } from "../../finding/finding.ts";
import type { Site } from "../../measures/diffuse-mlp/site.ts";
import { OPEN_PROBLEMS, SOLU } from "../papers.ts";

export function method(site: Site, eps: number): Method {
  const { layer, norm, last } = site;
  const mlp = `blocks.${layer}.mlp`;
  const paragraphs = [
    `The notebook's steps. For each position the outlier score is max − mean of ${site.ablated} over d_mlp. The position's values there are set to zero; the ablation effect is the prompt's mean next-token loss with this ablation, minus the clean one. The score is the effect divided by the outlier score.` +
      (norm
        ? ` The outlier score is computed again after the norm inside the MLP, from ${norm.normalized}; since that norm is (x − mean) / hook_scale, the ratio of the two scores is 1 / hook_scale, with hook_scale² = variance + eps and eps = ${eps.toExponential()}.`
        : ` This MLP (without SoLU's layer norm) has no hook_mid, so its hook_post is used, and there is no before and after to compare.`),
    last
      ? "How the ablations ran. The MLP is in the last layer, after which every op works position by position, so ablating a position changes only its own prediction. One pass with all positions zeroed therefore contains every ablation, and the mean loss with position p ablated is the clean mean plus (ablated loss[p] − loss[p]) / (n − 1) for a prompt of n tokens."
      : "How the ablations ran. Later layers' attention carries an ablation to later positions, so each position has its own pass from this MLP on; the passes run side by side, as one more axis in front, and share everything before.",
    `Attribution. The final norm's scale is held fixed; then the logit of the next token t is a sum, in which neuron i has the term a_i = hook_post_i (W_out[i] · W_U[:, t]) / ln_final.hook_scale, exactly, with ${mlp} and the unembedding processed (norms folded, weights centred). The attribution is the sum of a_i; b_out's term is counted separately, since it does not depend on the neurons. The largest neuron's share is max |a_i| / Σ |a_i|, the effective number of neurons is the participation ratio (Σ |a_i|)² / Σ a_i².`,
    "The answer. A position counts if its attribution is in the upper quarter of all, and its largest neuron's share in the lower half. Both thresholds are relative to the same prompts and model, so they mean the same for any model.",
    "Chance. The null model gives each neuron another neuron's output direction, with the same permutation at all positions. Permutation tests draw as many positions as were selected. Bootstrap intervals draw whole prompts, since the positions of a prompt are not independent.",
  ];
  return {
    text: paragraphs.join("\n\n"),
    references: [
      OPEN_PROBLEMS,
      SOLU,
      {
        title:
          'Preliminary Steps Toward Investigating the "Smearing" Hypothesis for Layer Normalizing in a 1-Layer SoLU Model',
        url: "https://alignmentjam.com/project/preliminary-steps-toward-investigating-the-smearing-hypothesis-for-layer-normalizing-in-a-1-layer-solu-model",
        paper: "Bagiński, Thaman, Gupta, Xiang and j1ng3r, 2023: the notebook",
      },
    ],
  };
}

export function caveats(site: Site): readonly string[] {
  return [
    "The notebook's ablation effect is a mean over n − 1 predicted tokens, so the same change weighs more in a short prompt, and the score favours short prompts. The second part uses the predicted token's own loss instead.",
    "The last token of a prompt has no counted prediction, so ablating it changes nothing by construction.",
    site.norm
      ? "Zeroing hook_mid leaves mlp.ln's output at zero and the MLP's output at its bias: it ablates to the bias, not to the mean. It also changes the final norm's scale, so even in a one-layer model it is not direct attribution."
      : "Zeroing hook_post leaves the MLP's output at its bias: it ablates to the bias, not to the mean. It also changes the final norm's scale, so it is not direct attribution.",
    "The notebook's outlier score only looks at activations: it misses large negative neurons, and what a neuron writes. Here “high” refers to a neuron's attribution.",
    "The notebook's score divides by a small number, so by construction it favours small activations, and with them high ratios. A difference in the ratio between its top positions and the rest is not evidence for or against smuggling.",
    "Thresholds and tests use the same few prompts, written by hand. The p-values are not corrected for multiple tests, and positions of one prompt are not independent.",
    "Direct attribution only counts the path straight to the logits" +
      (site.last
        ? "; in the last layer there is no other path."
        : "; what later layers do with this MLP's output is not included."),
  ];
}
