/** Graphs: nodes in layers and columns, and edges whose width and colour say how much they carry. */
import type { GraphSpec } from "../../finding/picture.ts";
import { seriesColor } from "../color.ts";
import { escapeMarkup } from "../escape.ts";
import { formatQuantity } from "../format.ts";
import { visibleToken } from "../token-text.ts";
import { placed } from "./at-places.ts";
import { type Drawing, type LegendItem, MONO, round, svgText } from "./drawing.ts";
import { type GraphLayout, graphLayout, type PlacedNode } from "./graph-layout.ts";
import { type LitPart, litPart } from "./graph-paths.ts";
import { graphState, largestShare, shownGraph } from "./graph-shown.ts";
import { atMost, largest } from "./limits.ts";
import { textSize } from "./text-size.ts";

const [MOST_NODES, MOST_EDGES] = [1000, 5000];
/** The widths of edges, from the weakest to the strongest, and how clearly they are drawn. */
const [THIN, THICK] = [0.5, 4.5];
const [PALE, CLEAR] = [0.12, 0.65];
/** Blue adds, orange takes away. */
const ADDS = seriesColor(0);
const TAKES = seriesColor(1);

/** What a drawing marks: pinned nodes, and the part that is not faded. */
interface Marks {
  readonly pinned: ReadonlySet<string>;
  readonly lit?: LitPart;
}
/** How clearly what is not lit is drawn. */
const FADED = { edge: `opacity="0.13"`, node: `opacity="0.24"` };

/**
 * What the graph's state shows of it, and in words how much that is.
 * @throws ArgumentError for more nodes or edges than a picture shows
 */
export function drawGraph(spec: GraphSpec, width: number): Drawing {
  const state = graphState(spec);
  const shown = shownGraph(spec);
  const pinned = new Set(state.pinnedOnly ? [] : state.pinned);
  const locked = shown.nodes.flatMap(({ name }, i) => (state.locked.includes(name) ? [i] : []));
  const lit = locked.length > 0 ? { lit: litPart(shown.edges, locked) } : {};
  return { ...drawShown(shown, width, { pinned, ...lit }).drawing, note: noteOf(spec, shown) };
}

/** How much of a graph is shown, in a sentence; "" for all of it. */
export function noteOf(spec: GraphSpec, shown: GraphSpec): string {
  const most = largestShare(spec);
  const { share, pinnedOnly } = graphState(spec);
  if (pinnedOnly) return `Of ${spec.nodes.length} nodes, the ${spec.state?.pinned?.length} that are pinned.`;
  if (most === undefined || share >= most) return "";
  return `Shown is ${Math.round(100 * share)} % of the influence: ${shown.nodes.length} of ${spec.nodes.length} nodes, ${shown.edges.length} of ${spec.edges.length} edges.`;
}

/** A graph with nothing left out, and where its nodes are. */
export function drawShown(
  spec: GraphSpec,
  width: number,
  marks: Marks,
): { readonly drawing: Drawing; readonly layout: GraphLayout } {
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
  const content = names.join("") + edges(spec, layout, marks) + nodes(spec, layout, marks);
  return { drawing: { width, height: layout.height, content, legend: legendOf(spec) }, layout };
}

