import type { ColorScale, RankedToken, TopkSpec } from "../finding/picture.ts";
import { ArgumentError, ShapeError } from "../tensor/errors.ts";
import { ANYTHING, FLAG, listOf, NUMBER, TEXT } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import { shown } from "../tensor/show.ts";
import { pictureOf } from "./deferred.ts";
import { type Numbers, toShaped, withoutUnitAxes } from "./numbers.ts";
import { COLOR, checkTokens, PICTURE, TEXTS } from "./option-kinds.ts";
import { baseOf, defined, type Picture, type PictureOptions, picture } from "./picture.ts";

/** How a table of ranked tokens looks. */
export interface TopkTableOptions extends PictureOptions {
  /** What the columns are, such as "neuron". */
  readonly of?: string | undefined;
  /** Default: RdBu centred on 0, up to the largest |value| in all columns. */
  readonly color?: ColorScale | undefined;
}

/** Which columns are ranked, and how far. */
export interface TopkTokensOptions extends TopkTableOptions {
  /** How many tokens from the top, and from the bottom. Default 5. */
  readonly k?: number | undefined;
  /** Leave out the smallest. */
  readonly topOnly?: boolean | undefined;
  /** Indices of the columns shown. Default: all, or the 8 with the largest |value| if there are more. */
  readonly columns?: readonly number[] | undefined;
  /** Names of all columns. Default: their indices. */
  readonly names?: readonly string[] | undefined;
}

const TABLE: OptionKinds<TopkTableOptions> = { ...PICTURE, of: TEXT, color: COLOR };
// `k` and `columns` are checked later, with better messages.
const TOKENS: OptionKinds<TopkTokensOptions> = {
  ...TABLE,
  ...{ k: ANYTHING, topOnly: FLAG, columns: listOf(ANYTHING, "columns"), names: TEXTS },
};

/** How many columns are shown by default. */
const MOST_COLUMNS = 8;

/**
 * For each neuron or direction, the k tokens with the largest and the k with the smallest value: of a text, like CircuitsVis'
 * topk tokens, or of the vocabulary. `values` is `[token, column]`, or `[token]` for a single column. No token appears in
 * both lists: with fewer than 2k tokens, the largest take precedence. Equal values keep the tokens' order. A tensor that has not been
 * computed is computed when the picture is drawn.
 *
 * @throws ShapeError if there are more or fewer values than tokens, or names than columns.
 * @throws ArgumentError if k is not a positive whole number, or a column does not exist.
 */
export function topkTokens(strTokens: readonly string[], values: Numbers, options: TopkTokensOptions = {}): Picture {
  checkTokens(strTokens);
  checkOptions("topkTokens", options, TOKENS);
  return pictureOf(values, (numbers) => rankedTokens(strTokens, numbers, options));
}

function rankedTokens(strTokens: readonly string[], values: Numbers, options: TopkTokensOptions): TopkSpec {
  const { k = 5, topOnly = false, columns, names, ...table } = options;
  const { data, shape } = withoutUnitAxes(toShaped(values), 2);
  if (shape.length > 2 || shape[0] !== strTokens.length) {
    throw new ShapeError(
      `Expected values [token, column] for ${strTokens.length} tokens, but the array has shape [${shape}].`,
      { asked: [strTokens.length, "column"], found: shape },
    );
  }
  if (!Number.isInteger(k) || k < 1) {
    throw new ArgumentError(`k must be a positive whole number, not ${shown(k)}.`, {
      asked: k,
    });
  }
  const width = shape[1] ?? 1;
  if (names && names.length !== width) {
    throw new ShapeError(`There are ${width} columns, but ${names.length} names for them.`, {
      asked: width,
      found: names.length,
    });
  }
  const wrong = columns?.find((c) => !Number.isInteger(c) || c < 0 || c >= width);
  if (wrong !== undefined) {
    throw new ArgumentError(`There is no column ${shown(wrong)}: there are ${width}, counted from 0.`, {
      asked: wrong,
      found: width,
    });
  }
  const column = (c: number) =>
    strTokens.flatMap((token, pos): Required<RankedToken>[] => {
      const value = data[pos * width + c];
      return value === null ? [] : [{ token, value, pos }];
    });
  const chosen = columns ?? strongest(data, width);
  return tableSpec(
    chosen.map((c) => {
      const falling = column(c).sort((a, b) => b.value - a.value);
      const top = falling.slice(0, k);
      const bottom = falling.slice(Math.max(k, falling.length - k));
      return { name: names?.[c] ?? String(c), top, ...(topOnly ? {} : { bottom }) };
    }),
    { of: "neuron", ...table },
  );
}

/**
 * A table of tokens that are already ranked, as by an engine's top-k over a vocabulary: in descending order,
 * the largest in `top`, the smallest at the end of `bottom`.
 */
export function topkTable(columns: TopkSpec["columns"], options: TopkTableOptions = {}): Picture {
  checkOptions("topkTable", options, TABLE);
  const isRanked = (entry: unknown) => {
    const { token, value } = (typeof entry === "object" && entry !== null ? entry : {}) as Partial<RankedToken>;
    return TEXT.accepts(token) && NUMBER.accepts(value);
  };
  const isColumn = (column: unknown) => {
    const {
      name,
      top,
      bottom = [],
    } = (typeof column === "object" && column !== null ? column : {}) as Partial<TopkSpec["columns"][number]>;
    return TEXT.accepts(name) && Array.isArray(top) && Array.isArray(bottom) && [...top, ...bottom].every(isRanked);
  };
  if (!Array.isArray(columns) || !Array.from(columns).every(isColumn)) {
    throw new ArgumentError(
      `The columns must be a list of { name, top, bottom }, with tokens { token, value }, not ${shown(columns)}.`,
      { asked: columns },
    );
  }
  return picture(tableSpec(columns, options));
}

function tableSpec(columns: TopkSpec["columns"], options: TopkTableOptions): TopkSpec {
  const { of, color } = options;
  return { kind: "topk", ...baseOf("topk", options), columns, ...defined({ of, color }) };
}

function strongest(data: readonly (number | null)[], width: number): number[] {
  const most = new Array<number>(width).fill(0);
  data.forEach((value, i) => {
    if (value !== null && Math.abs(value) > most[i % width]) most[i % width] = Math.abs(value);
  });
  const all = most.map((_, c) => c);
  return width <= MOST_COLUMNS ? all : all.sort((a, b) => most[b] - most[a]).slice(0, MOST_COLUMNS);
}
