import type { ColorScale } from "../analyses/picture.ts";
import { ShapeError } from "../tensor/errors.ts";
import { ANYTHING, listOf, NOT_NEGATIVE_WHOLE, TEXT } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import { COLOR, checkTokens, PICTURE } from "./option-kinds.ts";
import { baseOf, defined, type Picture, type PictureOptions, picture } from "./picture.ts";
import { type Series, toSeries } from "./series.ts";

/** How coloured tokens look, and what else is shown when one is pointed at. */
export interface TokensOptions extends PictureOptions {
  /** The colours' scale. Default: RdBu centred on 0, for each row of values its own. */
  readonly color?: ColorScale | undefined;
  /** The values' unit, shown when a token is pointed at. */
  readonly unit?: string | undefined;
  /** Values, by name, that are only shown when a token is pointed at. */
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
 * A text's tokens, coloured by a value each; several rows of values by name give a line of tokens each. Whitespace that
 * would be invisible gets a mark.
 *
 * @throws ShapeError if there are more or fewer values than tokens.
 */
export function tokens(strTokens: readonly string[], values: Series, options: TokensOptions = {}): Picture {
  checkTokens(strTokens);
  checkOptions("tokens", options, KINDS);
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
  return picture({
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
  });
}

function named(values: Series): [string, (number | null)[]][] {
  return toSeries(values).map(([name, row]) => [name || "value", row]);
}
