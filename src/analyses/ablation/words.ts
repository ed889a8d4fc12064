/** What the things that are ablated are called. */
import type { AblationKind } from "../../measures/ablation/options.ts";

/** One of each kind. */
export const ONE = { heads: "head", layers: "layer", neurons: "neuron", positions: "position" } as const;

/** The name of the baseline that effects are compared with. */
export const randomOne = (over: AblationKind) => `random ${ONE[over]}`;
