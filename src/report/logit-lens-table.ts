import type { ColorScale, LogitLensCell, LogitLensSpec } from "../finding/picture.ts";
import { ArgumentError, ShapeError } from "../tensor/errors.ts";
import { COUNT, FUNCTION, listOf, NOT_NEGATIVE_WHOLE, NUMBER, oneOf, orNull, TEXT } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import { shown } from "../tensor/show.ts";
import { type Numbers, toShaped, withoutUnitAxes } from "./numbers.ts";
import { COLOR, checkTokens, PICTURE, TEXTS } from "./option-kinds.ts";
import { baseOf, defined, type Picture, type PictureOptions, picture } from "./picture.ts";

/** How the logit lens table is coloured, and which tokens come next. */
export interface LogitLensTableOptions extends PictureOptions {
  /** The right next token at each position. */
  readonly next?: readonly (string | null)[] | undefined;
  /** The rows' names, from the first layer to the last. Default: the indices. */
  readonly layers?: readonly string[] | undefined;
  /**
   * What the colour shows: the top token's probability (default), the right next token's, the logarithm of how many
   * tokens are more probable than it, or the entropy of the distribution (nats).
   */
  readonly colorBy?: LogitLensSpec["colorBy"] | undefined;
  readonly color?: ColorScale | undefined;
}

const COLOR_BY = oneOf(["probability", "right", "rank", "entropy"]);
const TABLE: OptionKinds<LogitLensTableOptions> = {
  ...PICTURE,
  next: listOf(orNull(TEXT), "texts, or null"),
  layers: TEXTS,
  colorBy: COLOR_BY,
  color: COLOR,
};

/**
 * A logit lens as a table: layers as rows with the last on top, as is usual, and positions as columns; each cell has the
 * most probable token and its probability. The prompt is shown below, the next tokens above, and a frame marks
 * the cells that get it right. Pointing at a cell shows all its tokens and the rank of the right one. `cells` is
 * `[layer][pos]`, starting with the first layer; `logitLensCells` makes them from logits.
 *
 * @throws ShapeError if a layer does not have one cell per token, or the number of layer names or next tokens does not match.
 */
export function logitLensTable(
  strTokens: readonly string[],
  cells: readonly (readonly LogitLensCell[])[],
  options: LogitLensTableOptions = {},
): Picture {
  checkTokens(strTokens);
  checkOptions("logitLensTable", options, TABLE);
  if (!Array.isArray(cells) || !Array.from(cells).every((row) => Array.isArray(row) && Array.from(row).every(isCell))) {
    throw new ArgumentError(
      `The cells must be [layer][pos], each with its most probable tokens as \`top\`, as logitLensCells makes them, not ${shown(cells)}.`,
      { asked: cells },
    );
  }
  const { next, colorBy, color } = options;
  const layers = options.layers ?? cells.map((_, layer) => String(layer));
  const odd = cells.findIndex((row) => row.length !== strTokens.length);
  if (odd >= 0) {
    throw new ShapeError(`There are ${strTokens.length} tokens, but layer ${odd} has ${cells[odd].length} cells.`, {
      asked: strTokens.length,
      found: cells[odd].length,
    });
  }
  const counts = [
    ["layers", cells.length, "names", layers.length],
    ["tokens", strTokens.length, "next tokens", next?.length ?? strTokens.length],
  ] as const;
  for (const [what, asked, given, found] of counts) {
    if (asked !== found) throw new ShapeError(`There are ${asked} ${what}, but ${found} ${given}.`, { asked, found });
  }
  return picture({
    kind: "logit-lens",
    ...baseOf("logit-lens", options),
    tokens: strTokens,
    layers: cells.map((row, layer) => ({ name: layers[layer], cells: row })),
    ...defined({ next, colorBy, color }),
  });
}

/** The options of `logitLensCells`. */
export interface LogitLensCellsOptions {
  /** A token's text by its index in the vocabulary. */
  readonly token: (index: number) => string;
  /** The id of the right next token at each position; `null` where there is none. */
  readonly next?: readonly (number | null)[] | undefined;
  /** How many tokens each cell has. Default 5. */
  readonly k?: number | undefined;
}

const CELLS: OptionKinds<LogitLensCellsOptions> = {
  token: FUNCTION,
  next: listOf(orNull(NOT_NEGATIVE_WHOLE), "token ids, or null"),
  k: COUNT,
};

/**
 * The cells of a logit lens from logits `[layer, pos, d_vocab]`: a softmax at each layer and position, the k most probable
 * tokens, the right next token's probability and rank (how many tokens precede it, with ties in the vocabulary's order), and the entropy in nats.
 * For large vocabularies, compute the top k in the graph and build the cells yourself.
 *
 * @throws ShapeError if there are not three axes, or not one next token for each position.
 */
export function logitLensCells(logits: Numbers, options: LogitLensCellsOptions): LogitLensCell[][] {
  checkOptions("logitLensCells", options, CELLS);
  const { token, next, k = 5 } = options;
  if (!token)
    throw new ArgumentError("logitLensCells needs `token`: a function from an id to its text.", { asked: token });
  const { data, shape } = withoutUnitAxes(toShaped(logits), 3);
  if (shape.length !== 3 || (next && next.length !== shape[1])) {
    const wanted = next ? `[layer, ${next.length}, d_vocab]` : "[layer, pos, d_vocab]";
    throw new ShapeError(`Expected logits ${wanted}, but the array has shape [${shape}].`, { found: shape });
  }
  const [layers, positions, vocabulary] = shape;
  const beyond = next?.find((id) => id !== null && id >= vocabulary);
  if (beyond !== undefined) {
    throw new ArgumentError(`The next token ${beyond} has no logit: there are only ${vocabulary}.`, {
      asked: beyond,
      found: vocabulary,
    });
  }
  return Array.from({ length: layers }, (_, layer) =>
    Array.from({ length: positions }, (_, pos) => {
      const from = (layer * positions + pos) * vocabulary;
      const row = Float64Array.from({ length: vocabulary }, (_, i) => data[from + i] ?? Number.NEGATIVE_INFINITY);
      return cellOf(row, next?.[pos] ?? null, k, token);
    }),
  );
}

function isCell(cell: unknown): boolean {
  const { top } = (typeof cell === "object" && cell !== null ? cell : {}) as Partial<LogitLensCell>;
  return (
    Array.isArray(top) && top.every((entry) => typeof entry?.token === "string" && NUMBER.accepts(entry.probability))
  );
}

function cellOf(row: Float64Array, right: number | null, k: number, token: (index: number) => string): LogitLensCell {
  const largest = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  let sum = 0;
  let weighted = 0;
  for (const logit of row) {
    const e = Math.exp(logit - largest);
    sum += e;
    if (e > 0) weighted += e * (logit - largest);
  }
  const probability = (index: number) => Math.exp(row[index] - largest) / sum;
  // Equal logits stay in the vocabulary's order, so that exactly the top token has rank 0.
  const ranked = [...row.keys()].sort((a, b) => row[b] - row[a]);
  return {
    top: ranked.slice(0, k).map((index) => ({ token: token(index), probability: probability(index) })),
    ...(right === null ? {} : { right: { probability: probability(right), rank: ranked.indexOf(right) } }),
    // H = log Σe − Σ p (logit − max)
    entropy: Math.log(sum) - weighted / sum,
  };
}
