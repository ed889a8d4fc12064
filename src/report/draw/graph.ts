/** Graphs: nodes in layers and columns, and edges whose width and colour say how much they carry. */
import type { GraphSpec } from "../../finding/picture.ts";
import { seriesColor } from "../color.ts";
import { escapeMarkup } from "../escape.ts";
import { formatQuantity } from "../format.ts";
import { visibleToken } from "../token-text.ts";
import { placed } from "./at-places.ts";
import { type Drawing, type LegendItem, MONO, round, svgText } from "./drawing.ts";
import { type GraphLayout, graphLayout, type PlacedNode } from "./graph-layout.ts";
import { atMost, largest } from "./limits.ts";
import { textSize } from "./text-size.ts";

const [MOST_NODES, MOST_EDGES] = [1000, 5000];
/** The widths of edges, from the weakest to the strongest, and how clearly they are drawn. */
const [THIN, THICK] = [0.5, 4.5];
const [PALE, CLEAR] = [0.12, 0.65];
/** Blue adds, orange takes away. */
const ADDS = seriesColor(0);
const TAKES = seriesColor(1);

/** @throws ArgumentError for more nodes or edges than a picture shows */
export function drawGraph(spec: GraphSpec, width: number): Drawing {
  atMost(MOST_NODES, spec.nodes.length, "nodes", "keep fewer");
  atMost(MOST_EDGES, spec.edges.length, "edges", "keep only the strongest");
  const left =
    12 +
    largest(
      spec.rows.map((name) => textSize(name, 11)),
      0,
    );
  const layout = graphLayout(spec, left, width);
  const names = spec.rows.map((name, row) => {
    return svgText(name, 0, layout.rows[row] + 4, `font-size="11" opacity="0.75"`);
  });
  return {
    width,
    height: layout.height,
    content: names.join("") + edges(spec, layout) + nodes(spec, layout),
    legend: legendOf(spec),
  };
}

/** Edges, the strongest on top. */
function edges({ edges: all, nodes: named, unit }: GraphSpec, { nodes: at }: GraphLayout): string {
  const strengths = all.map(({ weight, strength = Math.abs(weight) }) => strength);
  const most = largest(strengths, 0) || 1;
  const order = all.map((_, i) => i).sort((a, b) => strengths[a] - strengths[b]);
  const paths = order.map((i) => {
    const { from, to, weight } = all[i];
    const strength = strengths[i] / most;
    const look =
      `stroke="${weight < 0 ? TAKES : ADDS}" stroke-width="${round(THIN + (THICK - THIN) * strength)}" ` +
      `stroke-opacity="${round(PALE + (CLEAR - PALE) * strength)}"`;
    const title = `${visibleToken(named[from].name)} → ${visibleToken(named[to].name)}: ${formatQuantity(weight, unit)}`;
    return `<path data-edge="${from} ${to}" d="${pathOf(at[from], at[to])}" ${look}><title>${escapeMarkup(title)}</title></path>`;
  });
  return `<g data-mark="edge" fill="none">${paths.join("")}</g>`;
}

/** From the top of one node to the bottom of another, leaving and arriving upright. */
function pathOf(from: PlacedNode, to: PlacedNode): string {
  const [top, bottom] = [from.y - from.height / 2, to.y + to.height / 2];
  const bend = Math.max(12, Math.abs(top - bottom) / 2);
  const points = [from.x, top - bend, to.x, bottom + bend, to.x, bottom].map(round);
  return `M${round(from.x)},${round(top)}C${points.join(",")}`;
}

function nodes({ nodes: all, groups }: GraphSpec, { nodes: at }: GraphLayout): string {
  const shapes = new Map(groups.map(({ name, shape }) => [name, shape]));
  const drawn = all.map((node, i) => {
    const { x, y, width, height, label } = at[i];
    const title = [visibleToken(node.name), node.words].filter(Boolean).join("\n");
    const shape = shapes.get(node.group) ?? "disc";
    const inside =
      shape === "box"
        ? `<rect x="${round(x - width / 2)}" y="${round(y - height / 2)}" width="${round(width)}" height="${height}" rx="3" ${BOX_LOOK}/>` +
          svgText(label, x, y + 4, `text-anchor="middle" font-family="${MONO}" font-size="11" style="white-space:pre"`)
        : `<circle cx="${round(x)}" cy="${round(y)}" r="${round(width / 2)}" ${shape === "ring" ? RING_LOOK : DISC_LOOK}/>` +
          svgText(label, x, y + height / 2 + 9, `text-anchor="middle" font-size="9" opacity="0.75"`);
    return `<g data-node="${i}"${placed(node.place)}>${inside}<title>${escapeMarkup(title)}</title></g>`;
  });
  return `<g data-mark="node">${drawn.join("")}</g>`;
}

const BOX_LOOK = `fill="currentColor" fill-opacity="0.06" stroke="currentColor" stroke-opacity="0.5"`;
const RING_LOOK = `fill="none" stroke="currentColor" stroke-opacity="0.75" stroke-width="1.5"`;
const DISC_LOOK = `fill="currentColor" fill-opacity="0.8"`;

function legendOf({ edges: all, groups, nodes: named }: GraphSpec): LegendItem[] {
  const used = new Set(named.map(({ group }) => group));
  const kinds = groups.flatMap(({ name, shape }): LegendItem[] => {
    if (!used.has(name) || shape === "box") return [];
    return [{ kind: shape === "disc" ? "dot" : "ring", color: "currentColor", text: name }];
  });
  const lines = [
    { color: ADDS, text: "adds", some: all.some(({ weight }) => weight > 0) },
    { color: TAKES, text: "takes away", some: all.some(({ weight }) => weight < 0) },
  ];
  return [...kinds, ...lines.flatMap(({ some, ...line }): LegendItem[] => (some ? [{ kind: "line", ...line }] : []))];
}
