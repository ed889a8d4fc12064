/** One attention head in a terminal: its pattern, with the tokens along it. */
import type { AttentionSpec } from "../../finding/picture.ts";
import { attentionColors } from "../draw/attention-colors.ts";
import { nameWithReason, oneHead } from "../draw/attention-focus.ts";
import { visibleToken } from "../token-text.ts";
import { cellLines } from "./cells.ts";
import { legend, type Room } from "./room.ts";

/** Smaller patterns are not worth their lines. */
const LEAST = 4;
/** The room for the tokens' names at the left. */
const NAMES = 24;

/** The lines; none if there is no room. */
export function attentionLines(spec: AttentionSpec, room: Room): string[] {
  const { tokens, heads } = spec;
  if (heads.length === 0) return [];
  const colors = attentionColors(spec);
  const head = oneHead(spec);
  const scale = colors.scale(head);
  const label = heads.length > 1 ? `${nameWithReason(spec, head)}: ${scale.label}` : scale.label;
  const says = (side: number) => {
    const block = Math.floor(tokens.length / side);
    const note = side < tokens.length ? [`each cell is the largest of at least ${block} × ${block} weights`] : [];
    return legend({ ...scale, label }, note, room);
  };
  const fits = tokens.length <= 2 * (room.lines - says(tokens.length).length - 1);
  const lines = room.lines - says(fits ? tokens.length : 1).length;
  const side = Math.min(tokens.length, 2 * (lines - 1), room.width - NAMES);
  if (side < Math.min(LEAST, tokens.length)) return [];
  const at = Array.from({ length: side }, (_, i) => Math.ceil((i * tokens.length) / side));
  const names = at.map((pos) => visibleToken(tokens[pos]));
  const colorOf = colors.cells(head, side);
  const found = at.map((_, query) => at.map((_, key) => colorOf(query, key)));
  // Where no query looks ahead, the half that is always 0 stays empty.
  const causal = found.every((row, query) => row.every((color, key) => key <= query || color === null));
  const square = found.map((row, query) =>
    row.map((color, key) => color ?? (causal && key > query ? null : scale.of(0))),
  );
  const cells = cellLines(
    { rows: names, columns: names, numbers: at, rowNumbers: at, grids: [{ title: "", colors: square }], narrow: 1 },
    { ...room, lines },
  );
  return cells.length > 0 ? [...cells, ...says(side)] : [];
}
