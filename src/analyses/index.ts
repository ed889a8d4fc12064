/** Every analysis. A new one is a file next to this one and a line here; its command and its form follow from that. */
import { ArgumentError, UnknownNameError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";
import { ablationAnalysis } from "./ablation.ts";
import { activationPatchingAnalysis } from "./activation-patching.ts";
import type { Analysis } from "./analysis.ts";
import { attentionPatternsAnalysis } from "./attention-patterns.ts";
import { attributionGraphAnalysis } from "./attribution-graph.ts";
import { attributionPatchingAnalysis } from "./attribution-patching.ts";
import { dictionaryReportAnalysis } from "./dictionary-report.ts";
import { diffuseMlpAnalysis } from "./diffuse-mlp.ts";
import { directLogitAttributionAnalysis } from "./direct-logit-attribution.ts";
import { edgeAttributionAnalysis } from "./edge-attribution.ts";
import { featureAnalysis } from "./feature.ts";
import { featurePatchingAnalysis } from "./feature-patching.ts";
import { featureSteeringAnalysis } from "./feature-steering.ts";
import { featuresAnalysis } from "./features.ts";
import { gradientXActivationAnalysis } from "./gradient-x-activation.ts";
import { headDetectorAnalysis } from "./head-detector.ts";
import { inductionScoreAnalysis } from "./induction-score.ts";
import { integratedGradientsAnalysis } from "./integrated-gradients.ts";
import { ioiAnalysis } from "./ioi.ts";
import { logitLensAnalysis } from "./logit-lens.ts";
import { lookAnalysis } from "./look.ts";
import { neuronSaliencyAnalysis } from "./neuron-saliency.ts";
import { neuronTokensAnalysis } from "./neuron-tokens.ts";
import { pathPatchingAnalysis } from "./path-patching.ts";
import { singularVectorsAnalysis } from "./singular-vectors.ts";
import { testPromptAnalysis } from "./test-prompt.ts";

/** All analyses, in the order in which they are listed. */
export const ANALYSES: readonly Analysis[] = [
  lookAnalysis,
  diffuseMlpAnalysis,
  logitLensAnalysis,
  activationPatchingAnalysis,
  attentionPatternsAnalysis,
  testPromptAnalysis,
  directLogitAttributionAnalysis,
  headDetectorAnalysis,
  inductionScoreAnalysis,
  singularVectorsAnalysis,
  neuronTokensAnalysis,
  attributionPatchingAnalysis,
  gradientXActivationAnalysis,
  integratedGradientsAnalysis,
  neuronSaliencyAnalysis,
  ablationAnalysis,
  edgeAttributionAnalysis,
  attributionGraphAnalysis,
  featuresAnalysis,
  featurePatchingAnalysis,
  featureSteeringAnalysis,
  featureAnalysis,
  dictionaryReportAnalysis,
  ioiAnalysis,
  pathPatchingAnalysis,
];

/** The analysis with a name. @throws UnknownNameError with the closest match. */
export function analysisCalled(name: string): Analysis {
  if (typeof name !== "string") {
    throw new ArgumentError(`The name of an analysis must be a string, such as "logit-lens", not ${shown(name)}.`, {
      asked: name,
    });
  }
  const analysis = ANALYSES.find((candidate) => candidate.name === name);
  if (analysis) return analysis;
  throw new UnknownNameError(
    "analysis",
    name,
    ANALYSES.map((candidate) => candidate.name),
  );
}
