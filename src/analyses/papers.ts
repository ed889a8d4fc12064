/** What is cited: each paper once. */
import type { Reference } from "../finding/finding.ts";

export const ACTIVATION_ADDITION: Reference = {
  title: "Steering Language Models With Activation Engineering",
  url: "https://arxiv.org/abs/2308.10248",
  paper: "Turner et al., 2023",
};
export const ATP_STAR: Reference = {
  title: "AtP*: An efficient and scalable method for localizing LLM behaviour to components",
  url: "https://arxiv.org/abs/2403.00745",
  paper: "Kramár et al., 2024",
};
export const ATTENTION_STRUCTURE: Reference = {
  title: "Analyzing the Structure of Attention in a Transformer Language Model",
  url: "https://arxiv.org/abs/1906.04284",
  paper: "Vig and Belinkov, 2019",
};
export const ATTRIBUTION_PATCHING: Reference = {
  title: "Attribution Patching: Activation Patching At Industrial Scale",
  url: "https://www.neelnanda.io/mechanistic-interpretability/attribution-patching",
  paper: "Nanda, 2023",
};
export const CAUSAL_SCRUBBING: Reference = {
  title: "Causal Scrubbing",
  url: "https://www.alignmentforum.org/posts/JvZhhzycHu2Yd57RN",
  paper: "Chan et al., 2022: resampling",
};
export const CIRCUIT_TRACING: Reference = {
  title: "Circuit Tracing: Revealing Computational Graphs in Language Models",
  url: "https://transformer-circuits.pub/2025/attribution-graphs/methods.html",
  paper: "Ameisen et al., 2025",
};
export const DETECT_HEAD: Reference = {
  title: "TransformerLens, head_detector",
  url: "https://github.com/TransformerLensOrg/TransformerLens",
  paper: "2.18",
};
export const EDGE_ATTRIBUTION: Reference = {
  title: "Attribution Patching Outperforms Automated Circuit Discovery",
  url: "https://arxiv.org/abs/2310.10348",
  paper: "Syed, Rager and Conmy, 2023",
};
export const TOP_K_DICTIONARIES: Reference = {
  title: "Scaling and evaluating sparse autoencoders",
  url: "https://arxiv.org/abs/2406.04093",
  paper: "Gao et al., 2024",
};
export const SPARSE_FEATURE_CIRCUITS: Reference = {
  title: "Sparse Feature Circuits: Discovering and Editing Interpretable Causal Graphs in Language Models",
  url: "https://arxiv.org/abs/2403.19647",
  paper: "Marks et al., 2024",
};
export const MONOSEMANTICITY: Reference = {
  title: "Towards Monosemanticity: Decomposing Language Models With Dictionary Learning",
  url: "https://transformer-circuits.pub/2023/monosemantic-features",
  paper: "Bricken et al., 2023",
};
export const SCALING_MONOSEMANTICITY: Reference = {
  title: "Scaling Monosemanticity: Extracting Interpretable Features from Claude 3 Sonnet",
  url: "https://transformer-circuits.pub/2024/scaling-monosemanticity",
  paper: "Templeton et al., 2024",
};
export const FRAMEWORK: Reference = {
  title: "A Mathematical Framework for Transformer Circuits",
  url: "https://transformer-circuits.pub/2021/framework/index.html",
  paper: "Elhage et al., 2021",
};
export const INDUCTION_HEADS: Reference = {
  title: "In-context Learning and Induction Heads",
  url: "https://transformer-circuits.pub/2022/in-context-learning-and-induction-heads",
  paper: "Olsson et al., 2022",
};
export const INTEGRATED_GRADIENTS: Reference = {
  title: "Axiomatic Attribution for Deep Networks",
  url: "https://arxiv.org/abs/1703.01365",
  paper: "Sundararajan, Taly and Yan, 2017",
};
export const IOI: Reference = {
  title: "Interpretability in the Wild: a Circuit for Indirect Object Identification in GPT-2 small",
  url: "https://arxiv.org/abs/2211.00593",
  paper: "Wang et al., 2022",
};
export const KEY_VALUE_MEMORIES: Reference = {
  title: "Transformer Feed-Forward Layers Are Key-Value Memories",
  url: "https://arxiv.org/abs/2012.14913",
  paper: "Geva et al., 2021",
};
export const LOGIT_LENS: Reference = {
  title: "interpreting GPT: the logit lens",
  url: "https://www.lesswrong.com/posts/AcKRB8wDpdaN6v6ru/interpreting-gpt-the-logit-lens",
  paper: "nostalgebraist, 2020",
};
export const OPEN_PROBLEMS: Reference = {
  title: "200 Concrete Open Problems in Mechanistic Interpretability, problem 4.39 (c)",
  url: "https://www.alignmentforum.org/posts/o6ptPu7arZrqRCxyz",
  paper: "Neel Nanda, 2023",
};
export const PATCHING_PRACTICES: Reference = {
  title: "Towards Best Practices of Activation Patching in Language Models",
  url: "https://arxiv.org/abs/2309.16042",
  paper: "Zhang and Nanda, 2023",
};
export const PATH_PATCHING: Reference = {
  title: "Localizing Model Behavior with Path Patching",
  url: "https://arxiv.org/abs/2304.05969",
  paper: "Goldowsky-Dill et al., 2023",
};
export const ROME: Reference = {
  title: "Locating and Editing Factual Associations in GPT",
  url: "https://arxiv.org/abs/2202.05262",
  paper: "Meng et al., 2022",
};
export const SALIENCY: Reference = {
  title: "Extraction of Salient Sentences from Labelled Documents",
  url: "https://arxiv.org/abs/1412.6815",
  paper: "Denil, Demiraj and de Freitas, 2014",
};
export const SINGULAR_VALUES: Reference = {
  title: "The Singular Value Decompositions of Transformer Weight Matrices are Highly Interpretable",
  url: "https://www.alignmentforum.org/posts/mkbGjzxD8d8XqKHzA",
  paper: "Millidge and Black, 2022",
};
export const SOLU: Reference = {
  title: "Softmax Linear Units",
  url: "https://transformer-circuits.pub/2022/solu/index.html",
  paper: "Elhage et al., 2022",
};
export const TEST_PROMPT: Reference = {
  title: "TransformerLens, utils.test_prompt",
  url: "https://github.com/TransformerLensOrg/TransformerLens",
  paper: "Nanda and Bloom, 2022",
};
export const TUNED_LENS: Reference = {
  title: "Eliciting Latent Predictions from Transformers with the Tuned Lens",
  url: "https://arxiv.org/abs/2303.08112",
  paper: "Belrose et al., 2023",
};
