/** Attribution patching's pictures: the estimates and, on the same scale, what patching changes. */
import { COMPONENT, ESTIMATED, HEAD, KEY, LAYER, PATCHED, POS, SITE } from "../../finding/columns.ts";
import type { ImshowView, View } from "../../finding/view.ts";
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

export function attributionViews(
  { effects, patched }: AttributionPatchingMeasurement,
  { patterns, neurons, heads }: ListedPlaces,
  contrast: Contrast,
): View[] {
  const values = contrast.clean.ids.map((_, pos) => pos);
  const ticks = placeLabels(contrast);
  const pos = { column: POS.name, label: PLACES_AXIS, values, ticks };
  const view = (asked: Sites, about: (sites: Sites) => Heatmaps): View[] => {
    const sites = asked.filter((site) => effects.has(site));
    if (sites.length === 0) return [];
    const { caption = "", where, ...rest } = about(sites);
    const column = sites.some((site) => patched.has(site)) ? [ESTIMATED.name, PATCHED.name] : [ESTIMATED.name];
    return [
      {
        ...{ kind: "imshow", table: "all", ...rest, where: { [SITE.name]: sites, ...where } },
        caption: `${caption}${effectCaption(contrast)} Where a cell is empty, nothing changes.`,
        color: { column, label: column.length > 1 ? "effect" : "estimated effect", atLeast: 0 },
      },
    ];
  };
  const byHead = (name: string, title: string, asked: Sites) =>
    view(asked, (sites) => ({
      ...{ name, title, part: "heads", facet: { column: SITE.name, values: sites } },
      ...(heads.length > 0
        ? { table: "heads", x: HEAD.name, y: LAYER.name, caption: "Each position on its own, summed over positions. " }
        : { x: pos, y: { column: COMPONENT.name, label: "head", values: perLayer(effects.get(sites[0])!) } }),
    }));
  return [
    ...view(STREAM, (sites) => ({
      ...{ name: "stream", title: "The residual stream, and what layers write to it", part: "positions", x: pos },
      y: { column: COMPONENT.name, label: "place", values: perLayer(effects.get(sites[0])!, sites) },
    })),
    // Where heads share keys and values, there are fewer of these.
    ...(effects.get("k")?.axes[2] === "kv_head"
      ? [
          ...byHead("heads", "Heads' outputs (z) and queries", ["z", "q"]),
          ...byHead("shared-heads", "Keys and values, each of several heads", ["k", "v"]),
        ]
      : byHead("heads", "Heads' outputs (z), queries, keys and values", ["z", "q", "k", "v"])),
    ...view(["pattern"], () => ({
      ...{ name: "patterns", title: "Patterns of the heads with the largest estimates", part: "heads" },
      caption: "Each weight of a pattern on its own: rows are queries, columns keys. ",
      where: { [COMPONENT.name]: patterns },
      facet: { column: COMPONENT.name, values: patterns },
      x: { column: KEY.name, label: "key", values, ticks },
      y: { column: POS.name, label: "query", values, ticks },
    })),
    ...view(["post"], () => ({
      ...{ name: "neurons", title: `The ${neurons.length} neurons with the largest estimates`, part: "neurons" },
      ...{ x: pos, y: { column: COMPONENT.name, label: "neuron", values: neurons } },
    })),
  ];
}

/** The labels of rows, layer by layer: of a site's heads ("L0H3"), or of these sites ("L0 resid_pre"). */
function perLayer({ shape: [layers, , count], axes }: Tensor, sites?: Sites): string[] {
  const label = (layer: number) =>
    sites?.map((site) => `L${layer} ${site}`) ??
    Array.from({ length: count }, (_, head) => nameAlong(axes[2] as "head" | "kv_head", layer, head));
  return Array.from({ length: layers }, (_, layer) => label(layer)).flat();
}
