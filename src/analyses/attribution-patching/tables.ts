/** The tables of attribution patching. */
import { ESTIMATED, GROUP, HEAD, KEY, LAYER, NEURON, PATCHED, POS, SITE, TOKEN } from "../../finding/columns.ts";
import { type AboutTable, as, type Cell, type Column, column, type Table, tableOf } from "../../finding/table.ts";
import { errorOf } from "../../measures/agreement.ts";
import type { PatchedPlace } from "../../measures/attribution-patching/places.ts";
import type { AttributionSite } from "../../measures/attribution-patching.ts";
import type { Contrast } from "../../measures/contrast.ts";
import { type Agreement, IDENTICAL } from "../attribution/agreement.ts";
import { CLEAN_RUN, CORRUPTED_RUN } from "../contrast.ts";

/** The places that were patched, and those that were only estimated, each with the largest first. */
export interface Places {
  readonly patched: readonly PatchedPlace[];
  readonly unpatched: readonly PatchedPlace[];
  /** The sites whose places were only estimated. */
  readonly left: readonly AttributionSite[];
}

/** @param top how many places to list */
export function attributionTables(
  bySite: ReadonlyMap<AttributionSite, Agreement>,
  { patched, unpatched, left }: Places,
  contrast: Contrast,
  top: number,
): Table[] {
  const table = (about: AboutTable, places: readonly PatchedPlace[]) => placeTable(about, places, contrast);
  const most = (places: readonly PatchedPlace[]) => Math.min(top, places.length);
  const alone = unpatched.length > 0;
  const title = `The ${most(unpatched)} largest estimates that were not patched (${left.join(", ")})`;
  const all = `The ${unpatched.length} largest estimates that were not patched`;
  return [
    siteTable(bySite),
    table({ name: "top", title: `The ${most(patched)} largest true effects` }, patched.slice(0, top)),
    ...(alone ? [table({ name: "estimated-alone", title }, unpatched.slice(0, top))] : []),
    table({ name: "all", title: "All patched places where the two runs differ", detail: true }, patched),
    ...(alone ? [table({ name: "all-estimated-alone", title: all, detail: true }, unpatched)] : []),
  ];
}

const WHAT: Column = as(SITE, "What was patched.");

function siteTable(bySite: ReadonlyMap<AttributionSite, Agreement>): Table {
  const rows = [...bySite].map(([site, found]) => ({ site, ...found }));
  return tableOf({ name: "sites", title: "Agreement by site", part: "agreement", comparedWith: [IDENTICAL] }, rows, [
    [WHAT, "site"],
    [column("places", "Places where the two runs differ.", { format: "integer" }), ({ pairs }) => pairs.length],
    [column("pearson", "Pearson's r of estimates and true effects.", { title: "r", digits: 3 }), ({ r }) => r ?? null],
    [
      column("spearman", "Spearman's ρ of estimates and true effects.", { title: "ρ", digits: 3 }),
      ({ rho }) => rho ?? null,
    ],
    [column("mean_error", "Mean |estimated − patched|.", { unit: "logits" }), ({ meanError }) => meanError ?? null],
    [
      column("worst_error", "The largest |estimated − patched|.", { title: "worst", unit: "logits" }),
      ({ worst }) => (worst ? errorOf(worst) : null),
    ],
    [
      column("worst_place", "The place with the largest error.", { title: "where", format: "text" }),
      ({ site, worst }) => worst?.name.replace(`${site} of `, "").replaceAll("position ", "pos ") ?? null,
    ],
  ]);
}

function placeTable(about: AboutTable, places: readonly PatchedPlace[], { clean }: Contrast): Table {
  const shared = places.some(({ at }) => at.kv_head !== undefined)
    ? "; for k and v, which of those that heads share"
    : "";
  const posOf = ({ at }: PatchedPlace) => at.pos ?? at.query;
  const cells: Cell<PatchedPlace>[] = [
    [WHAT, "site"],
    LAYER,
    [as(POS, "The position; for a pattern, the query's."), posOf],
    [as(TOKEN, "The clean prompt's token at that position."), (place) => clean.tokens[posOf(place)]],
    [as(HEAD, `The head${shared}.`), ({ at }) => at.head ?? at.kv_head ?? null],
    [as(KEY, "For a pattern: the position that is attended to."), ({ at }) => at.key ?? null],
    [NEURON, ({ at }) => at.d_mlp ?? null],
    GROUP,
    ESTIMATED,
    [
      as(PATCHED, "The change when this place alone is patched."),
      ({ measured }) => (Number.isNaN(measured) ? null : measured),
    ],
  ];
  return tableOf({ ...about, comparedWith: [CORRUPTED_RUN, CLEAN_RUN] }, places, cells);
}
