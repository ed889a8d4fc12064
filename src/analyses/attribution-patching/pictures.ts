/** Attribution patching's pictures: the estimates and, on the same scale, what patching changes. */
import { COMPONENT, ESTIMATED, HEAD, KEY, LAYER, PATCHED, POS, SITE } from "../../finding/columns.ts";
import type { ImshowView, IndexOf, View } from "../../finding/view.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { componentName, nameAlong } from "../../lens/components.ts";
import type { ListedPlaces } from "../../measures/attribution-patching/listed.ts";
import type {
  AttributionPatchingMeasurement,
  AttributionPatchingRow,
  AttributionSite,
} from "../../measures/attribution-patching.ts";
import type { Contrast } from "../../measures/contrast.ts";
import { effectCaption, PLACES_AXIS, placeLabels } from "../contrast.ts";

type Sites = readonly AttributionSite[];
type Heatmaps = Omit<ImshowView, "kind" | "table" | "color"> & { readonly table?: string };

const STREAM: Sites = ["resid_pre", "attn_out", "resid_mid", "mlp_out"];

/** What a row of a heatmap is called: "L0H3", "L0N17", "L0 resid_pre". */
export function rowLabel(row: AttributionPatchingRow): string {
  return STREAM.includes(row.site) ? `L${row.layer} ${row.site}` : componentName(row);
}

/** What the pictures are drawn from. */
interface Drawn {
  readonly effects: AttributionPatchingMeasurement["effects"];
  readonly listed: ListedPlaces;
  /** All places at which the runs differ. */
  readonly changed: readonly AttributionPatchingRow[];
  /** An axis of positions, under their tokens. */
  within(column: string, label: string, values: readonly number[]): IndexOf;
  /** A picture of those of some sites that have such places; none if no site has. */
  view(asked: Sites, about: (sites: Sites) => Heatmaps): View[];
}

export function attributionViews(
  { effects, patched }: AttributionPatchingMeasurement,
  listed: ListedPlaces,
  contrast: Contrast,
): View[] {
  const labels = placeLabels(contrast);
  const changed = [...listed.patched, ...listed.unpatched];
  const drawn: Drawn = {
    ...{ effects, listed, changed },
    within: (column, label, values) => ({ column, label, values, ticks: values.map((pos) => labels[pos]) }),
    view: (asked, about) => {
      const sites = asked.filter((site) => ofSites(changed, [site]).length > 0);
      if (sites.length === 0) return [];
      const { caption = "", where, ...rest } = about(sites);
      const column = sites.some((site) => patched.has(site)) ? [ESTIMATED.name, PATCHED.name] : [ESTIMATED.name];
      return [
        {
          ...{ kind: "imshow", table: "all", ...rest, where: { [SITE.name]: sites, ...where } },
          caption: `${caption}${effectCaption(contrast)} Where a cell is empty, nothing changes; rows and columns without any are left out.`,
          color: { column, label: column.length > 1 ? "effect" : "estimated effect", atLeast: 0 },
        },
      ];
    },
  };
  return [...streamViews(drawn), ...headViews(drawn), ...patternViews(drawn), ...neuronViews(drawn)];
}

function streamViews({ effects, changed, view, within }: Drawn): View[] {
  return view(STREAM, (sites) => ({
    ...{ name: "stream", title: "The residual stream, and what layers write to it", part: "positions" },
    x: within(POS.name, PLACES_AXIS, positions(ofSites(changed, sites))),
    y: {
      ...{ column: COMPONENT.name, label: "place" },
      values: named(perLayer(effects.get(sites[0])!, sites), ofSites(changed, sites)),
    },
  }));
}

function headViews({ effects, changed, listed: { heads }, view, within }: Drawn): View[] {
  const byHead = (name: string, title: string, asked: Sites) =>
    view(asked, (sites) => ({
      ...{ name, title, part: "heads", facet: { column: SITE.name, values: sites } },
      ...(heads.length > 0
        ? { table: "heads", x: HEAD.name, y: LAYER.name, caption: "Each position on its own, summed over positions. " }
        : {
            x: within(POS.name, PLACES_AXIS, positions(ofSites(changed, sites))),
            y: {
              ...{ column: COMPONENT.name, label: "head" },
              values: named(perLayer(effects.get(sites[0])!), ofSites(changed, sites)),
            },
          }),
    }));
  const isShared = effects.get("k")?.axes[2] === "kv_head";
  if (!isShared) return byHead("heads", "Heads' outputs (z), queries, keys and values", ["z", "q", "k", "v"]);
  // Where heads share keys and values, there are fewer of these.
  return [
    ...byHead("heads", "Heads' outputs (z) and queries", ["z", "q"]),
    ...byHead("shared-heads", "Keys and values, each of several heads", ["k", "v"]),
  ];
}

function patternViews({ changed, listed: { patterns }, view, within }: Drawn): View[] {
  const rows = ofSites(changed, ["pattern"]).filter((row) => patterns.includes(rowLabel(row)));
  return view(["pattern"], () => ({
    ...{ name: "patterns", title: "Patterns of the heads with the largest estimates", part: "heads" },
    caption: "Each weight of a pattern on its own: rows are queries, columns keys. ",
    where: { [COMPONENT.name]: patterns },
    facet: { column: COMPONENT.name, values: named(patterns, rows) },
    x: within(KEY.name, "key", numbered(rows.map(({ key }) => key))),
    y: within(POS.name, "query", numbered(rows.map(({ query }) => query))),
  }));
}

function neuronViews({ changed, listed: { neurons }, view, within }: Drawn): View[] {
  const rows = ofSites(changed, ["post"]).filter((row) => neurons.includes(rowLabel(row)));
  const values = named(neurons, rows);
  return view(["post"], () => ({
    ...{ name: "neurons", title: `The ${values.length} neurons with the largest estimates`, part: "neurons" },
    x: within(POS.name, PLACES_AXIS, positions(rows)),
    y: { column: COMPONENT.name, label: "neuron", values },
  }));
}

const positions = (rows: readonly AttributionPatchingRow[]): number[] => numbered(rows.map(({ pos }) => pos));

/** Those of some names that rows have. */
function named(names: readonly string[], rows: readonly AttributionPatchingRow[]): string[] {
  const found = new Set(rows.map(rowLabel));
  return names.filter((name) => found.has(name));
}

function ofSites(rows: readonly AttributionPatchingRow[], sites: Sites): AttributionPatchingRow[] {
  return rows.filter(({ site }) => sites.includes(site));
}

/** The different numbers, in order. */
function numbered(numbers: readonly (number | undefined)[]): number[] {
  return [...new Set(numbers.filter((number) => number !== undefined))].sort((a, b) => a - b);
}

/** The labels of rows, layer by layer: of a site's heads ("L0H3"), or of these sites ("L0 resid_pre"). */
function perLayer({ shape: [layers, , count], axes }: Tensor, sites?: Sites): string[] {
  const label = (layer: number) =>
    sites?.map((site) => `L${layer} ${site}`) ??
    Array.from({ length: count }, (_, head) => nameAlong(axes[2] as "head" | "kv_head", layer, head));
  return Array.from({ length: layers }, (_, layer) => label(layer)).flat();
}
