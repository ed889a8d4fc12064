/** How the numbers came about, and what to know before believing them. */
import type { Method } from "../finding.ts";
import type { Site } from "./site.ts";

export function method(site: Site, eps: number): Method {
  const { layer, norm, last } = site;
  const mlp = `blocks.${layer}.mlp`;
  const paragraphs = [
    `The notebook's steps. For each position the outlier score is max − mean of ${site.ablated} over d_mlp. The position's values there are set to zero, and the ablation effect is the prompt's mean next-token loss then, minus the clean one. The score is the effect over the outlier score.` +
      (norm
        ? ` The outlier score is taken again after the norm inside the MLP, from ${norm.normalized}; since that norm is (x − mean) / hook_scale, the ratio of the two is 1 / hook_scale, with hook_scale² = variance + eps and eps = ${eps.toExponential()}.`
        : ` This MLP (without SoLU's layer norm) has no hook_mid, so its hook_post is taken, and there is nothing to compare before and after.`),
    last
      ? "How the ablations ran. The MLP is in the last layer, after which every op works on each position alone, so ablating a position changes its own prediction and no other. One pass with all positions zeroed therefore holds every ablation, and the mean loss with position p ablated is the clean mean plus (ablated loss[p] − loss[p]) / (n − 1) for a prompt of n tokens."
      : "How the ablations ran. Later layers' attention carries an ablation on to later positions, so each position has a pass of its own from this MLP on; they run side by side, as one more axis in front, and share what comes before.",
    `Attribution. The final norm's scale is held fixed; then the logit of the next token t is a sum, in which neuron i has the term a_i = hook_post_i (W_out[i] · W_U[:, t]) / ln_final.hook_scale, exactly, with ${mlp} and the unembedding processed (norms folded, weights centred). The attribution is the sum of a_i; b_out's term is counted apart, since it is there whatever the neurons do. The largest neuron's share is max |a_i| / Σ |a_i|, the effective number of neurons is the participation ratio (Σ |a_i|)² / Σ a_i².`,
    "The answer. A position counts if its attribution is in the upper quarter of all, and its largest neuron's share in the lower half. Both borders are relative to the same prompts and model, so that they mean the same for any model.",
    "Chance. The null model gives each neuron another one's output direction, the same exchange at all positions. Permutation tests draw as many positions as were chosen. Bootstrap intervals draw whole prompts, since a prompt's positions are not independent.",
  ];
  return {
    text: paragraphs.join("\n\n"),
    references: [
      {
        title: "200 Concrete Open Problems in Mechanistic Interpretability, problem 4.39 (c)",
        url: "https://www.alignmentforum.org/posts/o6ptPu7arZrqRCxyz",
        paper: "Neel Nanda, 2023",
      },
      {
        title: "Softmax Linear Units",
        url: "https://transformer-circuits.pub/2022/solu/index.html",
        paper: "Elhage et al., 2022",
      },
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
    "The notebook's ablation effect is a mean over n − 1 predicted tokens, so the same change weighs more in a short prompt, which the score then prefers. The second part uses the predicted token's own loss instead.",
    "The last token of a prompt predicts nothing that is counted, so ablating it there changes nothing by construction.",
    site.norm
      ? "Zeroing hook_mid leaves mlp.ln's output at zero and the MLP's output at its bias: it is an ablation to the bias, not to the mean. It also changes the final norm's scale, so it is not direct attribution, in one layer either."
      : "Zeroing hook_post leaves the MLP's output at its bias: it is an ablation to the bias, not to the mean. It also changes the final norm's scale, so it is not direct attribution.",
    "The notebook's outlier score looks at activations alone: it misses large negative neurons and what a neuron writes. Whether a neuron is high is said here of its attribution.",
    "The notebook's score divides by a small number, so it prefers small activations, and with them high ratios, by construction. A difference of the ratio between its top and the rest is no evidence for or against smuggling.",
    "Thresholds and tests are made on the same few prompts, written by hand. The p-values are not corrected for there being several, and positions of one prompt are not independent.",
    "Direct attribution counts the path straight to the logits" +
      (site.last
        ? "; in the last layer there is no other."
        : "; what later layers make of this MLP's output is not in it."),
  ];
}
