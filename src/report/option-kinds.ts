/** Kinds of value that charts accept. */
import type { Axis, ColorScale, IndexAxis, ReferenceLine } from "../finding/picture.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { between, either, type Kind, listOf, NUMBER, OBJECT, oneOf, TEXT } from "../tensor/kinds.ts";
import type { OptionKinds } from "../tensor/options.ts";
import { shown } from "../tensor/show.ts";
import { inReach } from "./numbers.ts";
import type { PictureOptions } from "./picture.ts";

/** Anything larger would take minutes to draw, and no screen could show it. */
const PIXELS = between(1, 20_000);

/** The options of every chart. */
export const PICTURE: OptionKinds<PictureOptions> = {
  name: TEXT,
  title: TEXT,
  caption: TEXT,
  width: PIXELS,
  height: PIXELS,
};

export const TEXTS = listOf(TEXT, "texts");

const DOMAIN: Kind = {
  accepts: (v) => Array.isArray(v) && v.length === 2 && v.every((n) => n === 0 || inReach(n)) && v[0] <= v[1],
  describe: "two numbers, [low, high], the smaller first",
};

/** An object with some of an interface's fields, and no others. */
function fields<T>(kinds: OptionKinds<T>, describe: string): Kind {
  const known = new Map(Object.entries(kinds) as [string, Kind][]);
  const fits = ([name, value]: [string, unknown]) => value === undefined || known.get(name)?.accepts(value) === true;
  return { accepts: (v) => OBJECT.accepts(v) && Object.entries(v as object).every(fits), describe };
}

const AXIS_FIELDS: OptionKinds<Axis> = {
  label: TEXT,
  unit: TEXT,
  domain: DOMAIN,
  scale: oneOf(["linear", "log", "symlog"]),
  ticks: TEXTS,
};
const { scale: _scale, ticks: _ticks, ...UNSCALED } = AXIS_FIELDS;

const AXIS_OBJECT = fields(AXIS_FIELDS, "{ label, unit, domain: [low, high], scale, ticks: [texts] }");
/** `string | Axis`. */
export const AXIS = either(TEXT, {
  accepts: (v) => AXIS_OBJECT.accepts(v) && !((v as Axis).scale === "log" && ((v as Axis).domain?.[0] ?? 1) <= 0),
  describe: `${AXIS_OBJECT.describe}, above 0 for a log scale`,
});
/** An axis of a histogram or of bars, which is linear. */
export const UNSCALED_AXIS = either(TEXT, fields(UNSCALED, "{ label, unit, domain: [low, high] }"));
/** `string | IndexAxis`. */
export const INDEX_AXIS = either(TEXT, fields<IndexAxis>({ label: TEXT, ticks: TEXTS }, "{ label, ticks: [texts] }"));
/** `ColorScale`. */
export const COLOR = fields<ColorScale>(
  { label: TEXT, unit: TEXT, scheme: oneOf(["RdBu", "Blues", "Viridis"]), domain: DOMAIN },
  '{ label, unit, scheme: "RdBu", "Blues" or "Viridis", domain: [low, high] }',
);
export { DOMAIN };

const REFERENCE: Kind = {
  accepts: (v) => {
    const { kind, label, ...at } = (OBJECT.accepts(v) ? v : {}) as ReferenceLine & Record<string, unknown>;
    if (!TEXT.accepts(label)) return false;
    const named = kind === "slope" ? ["slope", "intercept"] : ["at"];
    const values = named.map((name) => (name === "intercept" && at[name] === undefined ? 0 : at[name]));
    return ["slope", "x", "y"].includes(kind) && values.every(NUMBER.accepts);
  },
  describe: "",
};

/** Reference lines. */
export const REFERENCES = listOf(
  REFERENCE,
  'lines { kind: "x" or "y", at, label } or { kind: "slope", slope, intercept, label }',
);

/** @throws ArgumentError unless these are the texts of tokens */
export function checkTokens(tokens: unknown): asserts tokens is readonly string[] {
  if (Array.isArray(tokens) && Array.from(tokens).every(TEXT.accepts)) return;
  throw new ArgumentError(
    `The tokens must be a list of their texts, as toStrTokens returns them, not ${shown(tokens)}.`,
    {
      asked: tokens,
    },
  );
}
