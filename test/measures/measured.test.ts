import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { Measured } from "../../src/measures/measured.ts";

const effects = Measured.of(
  [
    { layer: 0, head: 0, component: "L0H0", effect: 0.25 },
    { layer: 0, head: 1, component: "L0H1", effect: -2 },
    { layer: 1, head: 0, component: "L1H0", effect: 1 / 3 },
    { layer: 1, head: 1, component: "L1H1", effect: Number.NaN },
  ],
  { clean: 3.5, unit: "nats" },
);

test("rows are plain objects that a loop takes, next to what belongs to the whole", () => {
  expect([...effects].map(({ component }) => component)).toEqual(["L0H0", "L0H1", "L1H0", "L1H1"]);
  expect(effects.rows[2]).toEqual({ layer: 1, head: 0, component: "L1H0", effect: 1 / 3 });
  expect([effects.length, effects.columns, effects.clean]).toEqual([4, ["layer", "head", "component", "effect"], 3.5]);
  expect(JSON.parse(JSON.stringify(effects))).toMatchObject({
    clean: 3.5,
    unit: "nats",
    rows: [{ head: 0 }, { head: 1 }, {}, {}],
  });
});

describe("top", () => {
  const named = (rows: Iterable<{ component: string }>) => [...rows].map(({ component }) => component);

  test("has the largest first, by a column or a function, and leaves out what is not a number", () => {
    expect(named(effects.top(2, "effect"))).toEqual(["L1H0", "L0H0"]);
    expect(named(effects.top(9, "effect"))).toEqual(["L1H0", "L0H0", "L0H1"]);
    expect(named(effects.top(2, ({ effect }) => Math.abs(effect)))).toEqual(["L0H1", "L1H0"]);
    expect(named(effects.top(1, "effect", { smallest: true }))).toEqual(["L0H1"]);
    expect(named(effects.where({ layer: 0 }).top(1, "effect"))).toEqual(["L0H0"]);
  });

  test("puts many rows in the same order as few: of equal ones the earlier first, without those that have no number", () => {
    const rows = Array.from({ length: 500 }, (_, i) => ({ i, x: i % 7 === 0 ? null : (i * i) % 31 }));
    const all = new Measured(rows).top(500, "x");
    const expected = rows.filter(({ x }) => x !== null).sort((a, b) => b.x! - a.x! || a.i - b.i);
    expect(all.rows).toEqual(expected);
    expect(new Measured(rows).top(20, "x").rows).toEqual(expected.slice(0, 20));
  });

  test("refuses a column that does not exist or has no numbers, and a number of rows that is none", () => {
    expect(() => effects.top(1, "efect" as never)).toThrow('There is no column "efect". Did you mean "effect"?');
    expect(() => effects.top(1, "component")).toThrow(
      "The column component holds texts, of which none is the largest: choose layer, head or effect.",
    );
    expect(() => effects.top(0, "effect")).toThrow("The number of rows of top must be a positive whole number, not 0.");
    expect(() => effects.top(1, undefined as never)).toThrow(/name of a column, or a function of a row, not undefined/);
    expect(() => effects.top(1, "effect", { smalest: true } as never)).toThrow(/Did you mean "smallest"/);
  });
});

describe("at", () => {
  test("is the row at a place", () => {
    expect(effects.at({ layer: 1, head: 0 }).component).toBe("L1H0");
    expect(effects.at({ component: "L0H1" }).effect).toBe(-2);
  });

  test("says what there is where there is no such row, and what else to name where there are several", () => {
    expect(() => effects.at({ layer: 2, head: 0 })).toThrow("There is no row with layer 2: layer is 0 or 1.");
    expect(() => effects.where({ layer: 0 }).at({ layer: 0, head: 7 })).toThrow(
      "There is no row with head 7: head with layer 0 is 0 or 1.",
    );
    expect(() => effects.at({ heads: 1 } as never)).toThrow('There is no column "heads". Did you mean "head"?');
    expect(() => effects.at({ layer: 1 })).toThrow(
      "2 rows have layer 1: say also head, component or effect, or take all of them with where.",
    );
    expect(() => effects.at("L0H0" as never)).toThrow('A place must be an object, not "L0H0".');
    expect(() => new Measured<{ layer: number }>([]).at({ layer: 0 })).toThrow(
      "There are no rows: nothing was measured.",
    );
  });
});

test("rows that differ in their axes have the columns of all", () => {
  const places = new Measured<{ site: string; pos?: number; head?: number; estimated: number }>([
    { site: "mlp_out", pos: 2, estimated: 1 },
    { site: "z", head: 3, estimated: 2 },
  ]);
  expect(places.columns).toEqual(["site", "pos", "estimated", "head"]);
  expect(places.at({ head: 3 }).site).toBe("z");
});

test("rows of which there are millions are made as they are asked for", () => {
  let made = 0;
  const row = (pos: number) => {
    made++;
    return { pos, loss: pos % 1000 };
  };
  const many = new Measured({ length: 1e9, columns: ["pos", "loss"], row });
  expect(many.length).toBe(1e9);
  inspect(many);
  expect(made).toBeLessThan(20);
});

test("a console shows the first rows as a table", () => {
  expect(inspect(effects)).toBe(
    [
      "4 rows; clean 3.5, unit nats",
      "layer  head  component  effect",
      "    0     0  L0H0         0.25",
      "    0     1  L0H1           -2",
      "    1     0  L1H0       0.3333",
      "    1     1  L1H1          NaN",
    ].join("\n"),
  );
  expect(inspect({ effects })).toContain("Measured(4 rows, layer, head, component, effect)");
  const tokens = new Measured(Array.from({ length: 9 }, (_, pos) => ({ pos, token: "a\nb", next: null })));
  expect(inspect(tokens).split("\n").slice(-2)).toEqual(["  7  a⏎b       –", "… 1 more row"]);
  const wide = new Measured([Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`column_${i}`, i]))]);
  expect(
    Math.max(
      ...inspect(wide)
        .split("\n")
        .slice(0, 3)
        .map((line) => line.length),
    ),
  ).toBeLessThanOrEqual(80);
  expect(inspect(wide).split("\n").at(-1)).toMatch(/^… and column_8, .* and column_19$/);
});
