/** Where the nodes of a graph are: in columns as wide as what is in them needs, and rows of one or more lines. */
import type { GraphSpec, GraphSpecNode } from "../../finding/picture.ts";
import { cutText, textWidth, visibleToken } from "../token-text.ts";
import { SUPERNODE } from "./graph-shown.ts";
import { largest } from "./limits.ts";
import { TICK_LETTER } from "./ticks.ts";

/** A node in its picture: its middle, and its size. */
export interface PlacedNode {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly label: string;
}

/** A graph's nodes in a picture, and the middles of its rows. */
export interface GraphLayout {
  readonly nodes: readonly PlacedNode[];
  /** The size of letters in boxes, and the room of a disc with its label. */
  readonly letter: number;
  readonly cell: { readonly width: number; readonly height: number };
  readonly rows: readonly number[];
  readonly height: number;
}

/** The room around a disc, with its label, and the size of letters in boxes; where there is little room, less of both. */
const LOOSE = { cell: { width: 27, height: 29 }, letter: 11 };
const DENSE = { cell: { width: 21, height: 27 }, letter: 9 };
const BOX = { height: 18, padding: 7 };
/** The most letters of a box. */
const LETTERS = 9;
/** How many discs stand side by side, if a cell has that many, and with how few letters boxes then get by: the first that fits. */
const NARROWER = [
  { ...LOOSE, abreast: 7, least: 7 },
  { ...LOOSE, abreast: 5, least: 5 },
  { ...LOOSE, abreast: 3, least: 5 },
  { ...DENSE, abreast: 3, least: 5 },
  { ...DENSE, abreast: 2, least: 4 },
  { ...DENSE, abreast: 1, least: 4 },
  { ...DENSE, abreast: 1, least: 2 },
];
/** With fewer letters than this a label has none for the space that it begins with. */
const FEW_LETTERS = 7;
/** Between lines of boxes, between rows, and between columns. */
const [LINE, ROW, COLUMN] = [4, 44, 5];
const RADIUS = { least: 3, more: 5 };
/** The height of a disc's label. */
const LABEL = 10;

/** @param left where columns begin, and `width` where they end */
export function graphLayout(spec: GraphSpec, left: number, width: number): GraphLayout {
  const boxed = new Set(spec.groups.filter(({ shape }) => shape === "box").map(({ name }) => name));
  const cells = cellsOf(spec);
  const { sized, widest, way } = fitting(spec, boxed, cells, width - left);
  const columns = columnsOf(sized, widest, cells, left, width);
  const placed: PlacedNode[] = [];
  const rows: number[] = [];
  let bottom = 0;
  for (const [row, ofRow] of cells.entries()) {
    let top = bottom;
    for (const [column, members] of ofRow.entries()) {
      const { x, room } = columns[column];
      let y = bottom;
      for (const line of linesOf(members, sized, room)) {
        const height = largest(
          line.map((i) => sized[i].height + (boxed.has(spec.nodes[i].group) ? 0 : LABEL)),
          0,
        );
        const all = line.reduce((sum, i) => sum + sized[i].step, 0);
        let at = x - all / 2;
        for (const i of line) {
          placed[i] = { ...sized[i], x: at + sized[i].step / 2, y: y - height / 2 };
          at += sized[i].step;
        }
        y -= height + LINE;
      }
      top = Math.min(top, y + LINE);
    }
    rows[row] = (bottom + top) / 2;
    bottom = top - ROW;
  }
  const height = -(bottom + ROW) + 2;
  const down = ({ y, ...node }: PlacedNode) => ({ ...node, y: y + height - 1 });
  return { nodes: placed.map(down), rows: rows.map((y) => y + height - 1), height, letter: way.letter, cell: way.cell };
}

