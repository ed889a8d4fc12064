import { describe, expect, it } from "vitest";
import { attentionHeads, render, renderText } from "../../src/report/index.ts";
import { textWidth, visibleToken } from "../../src/report/token-text.ts";
import { nastyFinding } from "./nasty.ts";
import { threeTokens } from "./patterns.ts";
import { seedFinding } from "./seed-finding.ts";

const seed = seedFinding();
const lines = (text: string) => text.split("\n");

describe("a finding in a terminal", () => {
  it("begins with the question and the answer, and what the answer is compared with", () => {
    expect(lines(renderText(seed)).slice(0, 7)).toEqual([
      "Which tokens does the MLP layer matter for, even though no single neuron stands",
      "out?",
      "",
      "The ten positions with the highest score have a largest neuron that carries",
      "3.5 % of the MLP's attribution on average, against 12.7 % over all positions.",
      "  Compared with all positions: 12.7 %.",
      "- mlp.ln multiplies by 301.4 at the top ten positions and by 254.4 at the",
    ]);
  });

  it("aligns numbers on the right, with decimal points under each other", () => {
    const table = lines(renderText(seed));
    const at = table.findIndex((row) => row.startsWith("    16    4  ␣sleep"));
    expect(table.slice(at - 3, at + 2)).toEqual([
      "                                         effect   outlier  outlier",
      "prompt  pos  token   text                (nats)    before    after  ratio  score",
      "──────  ───  ──────  ────────────────  ────────  ────────  ───────  ─────  ─────",
      "    16    4  ␣sleep  The cat is slee…     2.066  0.008895    2.684  301.8  232.3",
      "    30    8  aur     We had dinner a…     1.455  0.006480    1.989  306.9  224.5",
    ]);
  });

  it("never writes past the available width", () => {
    for (const width of [40, 80, 120]) {
      for (const line of lines(renderText(seed, { width }))) expect(textWidth(line)).toBeLessThanOrEqual(width);
    }
  });

  it("says which columns and how many rows it left out", () => {
    const text = renderText(seed, { width: 40, maxRows: 5 });
    expect(text).toContain("… and 5 more rows");
    expect(text.replace(/\s+/g, " ")).toContain(
      "… and columns that do not fit: outlier before, outlier after, ratio, score",
    );
  });

  it("uses colour only if asked", () => {
    expect(renderText(seed)).not.toContain("\x1b");
    expect(renderText(seed, { color: true })).toContain("\x1b[1mCaveats\x1b[22m");
  });

  it("lets no token move the cursor or reverse the line", () => {
    const text = renderText(nastyFinding);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
    expect(text.replaceAll("\n", "")).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202a-\u202e]/);
    expect(text).toContain("⟨U+202E⟩evil");
  });
});

describe("a token's text", () => {
  it("shows what would be invisible", () => {
    expect([" a ", "\n\n", "\r", "\x07", "", "\u200b", "\ud83d", "é"].map((token) => visibleToken(token))).toEqual([
      "␣a␣",
      "⏎⏎",
      "␍",
      "␇",
      "∅",
      "⟨U+200B⟩",
      "\ufffd",
      "é",
    ]);
  });

  it("counts wide characters twice and combining ones not at all", () => {
    expect(["ab", "日本", "🙂", "e\u0301"].map(textWidth)).toEqual([2, 4, 2, 1]);
  });
});

describe("render", () => {
  it("returns the finding as JSON", async () => {
    expect(JSON.parse(await render(seed, "json"))).toEqual(seed);
  });

  it("names the closest match for a format that does not exist", async () => {
    await expect(render(seed, "htm" as "html")).rejects.toThrow(
      'There is no report format "htm". Did you mean "html"?',
    );
  });
});

describe("pictures of tokens in a terminal", () => {
  const bare = { ...nastyFinding, parts: [], tables: [] };

  it("are tables of their most important numbers where there is no other table", () => {
    const heads = attentionHeads(threeTokens.tokens, threeTokens.patterns, { layers: 0, title: "Heads" });
    const text = renderText({ ...bare, pictures: [heads.spec] });
    expect(text).toContain("L0H0  0.667     0.875   0.417");
    expect(text).toContain("The picture itself is in the HTML, SVG and PNG reports.");
  });

  it("are left out where the finding has its own tables", () => {
    const heads = attentionHeads(threeTokens.tokens, threeTokens.patterns, { layers: 0, title: "Heads" });
    const { part: _, ...table } = seed.tables[0];
    expect(renderText({ ...seed, parts: [], tables: [table], pictures: [heads.spec] })).not.toContain("L0H0");
  });

  it("let no token move the cursor", () => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
    expect(renderText(bare).replaceAll("\n", "")).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202a-\u202e]/);
    for (const line of lines(renderText(bare, { width: 60 }))) expect(textWidth(line)).toBeLessThanOrEqual(60);
  });
});
