/** A picture as a table for a terminal: its most important numbers. The picture itself is in the other formats. */

import { denseWeights } from "../finding/attention-weights.ts";
import type {
  ActivationsSpec,
  AttentionSpec,
  FacetsSpec,
  LogitLensSpec,
  PictureSpec,
  RankedToken,
  TopkSpec,
} from "../finding/picture.ts";
import { type AboutTable, type Cell, type Column, type Table, tableOf } from "../finding/table.ts";
import { chosenTokens, neuronName } from "./draw/activations.ts";
import { shortProbability } from "./draw/lens-cells.ts";
import { visibleToken } from "./token-text.ts";

const SEE = "The picture itself is in the HTML, SVG and PNG reports.";

/** The table for a picture of tokens or heads; charts have none, because their numbers are in the finding's tables. */
export function pictureTable(spec: PictureSpec): Table | undefined {
  switch (spec.kind) {
    case "attention":
      return attention(spec);
    case "activations":
      return activations(spec);
    case "topk":
      return topk(spec);
    case "logit-lens":
      return logitLens(spec);
    case "facets":
      return facets(spec);
    default:
      return undefined;
  }
}

/** What the table of a picture is called. @param says what its numbers are */
function about({ name, title, caption = "" }: PictureSpec, says: string): AboutTable {
  return { name, title: title || name, caption: `${caption} ${says} ${SEE}`.trim() };
}

/** How much each head looks at the first token, at the previous one, and at the token itself, as a mean over queries. */
function attention(spec: AttentionSpec): Table {
  const n = spec.tokens.length;
  const rows = spec.heads.map(({ name, pattern }) => {
    const weights = denseWeights(pattern, n);
    const mean = (key: (query: number) => number) => {
      const values = spec.tokens.flatMap((_, query) => (key(query) < 0 ? [] : [weights[query * n + key(query)]]));
      const known = values.filter((value) => !Number.isNaN(value));
      return known.length > 0 ? known.reduce((a, b) => a + b, 0) / known.length : null;
    };
    return { name, first: mean(() => 0), previous: mean((query) => query - 1), itself: mean((query) => query) };
  });
  const says = `Mean ${spec.label ?? "attention"} of a query to the first token, to the previous token and to itself.`;
  return tableOf(about(spec, says), rows, [
    [column("head", "head", "text"), ({ name }) => name],
    [column("first", "to the first", 3), ({ first }) => first],
    [column("previous", "to the previous", 3), ({ previous }) => previous],
    [column("itself", "to itself", 3), ({ itself }) => itself],
  ]);
}

/** The selected neuron's tokens, the strongest first. */
function activations(spec: ActivationsSpec): Table {
  const { texts } = chosenTokens(spec);
  const tokens = texts.flatMap(({ label, tokens, values }, t) =>
    tokens.map((token, pos) => ({ text: label ?? t, pos, token, value: values[0][pos] })),
  );
  tokens.sort((a, b) => Math.abs(Number(b.value)) - Math.abs(Number(a.value)));
  return tableOf(about(spec, `The tokens with the largest |activation| of ${neuronName(spec)}.`), tokens, [
    [column("text", "text"), ({ text }) => text],
    [column("pos", "pos", "integer"), ({ pos }) => pos],
    [column("token", "token", "token"), ({ token }) => token],
    [column("activation", "activation"), ({ value }) => value],
  ]);
}

function topk(spec: TopkSpec): Table {
  type Ranked = TopkSpec["columns"][number];
  const said = (entry: RankedToken | undefined) => (entry ? visibleToken(entry.token) : null);
  const [first, last] = [({ top }: Ranked) => top[0], ({ bottom }: Ranked) => bottom?.at(-1)];
  return tableOf(about(spec, "The tokens with the largest and the smallest values."), spec.columns, [
    [column("name", spec.of ?? "column", "text"), ({ name }) => name],
    [column("top", "largest", "text"), (one) => said(first(one))],
    [column("top_value", "value"), (one) => first(one)?.value ?? null],
    [column("bottom", "smallest", "text"), (one) => said(last(one))],
    [column("bottom_value", "value"), (one) => last(one)?.value ?? null],
  ]);
}

/** The lens itself, the last layer on top; a narrow terminal shows the first positions. */
function logitLens(spec: LogitLensSpec): Table {
  const says = "The most probable next token at each layer and position, with its probability.";
  type Layer = LogitLensSpec["layers"][number];
  const positions = spec.tokens.map(
    (token, pos): Cell<Layer> => [
      column(String(pos), `${pos} ${visibleToken(token)}`, "text"),
      ({ cells }) => {
        const [top] = cells[pos].top;
        return top ? `${visibleToken(top.token)} ${shortProbability(top.probability)}` : null;
      },
    ],
  );
  return tableOf(about(spec, says), spec.layers.toReversed(), [
    [column("layer", "layer", "text"), ({ name }) => name],
    ...positions,
  ]);
}

/** The cell with the largest |value| in each heatmap. */
function facets(spec: FacetsSpec): Table {
  const label = (axis: FacetsSpec["x"], index: number | undefined) =>
    index === undefined ? null : (axis?.ticks?.[index] ?? index);
  const largest = spec.facets.map(({ title, values }) => {
    let best: { readonly row: number; readonly at: number; readonly value: number } | undefined;
    values.forEach((cells, row) => {
      cells.forEach((value, at) => {
        if (value !== null && (!best || Math.abs(value) > Math.abs(best.value))) best = { row, at, value };
      });
    });
    return { title, ...best };
  });
  return tableOf(about(spec, "The cell with the largest |value| in each."), largest, [
    [column("facet", "heatmap", "text"), ({ title }) => title],
    [column("row", spec.y?.label ?? "row"), ({ row }) => label(spec.y, row)],
    [column("column", spec.x?.label ?? "column"), ({ at }) => label(spec.x, at)],
    [column("value", spec.color?.label ?? "value"), ({ value }) => value ?? null],
  ]);
}

function column(name: string, title: string, format?: Exclude<Column["format"], object> | number): Column {
  const options = typeof format === "number" ? { digits: format } : format;
  return { name, title, description: title, ...(options === undefined ? {} : { format: options }) };
}
