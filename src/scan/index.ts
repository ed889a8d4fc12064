/** All scans, in the order in which the help lists them. */
import { activationsScan } from "./activations.ts";
import { diffuseMlpScan } from "./diffuse-mlp.ts";
import { headsScan } from "./heads.ts";
import { logitLensScan } from "./logit-lens.ts";
import { lossScan } from "./loss.ts";
import { meansScan } from "./means.ts";
import { neuronsScan } from "./neurons.ts";
import type { Scan } from "./scan.ts";

export const SCANS: readonly Scan[] = [
  diffuseMlpScan,
  lossScan,
  logitLensScan,
  neuronsScan,
  headsScan,
  meansScan,
  activationsScan,
];