/** How large a node is, and how much room it takes in its line. */
function sizeOf({ name, label = name, size = 1, group }: GraphSpecNode, isBox: boolean, { cell, letter, ...way }: Way) {
  const text = label && visibleToken(label);
  if (!isBox) {
    const side = 2 * (RADIUS.least + RADIUS.more * Math.max(0, Math.min(1, size)));
    return { width: side, height: side, label: cutText(text, 5), step: cell.width };
  }
  // The label of a group is all that says what it is.
  const letters = group === SUPERNODE ? 2 * way.letters : way.letters;
  const shown = cutText(letters < FEW_LETTERS ? text.replace(/^␣(?=.)/, "") : text, letters);
  const width = textWidth(shown) * TICK_LETTER * (letter / LOOSE.letter) + BOX.padding;
  return { width, height: BOX.height, label: shown, step: width + LINE };
}

type Sized = ReturnType<typeof sizeOf>;
type Way = (typeof NARROWER)[number] & { readonly letters: number };

/** The nodes of each cell, by row and column, in their order. */
function cellsOf({ rows, columns, nodes }: GraphSpec): number[][][] {
  const cells = rows.map(() => Array.from({ length: columns }, (): number[] => []));
  nodes.forEach(({ row, column }, i) => {
    cells[row][column].push(i);
  });
  return cells;
}

/** The sizes of nodes with as many letters, and with as many discs side by side, as there is room for. */
function fitting(spec: GraphSpec, boxed: ReadonlySet<string>, cells: readonly number[][][], room: number) {
  const ways = NARROWER.flatMap((way) =>
    Array.from({ length: LETTERS - way.least + 1 }, (_, i): Way => ({ ...way, letters: LETTERS - i })),
  );
  const sizes = (way: Way) => {
    const sized = spec.nodes.map((node) => sizeOf(node, boxed.has(node.group), way));
    return { sized, widest: widestOf(sized, cells, way), way };
  };
  return sizes(ways.find((way) => wholeWidth(sizes(way).widest) <= room) ?? ways[ways.length - 1]);
}

/** The least room of each column: for its widest node, and for a few discs. */
function widestOf(sized: readonly Sized[], cells: readonly number[][][], { abreast, cell }: Way): number[] {
  return cells[0].map((_, column) => {
    const members = cells.map((row) => row[column]);
    const most = largest(
      members.map(({ length }) => Math.min(abreast, length)),
      1,
    );
    return largest(
      members.flatMap((all) => all.map((i) => sized[i].step)),
      cell.width * most,
    );
  });
}

function wholeWidth(widest: readonly number[]): number {
  return widest.reduce((sum, x) => sum + x + COLUMN, 0);
}

/** The middle of each column, and the room in it: for its widest node, and the rest by how much is in it. Too many columns overlap. */
function columnsOf(
  sized: readonly Sized[],
  widest: readonly number[],
  cells: readonly number[][][],
  left: number,
  width: number,
) {
  const fit = Math.min(1, (width - left) / wholeWidth(widest));
  const wanted = widest.map((_, column) => {
    return largest(
      cells.map((row) => row[column].reduce((sum, i) => sum + sized[i].step, 0)),
      0,
    );
  });
  const free = Math.max(0, width - left - wholeWidth(widest));
  const more = wanted.map((x, i) => Math.max(0, x - widest[i]));
  const sum = more.reduce((a, b) => a + b, 0);
  // What no node needs is shared by all.
  const [share, rest] = free > sum ? [1, (free - sum) / widest.length] : [free / Math.max(1, sum), 0];
  let at = left;
  return widest.map((least, column) => {
    const room = least + more[column] * share + rest;
    const x = at + ((room + COLUMN) * fit) / 2;
    at += (room + COLUMN) * fit;
    return { x, room };
  });
}

/** Nodes in lines that fit: all lines of a cell have about as many. */
function linesOf(members: readonly number[], sized: readonly Sized[], room: number): number[][] {
  const all = members.reduce((sum, i) => sum + sized[i].step, 0);
  const count = Math.max(1, Math.ceil(all / (room + 1)));
  const lines: number[][] = [[]];
  let used = 0;
  for (const i of members) {
    const isFull = used > 0 && (used + sized[i].step > room + 1 || used >= all / count);
    if (isFull) {
      lines.push([]);
      used = 0;
    }
    lines[lines.length - 1].push(i);
    used += sized[i].step;
  }
  return lines;
}
