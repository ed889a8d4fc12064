/** The tables of activation patching. */
import { as, HEAD, LAYER, LOGIT_DIFFERENCE, POS, SITE, TOKEN } from "../../finding/columns.ts";
import { type Cell, type Table, tableOf } from "../../finding/table.ts";
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
    [as(SITE, { description: "What was patched." }), ({ site }) => site],
    [LAYER, ({ layer }) => layer],
    [as(POS, { description: "The position; none means all of them." }), ({ axis, at }) => (axis === "pos" ? at : null)],
    [
      as(TOKEN, { description: "The clean prompt's token at that position." }),
      ({ axis, at }) => (axis === "pos" ? clean.tokens[at] : null),
    ],
    [
      as(HEAD, { description: `The head${shared}; none means all of them.` }),
      ({ axis, at }) => (axis === "pos" ? null : at),
    ],
    [
      as(LOGIT_DIFFERENCE, { description: "The answer's logit minus the wrong one's, with the patch." }),
      ({ metric }) => metric,
    ],
    [
      {
        name: "regained",
        title: "regained",
        format: { digits: 3 },
        description: "The fraction of the distance from the corrupted run to the clean one.",
      },
      ({ normalized }) => normalized,
    ],
  ];
}
