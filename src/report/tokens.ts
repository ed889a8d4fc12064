import type { ColorScale, TokensSpec } from "../finding/picture.ts";
import { ShapeError } from "../tensor/errors.ts";
import { ANYTHING, listOf, NOT_NEGATIVE_WHOLE, TEXT } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import { pictureOf } from "./deferred.ts";
import { COLOR, checkTokens, PICTURE } from "./option-kinds.ts";
import { baseOf, defined, type Picture, type PictureOptions } from "./picture.ts";
import { type Series, toSeries } from "./series.ts";

/** How coloured tokens look, and what else their tips show. */
export interface TokensOptions extends PictureOptions {
  /** The colour scale. Default: RdBu centred on 0, separate for each row of values. */
  readonly color?: ColorScale | undefined;
  /** The unit of the values, shown in tips. */
  readonly unit?: string | undefined;
  /** Values, by name, that are only shown in tips. */
  readonly hover?: Series | undefined;
  /** Positions drawn with a frame. */
  readonly marked?: readonly number[] | undefined;
}

const KINDS: OptionKinds<TokensOptions> = {
  ...PICTURE,
  color: COLOR,
  unit: TEXT,
  hover: ANYTHING,
  marked: listOf(NOT_NEGATIVE_WHOLE, "positions"),
};

/**
 * The tokens of a text, each coloured by a value; several named rows of values give one line of tokens each. Whitespace that
 * would be invisible is marked.
 *
 * @throws ShapeError if the numbers of values and tokens differ.
 */
export function tokens(strTokens: readonly string[], values: Series, options: TokensOptions = {}): Picture {
  checkTokens(strTokens);
  checkOptions("tokens", options, KINDS);
  return pictureOf({ values, hover: options.hover }, (numbers) =>
    specOf(strTokens, numbers.values, { ...options, hover: numbers.hover }),
  );
}

function specOf(strTokens: readonly string[], values: Series, options: TokensOptions): TokensSpec {
  const rows = named(values);
  const hover = options.hover ? named(options.hover) : [];
  for (const [name, row] of [...rows, ...hover]) {
    if (row.length !== strTokens.length) {
      throw new ShapeError(`There are ${strTokens.length} tokens, but "${name}" has ${row.length} values.`, {
        asked: strTokens.length,
        found: row.length,
      });
    }
  }
  const { unit, color } = options;
  return {
    kind: "tokens",
    ...baseOf("tokens", options),
    rows: rows.map(([title]) => ({ title, ...defined({ unit, color }) })),
    hover: hover.map(([title]) => ({ title })),
    texts: [
      {
        tokens: strTokens,
        values: [...rows, ...hover].map(([, row]) => row),
        ...defined({ marked: options.marked }),
      },
    ],
  };
}

function named(values: Series): [string, (number | null)[]][] {
  return toSeries(values).map(([name, row]) => [name || "value", row]);
}
