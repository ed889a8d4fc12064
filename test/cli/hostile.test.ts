/** Text from files is never trusted: a hostile model and hostile arguments, through every command and every format. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ANALYSES, analysisCalled } from "../../src/analyses/index.ts";
import { outcomeOf } from "../../src/cli/exit.ts";
import { runCommand } from "../../src/cli/program.ts";
import { tell } from "../../src/cli/terminal.ts";
import { IOI_NAMES } from "../../src/measures/ioi/prompts.ts";
import { HookedTransformer } from "../../src/node.ts";
import { randomDictionary } from "../dictionaries/random-dictionary.ts";
import { HOSTILE, hostileModel } from "../report/hostile-model.ts";

let folder: string;
let model: string;
let dictionary: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "glassformer-hostile-"));
  // First of the analyses that compare two prompts: which words the model takes them for does not depend on the others.
  const ordered = [...ANALYSES].sort((a, b) => Number("clean" in b.options) - Number("clean" in a.options));
  const asked = ordered
    .flatMap(({ options }) => Object.values(options))
    .flatMap((option) => ("default" in option ? [option.default].flat().map(String) : []));
  model = hostileModel(folder, [...asked.flatMap((text) => text.split(" ").filter(Boolean)), ...IOI_NAMES]);
  dictionary = join(folder, "d\x1b[31m\u202e");
  mkdirSync(dictionary);
  const { cfg } = await HookedTransformer.fromPretrained(model);
  const files = randomDictionary("blocks.0.hook_mlp_out", cfg.dModel).toFiles();
  for (const [name, bytes] of files) writeFileSync(join(dictionary, name), bytes);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What no output may contain: controls, line separators, characters that change direction, unpaired surrogates, noncharacters. */
const RAW = /(?!\n)[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Noncharacter_Code_Point}\p{Surrogate}]/u;

/** What main.ts writes to stdout and stderr, and its exit code. */
async function run(...args: readonly string[]): Promise<{ stdout: string; stderr: string; code: number }> {
  let stdout = "";
  let stderr = "";
  const stream = (write: (text: string) => void) => ({ columns: 80, isTTY: false, write }) as never;
  const error = stream((text) => (stderr += text));
  const code = await runCommand(args, { stdout: stream((text) => (stdout += text)), stderr: error }).then(
    () => 0,
    (thrown) => {
      const { message, exitCode } = outcomeOf(thrown);
      tell(error, `glassformer: ${message}`);
      return exitCode;
    },
  );
  return { stdout, stderr, code };
}

describe("a model whose every word is an attack", () => {
  it.each(ANALYSES.map(({ name }) => name))(
    "is reported by %s without a raw control character in any format",
    async (name) => {
      const files = ["html", "json", "csv", "svg", "txt"].map((ending) => join(folder, `${name}.${ending}`));
      const { options } = analysisCalled(name);
      const own = [
        ...(name === "ioi" ? ["--samples", "4"] : []),
        ...("dictionary" in options ? ["--dictionary", dictionary] : []),
      ];
      const { stdout, stderr, code } = await run(name, "--full", "--model", model, ...own, "--out", ...files);
      expect(stdout).not.toMatch(RAW);
      expect(stderr).not.toMatch(RAW);
      expect(code, stderr).toBe(0);
      for (const file of files) {
        const text = readFileSync(file, "utf8");
        const found = RAW.exec(file.endsWith("csv") ? text.replaceAll("\r\n", "\n").replaceAll("\t", " ") : text);
        expect(
          found &&
            `${found.index} of ${text.length}: ` +
              JSON.stringify(text.slice(Math.max(0, found.index - 60), found.index + 10)),
          file,
        ).toBe(null);
      }
      const told = JSON.stringify(JSON.parse(readFileSync(files[1], "utf8")));
      expect(HOSTILE.some((text) => told.includes(JSON.stringify(text).slice(1, -1)))).toBe(true);
    },
  );
});

describe("a wrong argument is repeated without its control characters:", () => {
  const evil = "e\x1b[2J\x1b]0;owned\x07\r\u202e\u0085\u2028\x9b31m";
  it.each<[string, () => string[]]>([
    ["a command", () => [evil]],
    ["an option", () => ["logit-lens", `--${evil}`]],
    ["an option's value", () => ["logit-lens", "--top", evil]],
    ["an option's long value", () => ["logit-lens", "--top", "a".repeat(3000)]],
    ["a choice", () => ["train", "--out", "x", "--task", evil]],
    ["a model", () => ["logit-lens", "--model", evil]],
    ["a prompt", () => ["logit-lens", "--prompt", evil.repeat(300)]],
    ["a report", () => ["logit-lens", "--out", evil]],
    ["a report's folder", () => ["logit-lens", "--out", `${evil}/x.html`]],
    ["a file of prompts", () => ["diffuse-mlp", "--prompts", evil]],
    ["a text", () => ["train", evil, "--out", "x"]],
    ["an answer", () => ["direct-logit-attribution", "--answer", evil]],
    [
      "a configuration",
      () => {
        const path = join(folder, `cfg${"\x1b[31m"}.json`);
        writeFileSync(path, JSON.stringify({ [evil]: 1 }));
        return ["train", "--task", "modular-addition", "--config", path, "--out", "x"];
      },
    ],
  ])("%s", async (_what, args) => {
    const { stdout, stderr, code } = await run(...args());
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).not.toMatch(RAW);
    expect(stderr).toMatch(/^glassformer: .+\n$/);
    expect(stderr.length).toBeLessThan(2100);
    expect(stderr).not.toMatch(/a{200}/);
  });
});
