/** Which of attribution patching's places are worth listing and drawing, of what may be millions. */
import { componentName } from "../../lens/components.ts";
import type {
  AttributionPatchingMeasurement,
  AttributionPatchingRow,
  AttributionSite,
} from "../attribution-patching.ts";

type Row = AttributionPatchingRow;

const BY_HEAD: readonly AttributionSite[] = ["z", "q", "k", "v"];
/** How many of the largest estimates are listed of sites that were not patched. */
const MOST_UNPATCHED = 1000;
/** How many heads have their patterns drawn, and how many neurons are drawn. */
const [PATTERNS, NEURONS] = [4, 20];
/** More heads than this are not drawn at each position. */
const MOST_HEADS = 32;

/** The places of a measurement that are listed: those where either number is not 0. */
export interface ListedPlaces {
  /** All that were patched, in their order. */
  readonly patched: readonly Row[];
  /** Of the others those that are drawn and the largest, the largest estimate first. */
  readonly unpatched: readonly Row[];
  /** The heads whose patterns, and the neurons whose activations, have the largest estimates: their labels. */
  readonly patterns: readonly string[];
  readonly neurons: readonly string[];
  /** Heads' numbers summed over positions, if there are too many heads to draw each position. What was patched is each place alone. */
  readonly heads: readonly Row[];
}

/** @param mostHeads how many heads at most are drawn at each position */
export function listedPlaces(measured: AttributionPatchingMeasurement, mostHeads = MOST_HEADS): ListedPlaces {
  const patterns = strongest(measured, "pattern", PATTERNS, (sum, estimate) => sum + estimate);
  const neurons = strongest(measured, "post", NEURONS, Math.max);
  const heads = overPositions(measured, BY_HEAD);
  const few = heads.filter(({ site }) => site === heads[0].site).length <= mostHeads;
  const chosen = new Set([...patterns, ...neurons]);
  const isDrawn = (row: Row) =>
    row.site === "pattern" || row.site === "post" ? chosen.has(componentName(row)) : few || !BY_HEAD.includes(row.site);

  const patched: Row[] = [];
  const unpatched: Row[] = [];
  for (const row of measured) {
    if (row.estimated === 0 && !row.patched) continue;
    if (row.patched !== null) patched.push(row);
    else if (isDrawn(row)) unpatched.push(row);
  }
  const size = ({ estimated, patched }: Row) =>
    patched === null && estimated !== 0 ? Math.abs(estimated) : Number.NaN;
  unpatched.push(...measured.top(MOST_UNPATCHED, size).rows.filter((row) => !isDrawn(row)));
  unpatched.sort((a, b) => size(b) - size(a));
  return { patched, unpatched, patterns, neurons, heads: few ? [] : heads };
}

/** The labels of a site's heads or neurons with the largest estimates, the largest first; `size` says what a further place adds to one. */
function strongest(
  measured: Iterable<Row>,
  site: AttributionSite,
  count: number,
  size: (before: number, estimate: number) => number,
): string[] {
  const sizes = new Map<string, number>();
  for (const row of measured) {
    if (row.site !== site) continue;
    const name = componentName(row);
    sizes.set(name, size(sizes.get(name) ?? 0, Math.abs(row.estimated)));
  }
  const largest = [...sizes].sort(([, a], [, b]) => b - a).slice(0, count);
  return largest.map(([name]) => name);
}

/** A row for each head of these sites. */
function overPositions(measured: Iterable<Row>, sites: readonly AttributionSite[]): Row[] {
  const sums = new Map<string, Row>();
  for (const { pos: _, ...row } of measured) {
    if (!sites.includes(row.site)) continue;
    const name = `${row.site} ${componentName(row)}`;
    const sum = sums.get(name);
    const patched = row.patched === null ? null : row.patched + (sum?.patched ?? 0);
    sums.set(name, { ...row, estimated: row.estimated + (sum?.estimated ?? 0), patched });
  }
  return [...sums.values()];
}
