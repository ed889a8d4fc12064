/** The commands `tokens` and `generate`, in their own processes, and what every command prints where. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HookedTransformer } from "../../src/node.ts";
import { Cli } from "./process.ts";

let cli: Cli;
let glassformer: Cli["run"];
let model: HookedTransformer;
beforeAll(async () => {
  cli = await Cli.build();
  glassformer = cli.run;
  model = await HookedTransformer.fromPretrained("solu-1l-novels");
});
afterAll(() => cli?.remove());

describe("glassformer tokens", () => {
  it("prints the model's tokens with positions and ids, in columns that fit", async () => {
    const { code, stdout } = await glassformer(["tokens", "The old man"]);
    expect(code).toBe(0);
    const ids = Array.from(model.toTokens("The old man").data);
    const rows = ids.map((id, i) => [`${i}`, ["<|BOS|>", "The", "␣old", "␣man"][i], `${id}`]);
    expect(stdout.split(/\s+/).slice(4, -1).toSorted()).toEqual(rows.flat().toSorted());
    expect(stdout).toMatch(/^4 tokens of solu-1l-novels\n\n/);
    const long = await glassformer(["tokens", "a long text of many words ".repeat(30)]);
    expect(Math.max(...long.stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it("says which part of a character a token is, as JSON and in columns, from standard input", async () => {
    const input = "日 x\n";
    const { tokens, count } = JSON.parse((await glassformer(["tokens", "--prompt", "-", "--json"], { input })).stdout);
    const ids = Array.from(model.toTokens("日 x").data);
    expect(tokens.map(({ id }: { id: number }) => id)).toEqual(ids);
    expect(count).toBe(ids.length);
    expect(tokens.slice(1, 4).map(({ text }: { text: string }) => text)).toEqual(["日¹⁄₃", "日²⁄₃", "日³⁄₃"]);
    expect((await glassformer(["tokens", "日 x"])).stdout).toContain("日¹⁄₃");
  });
});

describe("glassformer generate", () => {
  const options = { maxNewTokens: 12, temperature: 0.8, topK: 20, seed: 3 };

  it("prints what model.generate returns for the same options", async () => {
    const args = ["--max-new-tokens", "12", "--temperature", "0.8", "--top-k", "20", "--seed", "3"];
    const { code, stdout, stderr } = await glassformer(["generate", "She opened the letter", ...args]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toBe(`${await model.generate("She opened the letter", options)}\n`);
  });

  it("refuses a prompt that leaves no room, before it prints anything", async () => {
    const { code, stdout, stderr } = await glassformer(["generate", "word ".repeat(300)]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/context holds 256/);
  });
});

describe("every command", () => {
  it("has the same help by help and by --help, and help alone is the help", async () => {
    const [by, as] = await Promise.all([glassformer(["help", "tokens"]), glassformer(["tokens", "--help"])]);
    expect(by).toEqual(as);
    expect(by.stdout).toContain("Usage: glassformer tokens");
    expect((await glassformer(["help"])).stdout).toBe((await glassformer(["--help"])).stdout);
  });

  it("lists no files with --quiet, and writes them all the same", async () => {
    const args = ["logit-lens", "The old man", "--out", "quiet.json"];
    expect((await glassformer(args)).stderr).toBe("Wrote quiet.json\n");
    expect(await glassformer([...args, "--quiet"])).toMatchObject({ code: 0, stderr: "" });
    expect(await glassformer(["--quiet", ...args])).toMatchObject({ code: 0, stderr: "" });
  });

  it("has colours with FORCE_COLOR, which wins over NO_COLOR, and none with --no-color or FORCE_COLOR=0", async () => {
    const text = async (env: Record<string, string>, ...more: string[]) =>
      (await glassformer(["tokens", "The old man", ...more], { env })).stdout;
    const plain = await text({});
    const coloured = await text({ FORCE_COLOR: "1" });
    expect(plain).not.toContain("\x1b");
    expect(coloured).toContain("\x1b[");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control characters
    expect(coloured.replace(/\x1b\[\d+m/g, "")).toBe(plain);
    expect(await text({ FORCE_COLOR: "1" }, "--no-color")).toBe(plain);
    const before = ["--no-color", "--quiet", "tokens", "The old man"];
    expect(await glassformer(before, { env: { FORCE_COLOR: "1" } })).toMatchObject({ code: 0, stdout: plain });
    expect((await glassformer(["--no-color", "help", "tokens"])).stdout).toContain("Usage: glassformer tokens");
    expect((await glassformer(["--quiet", "toknes"])).stderr).toContain('no command "toknes"');
    expect(await text({ FORCE_COLOR: "0" })).toBe(plain);
  });
});
