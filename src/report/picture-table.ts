/** A picture as a table for a terminal: its most important numbers. The picture itself is in the other formats. */
import type { Column, Scalar, Table } from "../analyses/finding.ts";
import type {
  ActivationsSpec,
  AttentionSpec,
  FacetsSpec,
  LogitLensSpec,
  PictureSpec,
  RankedToken,
  TopkSpec,
} from "../analyses/picture.ts";
import { chosenTokens, neuronName } from "./draw/activations.ts";
import { shortProbability } from "./draw/logit-lens.ts";
import { visibleToken } from "./token-text.ts";

const SEE = "The picture itself is in the HTML, SVG and PNG reports.";

/** The table for a picture of tokens or heads; charts have none, because their numbers are in the finding's tables. */
export function pictureTable(spec: PictureSpec): Table | undefined {
  switch (spec.kind) {
    case "attention":
      return table(spec, ...attention(spec));
    case "activations":
      return table(spec, ...activations(spec));
    case "topk":
      return table(spec, ...topk(spec));
    case "logit-lens":
      return table(spec, ...logitLens(spec));
    case "facets":
      return table(spec, ...facets(spec));
    default:
      return undefined;
  }
}

type Content = [columns: Column[], rows: Scalar[][], says: string];

function table({ name, title, caption = "" }: PictureSpec, columns: Column[], rows: Scalar[][], says: string): Table {
  return { name, title: title || name, caption: `${caption} ${says} ${SEE}`.trim(), columns, rows };
}

/** How much each head looks at the first token, at the previous one, and at the token itself, as a mean over queries. */
function attention(spec: AttentionSpec): Content {
  const mean = (pattern: AttentionSpec["heads"][number]["pattern"], key: (query: number) => number) => {
    const values = pattern.flatMap((row, query) => row[key(query)] ?? []);
    return values.length > 0 ? values.reduce((a, b) => a + b, 0) / values.length : null;
  };
  return [
    [
      column("head", "head", "text"),
      column("first", "to the first", 3),
      column("previous", "to the previous", 3),
      column("itself", "to itself", 3),
    ],
    spec.heads.map(({ name, pattern }) => [
      name,
      mean(pattern, () => 0),
      mean(pattern, (query) => query - 1),
      mean(pattern, (query) => query),
    ]),
    `Mean ${spec.label ?? "attention"} of a query to the first token, to the previous token and to itself.`,
  ];
}

/** The selected neuron's tokens, the strongest first. */
function activations(spec: ActivationsSpec): Content {
  const { texts } = chosenTokens(spec);
  const rows = texts.flatMap((text, t) =>
    text.tokens.map((token, pos): Scalar[] => [text.label ?? t, pos, token, text.values[0][pos]]),
  );
  rows.sort((a, b) => Math.abs(Number(b[3])) - Math.abs(Number(a[3])));
  return [
    [
      column("text", "text"),
      column("pos", "pos", "integer"),
      column("token", "token", "token"),
      column("activation", "activation"),
    ],
    rows,
    `The tokens with the largest |activation| of ${neuronName(spec)}.`,
  ];
}

function topk(spec: TopkSpec): Content {
  const said = (entry: RankedToken | undefined) => (entry ? visibleToken(entry.token) : null);
  const value = (entry: RankedToken | undefined) => entry?.value ?? null;
  return [
    [
      column("name", spec.of ?? "column", "text"),
      column("top", "largest", "text"),
      column("top_value", "value"),
      column("bottom", "smallest", "text"),
      column("bottom_value", "value"),
    ],
    spec.columns.map(({ name, top, bottom }) => [
      name,
      said(top[0]),
      value(top[0]),
      said(bottom?.at(-1)),
      value(bottom?.at(-1)),
    ]),
    "The tokens with the largest and the smallest values.",
  ];
}

/** The lens itself, the last layer on top; a narrow terminal shows the first positions. */
function logitLens(spec: LogitLensSpec): Content {
  const heading = (token: string, pos: number) => `${pos} ${visibleToken(token)}`;
  return [
    [
      column("layer", "layer", "text"),
      ...spec.tokens.map((token, pos) => column(String(pos), heading(token, pos), "text")),
    ],
    spec.layers
      .map(({ name, cells }): Scalar[] => [
        name,
        ...cells.map(({ top: [top] }) =>
          top ? `${visibleToken(top.token)} ${shortProbability(top.probability)}` : null,
        ),
      ])
      .reverse(),
    "The most probable next token at each layer and position, with its probability.",
  ];
}

/** The cell with the largest |value| in each heatmap. */
function facets(spec: FacetsSpec): Content {
  const label = (axis: FacetsSpec["x"], index: number) => axis?.ticks?.[index] ?? index;
  const rows = spec.facets.map(({ title, values }): Scalar[] => {
    let best: [number, number, number] | undefined;
    values.forEach((row, r) => {
      row.forEach((value, c) => {
        if (value !== null && (best === undefined || Math.abs(value) > Math.abs(best[2]))) best = [r, c, value];
      });
    });
    return best ? [title, label(spec.y, best[0]), label(spec.x, best[1]), best[2]] : [title, null, null, null];
  });
  return [
    [
      column("facet", "heatmap", "text"),
      column("row", spec.y?.label ?? "row"),
      column("column", spec.x?.label ?? "column"),
      column("value", spec.color?.label ?? "value"),
    ],
    rows,
    "The cell with the largest |value| in each.",
  ];
}

function column(name: string, title: string, format?: Exclude<Column["format"], object> | number): Column {
  const options = typeof format === "number" ? { digits: format } : format;
  return { name, title, description: title, ...(options === undefined ? {} : { format: options }) };
}
