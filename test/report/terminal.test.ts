/** Pictures in a terminal with colours: real findings at 80 columns and 24 lines. */
import { beforeAll, describe, expect, test } from "vitest";
import { analysisCalled, attentionHeads, HookedTransformer, render } from "../../src/node.ts";
import { escapeProse } from "../../src/report/escape.ts";
import { ANSI } from "../../src/report/ink.ts";
import { pictureText } from "../../src/report/terminal/picture.ts";
import { textWidth, wordsOf } from "../../src/report/token-text.ts";
import { shown } from "../ansi.ts";

const COLOR = "\x1b[48;2;";
const HALF = "▀";

let model: HookedTransformer;
beforeAll(async () => {
  model = await HookedTransformer.fromPretrained("gelu-3l-novels");
});

/** What a terminal gets of an analysis. */
async function screen(name: string, options: object = {}, color = true): Promise<string[]> {
  const finding = await analysisCalled(name).run(model, options);
  return (await render(finding, "text", { text: { lines: 24, width: 80, color } })).trimEnd().split("\n");
}

const LONG = "The old man shook his head, and said that he would not go to the house again. ".repeat(8);

describe("a terminal with colours", () => {
  test.each([
    ["look", {}],
    ["look", { prompt: LONG }],
    ["logit-lens", {}],
    ["logit-lens", { prompt: LONG }],
    ["attention-patterns", {}],
    ["attention-patterns", { prompt: LONG }],
    ["attention-patterns", { prompt: "Yes" }],
  ])("draws a picture of %s %o in 24 lines of 80 columns", async (name, options) => {
    const lines = await screen(name, options);
    expect(lines.some((line) => line.includes(COLOR))).toBe(true);
    expect(lines.length).toBeLessThanOrEqual(24);
    expect(Math.max(...lines.map((line) => textWidth(shown(line))))).toBeLessThanOrEqual(80);
    expect(lines.join("\n")).toContain("Not shown:");
  });

  test("shows the most probable token of each layer after the last positions, and how many positions that are", async () => {
    const whole = (await screen("logit-lens", { prompt: "He smiled, and shook his" })).map(shown);
    const lines = whole.slice(whole.findIndex((line) => line.startsWith("next ")));
    expect(lines.find((line) => line.startsWith("final_post"))).toMatch(/␣head *$/);
    expect(lines.find((line) => line.startsWith("reads"))).toMatch(/<\|BOS\|> +He +␣smiled .*␣his *$/);
    expect(lines.findIndex((line) => line.startsWith("final_post"))).toBeLessThan(
      lines.findIndex((line) => line.startsWith("0_pre")),
    );
    expect(lines.join("\n")).not.toContain("shown: the last");
    expect((await screen("logit-lens", { prompt: LONG })).map(shown).join("\n")).toMatch(
      /shown: the last \d+ of \d+ positions/,
    );
  });

  test("underlines the top tokens that are the right next ones", async () => {
    const finding = await analysisCalled("logit-lens").run(model, {});
    const lines = (await render(finding, "text", { text: { lines: 24, width: 80, color: true } })).split("\n");
    const last = lines.find((line) => line.includes(COLOR) && shown(line).startsWith("final_post"))!;
    const [, underlined] = last.split("\x1b[4m");
    expect(underlined.split("\x1b[24m")[0]).toMatch(/^␣?[\w,.]+$/);
    expect(lines.map(shown).join("\n")).toContain("underlined: the right next token");
  });

  test("shows some of many layers, with the first and the last, and says how many", () => {
    const cell = { top: [{ token: "a", probability: 0.5 }] };
    const layers = Array.from({ length: 40 }, (_, i) => ({ name: `L${i}`, cells: [cell, cell] }));
    const spec = { kind: "logit-lens" as const, name: "lens", title: "", tokens: ["x", "y"], layers };
    const lines = pictureText(spec, { width: 80, lines: 12, ink: ANSI }).map(shown);
    expect(lines.length).toBeGreaterThan(10);
    expect(lines[0]).toMatch(/^L39 /);
    expect(lines.join("\n")).toMatch(/^L0 /m);
    expect(lines.at(-1)).toContain("shown: 9 of 40 rows");
  });

  test("draws one attention head, which it names, with its tokens and their positions", async () => {
    const lines = await screen("attention-patterns");
    const text = lines.map(shown).join("\n");
    expect(text).toContain("L2H2, the highest of 12 heads in induction: attention 0 ");
    expect(text).toMatch(/^ 4 ␣asked +␣the +/m);
    expect(lines.filter((line) => line.includes(HALF)).length).toBeGreaterThan(8);
  });

  test("draws the head that a picture is about, as large cells where the text is short", () => {
    const tokens = ["a", "b", "c", "d"];
    const pattern = (at: number) =>
      tokens.map((_, q) => tokens.map((_, k) => (q === 0 ? +(k === 0) : +(k === (at ? q - 1 : q)))));
    const { spec } = attentionHeads(tokens, [pattern(0), pattern(1)], { focus: "H0" });
    const lines = pictureText(spec, { width: 80, lines: 10, ink: ANSI });
    expect(shown(lines.at(-1)!)).toMatch(/^H0: attention 0 +1$/);
    expect(shown(lines[0])).toMatch(/^ +a +b +c +d *$/);
    expect(lines.join("")).not.toContain(HALF);
    // The diagonal alone is dark: each row's last cell has another colour than those before it.
    const colors = lines.slice(2, 5).map((line) =>
      line
        .split(COLOR)
        .slice(1)
        .map((part) => part.split("m")[0]),
    );
    for (const row of colors) expect(row.filter((color) => color === row.at(-1))).toHaveLength(1);
  });

  test("says how many weights a cell stands for where the text is longer than the screen", async () => {
    const text = (await screen("attention-patterns", { prompt: LONG })).map(shown).join("\n");
    expect(text.replaceAll("\n", " ")).toMatch(/each cell is the largest of at least (\d+) × \1 weights/);
  });

  test("draws two rows of a heatmap in a line where all of them do not fit, and says what the colour is", () => {
    const values = Array.from({ length: 12 }, (_, layer) => Array.from({ length: 12 }, (_, head) => layer - head));
    const spec = {
      ...{ kind: "imshow" as const, name: "heads", title: "", values, x: { label: "head" }, y: { label: "layer" } },
      color: { label: "effect", unit: "nats" },
    };
    const lines = pictureText(spec, { width: 80, lines: 8, ink: ANSI });
    expect(lines).toHaveLength(8);
    expect(shown(lines[1])).toMatch(/^0 +1 +▀{36}$/);
    expect(shown(lines.at(-1)!)).toMatch(/^effect \(nats\) −11 +11 · rows: layer, columns: head$/);
    expect(pictureText(spec, { width: 80, lines: 7, ink: ANSI })).toEqual([]);
  });

  test("draws a text on its colours over several lines, and cuts it where the room ends", async () => {
    const lines = await screen("look", { prompt: LONG });
    const first = lines.findIndex((line) => line.includes(COLOR));
    const strip = lines.slice(
      first,
      lines.findIndex((line) => shown(line).startsWith("surprise (nats) 0")),
    );
    expect(strip.length).toBeGreaterThan(1);
    expect(shown(strip.at(-1)!)).toMatch(/…$/);
  });
});

test("without colours no picture is drawn, and the table has its rows", async () => {
  const lines = await screen("attention-patterns", {}, false);
  expect(lines.join("\n")).not.toContain("\x1b");
  expect(lines.some((line) => line.startsWith("L0H0"))).toBe(true);
});

test("a line breaks neither before a percent sign, nor within a token's quotes, nor in p = 0.05, in a terminal and on a page", () => {
  const text = "It expects “ head” with 88.1 %, p = 0.05, p < 0.001 and x = −2, where a = b";
  expect(wordsOf(text)).toEqual([
    "It",
    "expects",
    "“ head”",
    "with",
    "88.1 %,",
    "p = 0.05,",
    "p < 0.001",
    "and",
    "x = −2,",
    "where",
    "a",
    "=",
    "b",
  ]);
  expect(escapeProse(text).split(" ")).toEqual(
    wordsOf(text).map((word) => word.replaceAll(" ", "\u00a0").replace("<", "&lt;")),
  );
});
