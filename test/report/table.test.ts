import { describe, expect, it } from "vitest";
import { as, column, rowsOf, tableOf } from "../../src/finding/table.ts";

const about = { name: "heads", title: "Heads" };
const rows = [
  { layer: 0, head: 1, score: 0.25 },
  { layer: 1, head: 0, score: null },
];
const LAYER = column("layer", "The layer, from 0.", { axis: "layer", format: "integer" });

describe("a table", () => {
  it("takes a column's cells from the field of its name, from a field that is named, or from a function", () => {
    const SCORE = column("best_score", "How high it is.", { digits: 2 });
    const double = column("double", "Twice the score.");
    const table = tableOf(about, rows, [LAYER, [SCORE, "score"], [double, ({ score }) => score && 2 * score]]);
    expect(rowsOf([table], "heads")).toEqual([
      { layer: 0, best_score: 0.25, double: 0.5 },
      { layer: 1, best_score: null, double: null },
    ]);
  });

  it("has headings that are the columns' names, unless they have one of their own", () => {
    expect(column("log_prob", "It.", { unit: "nats", digits: 3 })).toEqual({
      ...{ name: "log_prob", title: "log prob", unit: "nats", format: { digits: 3 }, description: "It." },
    });
    expect(column("x", "It.", { title: "place" }).title).toBe("place");
    expect(as(LAYER, "Where it is.")).toEqual({ ...LAYER, description: "Where it is." });
    expect(as(LAYER, { name: "from", digits: 1 })).toEqual({ ...LAYER, name: "from", format: { digits: 1 } });
  });

  it("says which field its rows lack", () => {
    const cells = [column("layr", "The layer.")] as never;
    expect(() => tableOf(about, rows, cells)).toThrow(
      'There is no field of a row of table "heads" "layr". Did you mean "layer"?',
    );
  });

  it("lets no column stand alone whose field is missing or no cell, to the compiler", () => {
    // @ts-expect-error no row has this field
    expect(() => tableOf(about, rows, [column("neuron", "The neuron.")])).toThrow("neuron");
    const nested = [{ layer: 0, tokens: ["a"] }];
    // @ts-expect-error a cell cannot hold a list
    expect(tableOf(about, nested, [column("tokens", "The tokens.")]).columns).toHaveLength(1);
  });
});
