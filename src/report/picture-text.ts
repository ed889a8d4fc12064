/** The picture of an answer in a terminal with colours: tokens on their colours, the cells of heatmaps. Other pictures are not drawn there. */
import type { FacetsSpec, ImshowSpec, PictureSpec, TokensSpec } from "../finding/picture.ts";
import { coloring } from "./color.ts";
import { tokenColorings } from "./draw/tokens.ts";
import type { Ink } from "./ink.ts";
import { textWidth, visibleToken } from "./token-text.ts";

/** The room that there is. */
interface Room {
  readonly width: number;
  readonly lines: number;
  readonly ink: Ink;
}

/** The picture as lines; none if it is of another kind, does not fit, or there are no colours. */
export function pictureText(spec: PictureSpec, room: Room): string[] {
  if (!room.ink.on) return [];
  if (spec.kind === "tokens") return tokenLines(spec, room.ink.on, room);
  if (spec.kind === "imshow") return gridLines(spec, [{ title: "", values: spec.values }], room.ink.on, room);
  if (spec.kind === "facets") return gridLines(spec, spec.facets, room.ink.on, room);
  return [];
}

type On = NonNullable<Ink["on"]>;

/** A line for each text, those with framed tokens first, cut where the terminal ends. */
function tokenLines(spec: TokensSpec, on: On, { width, lines }: Room): string[] {
  const [colors] = tokenColorings(spec);
  const framed = spec.texts.filter(({ marked }) => marked?.length);
  const texts = [...framed, ...spec.texts.filter((text) => !framed.includes(text))].slice(0, lines);
  return texts.map(({ tokens, values: [values], marked }) => {
    let left = width;
    const shown: string[] = [];
    for (const [pos, token] of tokens.entries()) {
      const word = marked?.includes(pos) ? `[${visibleToken(token)}]` : visibleToken(token);
      left -= textWidth(word);
      if (left < 1) return `${shown.join("")}…`;
      const value = values[pos];
      shown.push(value === null ? word : on(word, colors.of(value)));
    }
    return shown.join("");
  });
}

/** A cell's least and greatest width. */
const NARROW = 2;
const WIDE = 8;
/** Columns of at least this width have their names, cut; narrower ones their numbers. */
const LEGIBLE = 5;
const GAP = 2;
const LABEL = 12;

/** Heatmaps side by side: names of columns above, names of rows at the left. */
function gridLines(
  spec: Pick<ImshowSpec | FacetsSpec, "x" | "y" | "color">,
  grids: readonly { readonly title: string; readonly values: ImshowSpec["values"] }[],
  on: On,
  { width, lines, ink }: Room,
): string[] {
  const rows = grids[0]?.values.length ?? 0;
  const columns = grids[0]?.values[0]?.length ?? 0;
  const names = Array.from({ length: rows }, (_, r) => cut(visibleToken(spec.y?.ticks?.[r] ?? String(r)), LABEL));
  const label = Math.max(0, ...names.map(textWidth)) + 1;
  const free = width - label - (grids.length - 1) * GAP;
  const cell = Math.min(WIDE, Math.floor(free / (grids.length * columns)));
  const titled = grids.some(({ title }) => title);
  if (cell < NARROW || rows + 1 + +titled > lines) return [];
  const colors = coloring(
    spec.color,
    grids.flatMap(({ values }) => values.flat()),
  );
  const ticks = Array.from({ length: columns }, (_, c) => visibleToken(spec.x?.ticks?.[c] ?? String(c)));
  const named = cell >= LEGIBLE || ticks.every((tick) => textWidth(tick) < cell);
  const heads = ticks.map((tick, c) => pad(cut(named ? tick : String(c), cell - 1), cell));
  const across = (parts: readonly string[]) => parts.join(" ".repeat(GAP));
  const title = across(grids.map((grid) => pad(cut(grid.title, columns * cell), columns * cell)));
  return [
    ...(titled ? [`${" ".repeat(label)}${title}`] : []),
    ink.faint(`${" ".repeat(label)}${across(grids.map(() => heads.join("")))}`),
    ...names.map((name, r) => {
      const cells = grids.map(({ values }) =>
        values[r].map((value) => (value === null ? " ".repeat(cell) : on(" ".repeat(cell), colors.of(value)))).join(""),
      );
      return `${pad(name, label)}${across(cells)}`;
    }),
  ];
}

function pad(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - textWidth(text)));
}

function cut(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let kept = "";
  for (const letter of text) {
    if (textWidth(kept + letter) > width - 1) break;
    kept += letter;
  }
  return width < 2 ? kept.slice(0, width) : `${kept}…`;
}
