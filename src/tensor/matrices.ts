import { OnDemand } from "./on-demand.ts";

/** Decompositions of small matrices. */
export const MATRICES = new OnDemand("ml-matrix", () => import("ml-matrix"));
