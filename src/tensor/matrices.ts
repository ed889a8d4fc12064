import { OnDemand } from "./on-demand.ts";

/** Decompositions of small matrices. */
export const MATRICES = new OnDemand("ml-matrix", () => import("ml-matrix"));
/** The singular value decomposition of a product of thin factors. */
export const THIN_SVD = new OnDemand("The singular value decomposition", () => import("./thin-svd.ts"));