/** Edges, the strongest on top. */
function edges({ edges: all, nodes: named, unit }: GraphSpec, { nodes: at }: GraphLayout, { lit }: Marks): string {
  const strengths = all.map(({ weight, strength = Math.abs(weight) }) => strength);
  const most = largest(strengths, 0) || 1;
  const order = all.map((_, i) => i).sort((a, b) => strengths[a] - strengths[b]);
  const paths = order.map((i) => {
    const { from, to, weight } = all[i];
    const strength = strengths[i] / most;
    const look =
      `stroke="${weight < 0 ? TAKES : ADDS}" stroke-width="${round(THIN + (THICK - THIN) * strength)}" ` +
      `stroke-opacity="${round(PALE + (CLEAR - PALE) * strength)}"${lit && !lit.edges.has(i) ? ` ${FADED.edge}` : ""}`;
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

function nodes(spec: GraphSpec, { nodes: at, letter, cell }: GraphLayout, { pinned, lit }: Marks): string {
  const shapes = new Map(spec.groups.map(({ name, shape }) => [name, shape]));
  const drawn = spec.nodes.map((node, i) => {
    const { x, y, width, height, label } = at[i];
    const title = [visibleToken(node.name), node.words, ...strongest(spec, i)].filter(Boolean).join("\n");
    const shape = shapes.get(node.group) ?? "disc";
    const box = (out: number, look: string) =>
      `<rect x="${round(x - width / 2 - out)}" y="${round(y - height / 2 - out)}" width="${round(width + 2 * out)}" height="${height + 2 * out}" rx="${3 + out}" ${look}/>`;
    const disc = (out: number, look: string) =>
      `<circle cx="${round(x)}" cy="${round(y)}" r="${round(width / 2 + out)}" ${look}/>`;
    const inside =
      shape === "box"
        ? box(0, BOX_LOOK) +
          svgText(
            label,
            x,
            y + 4,
            `text-anchor="middle" font-family="${MONO}" font-size="${letter}" style="white-space:pre"`,
          )
        : hit(x - cell.width / 2, y + LABEL / 2 - cell.height / 2, cell) +
          disc(0, shape === "ring" ? RING_LOOK : DISC_LOOK) +
          svgText(label, x, y + height / 2 + 9, `text-anchor="middle" font-size="9" opacity="0.75"`);
    const pin = pinned.has(node.name) ? (shape === "box" ? box : disc)(3, PIN_LOOK) : "";
    const faded = lit && !lit.nodes.has(i) ? ` ${FADED.node}` : "";
    return `<g data-node="${i}"${placed(node.place)}${faded}>${pin}${inside}<title>${escapeMarkup(title)}</title></g>`;
  });
  return `<g data-mark="node">${drawn.join("")}</g>`;
}

/** A node's strongest edges in and out, in words. */
function strongest({ nodes: named, edges: all, unit }: GraphSpec, i: number): string[] {
  const strength = ({ weight, strength = Math.abs(weight) }: GraphSpec["edges"][number]) => strength;
  const words = (what: string, here: "from" | "to", there: "from" | "to") => {
    const found = all.filter((edge) => edge[here] === i).sort((a, b) => strength(b) - strength(a));
    const first = found.slice(0, STRONGEST).map((edge) => {
      return `${visibleToken(named[edge[there]].name)} ${edge.weight > 0 ? "+" : ""}${formatQuantity(edge.weight, unit)}`;
    });
    const more = found.length > STRONGEST ? `, and ${found.length - STRONGEST} more` : "";
    return found.length > 0 ? [`${what} ${first.join(", ")}${more}`] : [];
  };
  return [...words("from", "to", "from"), ...words("to", "from", "to")];
}

/** How many edges in, and out, a node's tip names. */
const STRONGEST = 3;
const PIN_LOOK = `data-pin="" fill="none" stroke="currentColor" stroke-width="1.25"`;
/** A disc is small: what is around it, and its label, count as it for a pointer. */
function hit(x: number, y: number, { width, height }: GraphLayout["cell"]): string {
  return `<path d="M${round(x)},${round(y)}h${width}v${height}h${-width}z" fill="none" pointer-events="all"/>`;
}
const LABEL = 10;

const BOX_LOOK = `data-shape="" fill="currentColor" fill-opacity="0.06" stroke="currentColor" stroke-opacity="0.5"`;
const RING_LOOK = `data-shape="" fill="none" stroke="currentColor" stroke-opacity="0.75" stroke-width="1.5"`;
const DISC_LOOK = `data-shape="" fill="currentColor" fill-opacity="0.8"`;

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
