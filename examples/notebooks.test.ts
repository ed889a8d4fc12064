/** The notebooks for Deno's Jupyter kernel: their cells run in order, and give what is saved under them. */
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { type CellOutput, type CodeCell, codeCells, runCells } from "../test/notebook.ts";

const golden = JSON.parse(readFileSync(new URL("../test/goldens/seed_run.json", import.meta.url), "utf8"));

const NUMBER = /-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/g;

/** The same words and, nearly, the same numbers; spaces do not count, as consoles break lines differently. */
function sameText(found: string, saved: string): void {
  const words = (text: string) => text.replace(/\s/g, "").replace(NUMBER, "#");
  const numbers = (text: string) => [...text.matchAll(NUMBER)].map(([number]) => Number(number));
  expect(words(found)).toBe(words(saved));
  numbers(found).forEach((x, i) => {
    const y = numbers(saved)[i];
    expect(Math.abs(x - y), `${x} and ${y}`).toBeLessThanOrEqual(1e-3 * Math.max(1, Math.abs(y)));
  });
}

describe.each(["first-steps.ipynb", "seed-notebook.ipynb"])("%s", (name) => {
  let cells: CodeCell[];
  let outputs: CellOutput[];
  beforeAll(async () => {
    cells = codeCells(name);
    outputs = await runCells(cells);
  });

  test("runs from the first cell to the last", () => {
    expect(cells.length).toBeGreaterThan(8);
    expect(outputs).toHaveLength(cells.length);
  });

  test("prints and shows what is saved", () => {
    outputs.forEach(({ printed, result }, i) => {
      const { saved } = cells[i];
      sameText(printed, saved.printed);
      sameText(result["text/plain"] ?? "", saved.result["text/plain"] ?? "");
      expect(Object.keys(result), cells[i].source).toEqual(expect.arrayContaining(Object.keys(saved.result)));
    });
  });
});

test("the seed's notebook has TransformerLens' ten positions in the same order", () => {
  const printed = codeCells("seed-notebook.ipynb").map(({ saved }) => saved.printed);
  const top = printed.find((text) => text.startsWith("["))!;
  expect(JSON.parse(/^\[[^\]]*\]/.exec(top)![0])).toEqual(golden.top10_flat);
});
