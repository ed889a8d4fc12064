/** The tables of activation patching. */
import { HEAD, LAYER, LOGIT_DIFFERENCE, POS, SITE, TOKEN } from "../../finding/columns.ts";
import { as, type Cell, column, type Table, tableOf } from "../../finding/table.ts";
import type { PatchedCell } from "../../measures/activation-patching.ts";
import type { Contrast } from "../../measures/contrast.ts";
import { CLEAN_RUN, CORRUPTED_RUN } from "../contrast.ts";

/** @param largest the places with the largest effects, in order */
export function patchingTables(
  places: readonly PatchedCell[],
  largest: readonly PatchedCell[],
  contrast: Contrast,
): Table[] {
  const comparedWith = [CORRUPTED_RUN, CLEAN_RUN];
  const of = (some: readonly PatchedCell[]) => cellsOf(some, contrast);
  return [
    tableOf({ name: "top", title: `The ${largest.length} largest effects`, comparedWith }, largest, of(largest)),
    tableOf({ name: "all", title: "All places", detail: true, comparedWith }, places, of(places)),
  ];
}

function cellsOf(places: readonly PatchedCell[], { clean }: Contrast): Cell<PatchedCell>[] {
  const shared = places.some(({ axis }) => axis === "kv_head") ? " (for k and v, which of those that heads share)" : "";
  return [
    as(SITE, "What was patched."),
    LAYER,
    [as(POS, "The position; none means all of them."), ({ axis, at }) => (axis === "pos" ? at : null)],
    [
      as(TOKEN, "The clean prompt's token at that position."),
      ({ axis, at }) => (axis === "pos" ? clean.tokens[at] : null),
    ],
    [as(HEAD, `The head${shared}; none means all of them.`), ({ axis, at }) => (axis === "pos" ? null : at)],
    [as(LOGIT_DIFFERENCE, "The answer's logit minus the wrong one's, with the patch."), "metric"],
    [
      column("regained", "The fraction of the distance from the corrupted run to the clean one.", { digits: 3 }),
      "normalized",
    ],
  ];
}
