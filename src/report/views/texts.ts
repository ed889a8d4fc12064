/** A table's rows as tokens: of texts, of rankings, of a logit lens. */
import type {
  ColorScale,
  LogitLensCell,
  LogitLensSpec,
  RankedToken,
  TokensSpec,
  TopkSpec,
} from "../../finding/picture.ts";
import type { Scalar, Table } from "../../finding/table.ts";
import type { ColorOf, LogitLensView, TokensView, TopkView } from "../../finding/view.ts";
import { baseOf } from "./base.ts";
import { indexOf, orderOf, symmetric } from "./grid.ts";
import { ViewRows } from "./rows.ts";

export function tokensOf(view: TokensView, rows: ViewRows): TokensSpec {
  const { marked, marks, most = Number.POSITIVE_INFINITY } = view;
  const groups = view.text === undefined ? [["", rows] as const] : [...rows.groupedBy(view.text)];
  const framed = marked ? new Set(rows.where(marked).rows) : undefined;
  const texts = firstTexts(
    groups.map(([label, of]) => ({ label: String(label), of })),
    framed,
    most,
  );
  const hover = view.hover ?? [];
  return {
    ...baseOf(view),
    kind: "tokens",
    rows: linesOf(view, rows),
    ...(hover.length > 0 ? { hover: hover.map((column) => titled(rows, column)) } : {}),
    texts: texts.map(({ label, of }) => {
      const lines = linesIn(view, of);
      return {
        ...(view.text === undefined ? {} : { label }),
        tokens: lines[0].values(view.token).map(String),
        values: [
          ...lines.flatMap((line) => columnsOf(view).map((column) => line.numbers(column))),
          ...hover.map((column) => lines[0].numbers(column)),
        ],
        places: lines[0].places(),
        ...(framed ? { marked: lines[0].rows.flatMap((row, i) => (framed.has(row) ? [i] : [])) } : {}),
      };
    }),
    ...(marks === undefined ? {} : { marks }),
  };
}

function columnsOf({ rows }: TokensView): string[] {
  return rows.map((row) => (typeof row === "string" ? row : row.column));
}

/** The rows of each line of coloured tokens. */
function linesIn({ by }: TokensView, rows: ViewRows): ViewRows[] {
  return by === undefined ? [rows] : [...rows.groupedBy(by).values()];
}

/** What each line of coloured tokens is called, and its colours. */
function linesOf(view: TokensView, rows: ViewRows): TokensSpec["rows"] {
  const names = view.by === undefined ? [undefined] : [...rows.groupedBy(view.by).keys()].map(String);
  const columns = columnsOf(view);
  const together = symmetric(
    view.oneScale ? 0 : undefined,
    columns.flatMap((column) => rows.numbers(column)),
  );
  const lines = view.rows.map((row, i) => {
    const { column, atLeast, ...scale }: ColorOf = typeof row === "string" ? { column: row } : row;
    const { label = "", unit, ...given } = rows.axis([column], scale);
    const shared = view.by === undefined ? atLeast : (atLeast ?? 0);
    const own = { ...given, ...symmetric(shared, rows.numbers(columns[i])), ...together };
    const color = Object.keys(own).length > 0 ? { color: { label, ...unitOf(unit), ...own } } : {};
    return { title: label, ...unitOf(unit), ...color };
  });
  return names.flatMap((name) => lines.map((line) => ({ ...line, title: name ?? line.title })));
}

function unitOf(unit: string | undefined) {
  return unit ? { unit } : {};
}

function titled(rows: ViewRows, column: string) {
  const { label = "", unit } = rows.axis([column], {} as ColorScale);
  return { title: label, ...unitOf(unit) };
}

interface Text {
  readonly label: string;
  readonly of: ViewRows;
}

/** At most this many texts, those with framed tokens first, in their own order. */
function firstTexts(texts: readonly Text[], framed: ReadonlySet<number> | undefined, most: number): readonly Text[] {
  if (texts.length <= most) return texts;
  const has = ({ of }: Text) => of.rows.some((row) => framed?.has(row));
  const chosen = new Set([...texts.filter(has), ...texts.filter((text) => !has(text))].slice(0, most));
  return texts.filter((text) => chosen.has(text));
}

export function topkOf(view: TopkView, rows: ViewRows): TopkSpec {
  const by = view.by === undefined ? undefined : indexOf(view.by);
  const groups = by === undefined ? [rows] : [...rows.groupedBy(by.column).values()];
  const names = by === undefined ? [""] : (by.ticks ?? orderOf(rows, by.column).map(String));
  const { bottom, of, color = {} } = view;
  return {
    ...baseOf(view),
    kind: "topk",
    columns: groups.map((group, i) => ({
      name: names[i],
      top: ranked(group, view.top),
      ...(bottom ? { bottom: ranked(group, bottom).toReversed() } : {}),
    })),
    ...(of === undefined ? {} : { of }),
    color: rows.axis([view.top[1]], color),
  };
}

/** The rows' tokens and numbers, in their order; a row that has none is left out. */
function ranked(rows: ViewRows, [token, value]: readonly [string, string]): RankedToken[] {
  const numbers = rows.numbers(value);
  return rows.values(token).flatMap((text, i) => {
    const number = numbers[i];
    return text === null || number === null ? [] : [{ token: String(text), value: number }];
  });
}

export function logitLensOf(view: LogitLensView, rows: ViewRows, tops: Table): LogitLensSpec {
  const order = orderOf(rows, view.x);
  const top = topTokens(view, ViewRows.of(tops));
  const [first] = rows.groupedBy(view.y).values();
  return {
    ...baseOf(view),
    kind: "logit-lens",
    tokens: first.values(view.token).map(String),
    ...(view.next === undefined
      ? {}
      : { next: first.values(view.next).map((text) => (text === null ? null : String(text))) }),
    layers: [...rows.groupedBy(view.y)].map(([name, layer]) => {
      const number = (column: string | undefined) => (column === undefined ? [] : layer.values(column));
      const [logProbs, ranks, entropies] = [...(view.right ?? [undefined, undefined]), view.entropy].map(number);
      const places = layer.places();
      return {
        name: String(name),
        cells: order.map((pos, i): LogitLensCell => {
          const [logProb, rank, entropy] = [logProbs[i], ranks[i], entropies[i]];
          return {
            top: top(name, pos),
            ...(typeof logProb === "number" && typeof rank === "number"
              ? { right: { probability: Math.exp(logProb), rank } }
              : {}),
            ...(typeof entropy === "number" ? { entropy } : {}),
            place: places[i],
          };
        }),
      };
    }),
    ...(view.color ? { color: view.color } : {}),
  };
}

type Top = LogitLensCell["top"];

/** The most probable tokens at each layer and position. */
function topTokens({ y, x, top }: LogitLensView, rows: ViewRows): (layer: Scalar, pos: Scalar) => Top {
  const [layers, positions] = [rows.values(y), rows.values(x)];
  const [tokens, probabilities] = [rows.values(top.token), rows.values(top.probability)];
  const found = new Map<Scalar, Map<Scalar, { token: string; probability: number }[]>>();
  layers.forEach((layer, i) => {
    const cells = found.get(layer) ?? new Map();
    found.set(layer, cells);
    const one = { token: String(tokens[i]), probability: Number(probabilities[i]) };
    const cell = cells.get(positions[i]);
    if (cell) cell.push(one);
    else cells.set(positions[i], [one]);
  });
  return (layer, pos) => found.get(layer)?.get(pos) ?? [];
}
