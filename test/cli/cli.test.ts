/** The command as people run it: built, in its own process. */

import { execFileSync, spawn } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ANALYSES } from "../../src/analyses/index.ts";
import { rowsOf } from "../../src/finding/table.ts";
import { graphJson } from "../../src/measures/attribution-graph/json.ts";
import { differenceOf } from "../../src/measures/attribution-graph/targets.ts";
import { measureAttributionGraph } from "../../src/measures/attribution-graph.ts";
import { HookedTransformer } from "../../src/node.ts";
import type { Installed } from "../repository/installed.ts";
import { Cli, type Ended, type RunOptions } from "./process.ts";

const golden = (path: string) => new URL(`../goldens/${path}`, import.meta.url);

let there: Installed;
let folder: string;
let glassformer: Cli["run"];
let given: Cli["given"];
let cli: Cli;
beforeAll(async () => {
  cli = await Cli.build();
  ({ there, folder, run: glassformer, given } = cli);
});
afterAll(() => cli?.remove());

describe("glassformer attribution-graph", () => {
  it("writes the graph as other programs' pages read it, alone and among the files of a folder", async () => {
    const args = ["attribution-graph", "The lady was so tired that", "--answer", " she", "--wrong", " he"];
    const few = ["--max-feature-nodes", "40", "--out", "lady.graph.json", "--out", "figs/"];
    const { code, stderr } = await glassformer([...args, ...few]);
    expect(code).toBe(0);
    expect(stderr).toContain("Wrote lady.graph.json: the graph, as circuit-tracer's and Neuronpedia's pages read it\n");
    const model = await HookedTransformer.fromPretrained("gelu-3l-novels");
    const targets = [await differenceOf(model, " she", " he")];
    const measured = await measureAttributionGraph(model, { prompt: args[1], targets, maxFeatureNodes: 40 });
    const { graph, pruned, prompt } = measured;
    const about = { scan: "gelu-3l-novels", prompt: prompt.text, promptTokens: prompt.tokens, nLayers: 3 };
    const json = (slug: string) => graphJson(graph, pruned, { ...about, slug, nodeThreshold: 0.8 });
    const read = (path: string) => JSON.parse(readFileSync(join(folder, path), "utf8"));
    expect(read("lady.graph.json")).toEqual(json("lady.graph"));
    expect(read("figs/graph.graph.json")).toEqual(json("graph.graph"));
    expect(read("figs/graph.json")).toMatchObject({ kind: "graph", name: "graph" });
    rmSync(join(folder, "figs"), { recursive: true });
    rmSync(join(folder, "lady.graph.json"));
  });
});

describe("glassformer diffuse-mlp", () => {
  it("prints the answer and a table in 24 lines of 80 columns, with --full all tables and caveats, and nothing else", async () => {
    const few = await glassformer(["diffuse-mlp"]);
    const all = await glassformer(["diffuse-mlp", "--full"]);
    for (const { code, stdout, stderr } of [few, all]) {
      expect(stderr).toBe("");
      expect(code).toBe(0);
      expect(stdout).toMatch(/^Which tokens does the MLP layer matter for/);
      expect(stdout).toContain("fewer than the 32.5 that chance gives");
      expect(stdout).not.toContain("\x1b");
      expect(Math.max(...stdout.split("\n").map((line) => [...line].length))).toBeLessThanOrEqual(80);
    }
    expect(few.stdout.trimEnd().split("\n").length).toBeLessThanOrEqual(24);
    expect(few.stdout).toContain("--full prints them");
    expect(all.stdout).toMatch(/^ +16 +4 +␣sleep .* 232\.3$/m);
    expect(all.stdout).toContain("Prompt 9 is two sentences");
  });

  it("prints the finding as JSON with --json, from prompts on standard input", async () => {
    const { code, stdout } = await glassformer(
      ["diffuse-mlp", "--prompts", "-", "--json", "--top", "2", "--seed", "5"],
      {
        input: "The sun shines.\nShe sings beautifully.\n",
      },
    );
    expect(code).toBe(0);
    const finding = JSON.parse(stdout);
    expect(finding.settings).toMatchObject({ prompts: 2, top: 2, seed: 5, layer: 0, "exclude BOS": false });
    expect(rowsOf(finding.tables, "top")).toHaveLength(2);
  });

  it("writes every format that the file extensions ask for, and says so on stderr", async () => {
    const names = ["r.html", "r.json", "r.csv", "r.svg", "r.png", "r.txt"];
    const prompts = given(
      "three.json",
      JSON.stringify(["Dogs bark.", { text: "Birds fly." }, { prompt: "Time flies." }]),
    );
    const args = ["--prompts", prompts, "--exclude-bos", "--out", names[0], names[1], "--out", ...names.slice(2)];
    const { code, stdout, stderr } = await glassformer(["diffuse-mlp", "--full", ...args]);
    expect(code).toBe(0);
    const count = JSON.parse(readFileSync(join(folder, "r.json"), "utf8")).tables.length;
    const csv = `: the table "diffuse" of ${count}; --out with a folder's name, figs/, writes each`;
    expect(stderr).toBe(names.map((name) => `Wrote ${name}${name === "r.csv" ? csv : ""}\n`).join(""));
    const content = (name: string) => readFileSync(join(folder, name));
    expect(content("r.html").toString()).toMatch(/^<!doctype html>/i);
    expect(JSON.parse(content("r.json").toString()).settings["exclude BOS"]).toBe(true);
    expect(content("r.csv").toString()).toMatch(/^prompt,pos,/);
    expect(content("r.svg").toString()).toMatch(/^<svg /);
    expect([...content("r.png").subarray(0, 4)]).toEqual([0x89, 0x50, 0x4e, 0x47]);
    expect(content("r.txt").toString()).toBe(stdout);
  });

  it("writes each picture and each table to a folder, and says so in a line", async () => {
    const prompts = given("birds.txt", "Birds fly.\n");
    const { code, stderr } = await glassformer(["diffuse-mlp", "--prompts", prompts, "--out", "figs/"]);
    expect(code).toBe(0);
    const { pictures, tables } = JSON.parse(readFileSync(join(folder, "figs/finding.json"), "utf8"));
    expect(stderr).toBe(
      `Wrote report.html, finding.json, ${pictures.length} pictures as SVG, PNG and JSON, ${tables.length} tables as CSV and JSON to figs/\n`,
    );
    expect(readdirSync(join(folder, "figs"))).toHaveLength(2 + 3 * pictures.length + 2 * tables.length);
  });

  it("writes nothing to the user's home: no telemetry from the engine", async () => {
    const home = mkdtempSync(join(tmpdir(), "glassformer-home-"));
    const { code } = await glassformer(["diffuse-mlp", "--prompts", given("p.txt", "Cats meow.\n")], {
      env: { HOME: home },
    });
    expect(code).toBe(0);
    expect(readdirSync(home)).toEqual([]);
    rmSync(home, { recursive: true });
  });

  it("puts prompts into the model's chat template with --chat", async () => {
    const model = join(folder, "chatty");
    mkdirSync(model);
    for (const file of ["config.json", "model.safetensors"])
      copyFileSync(golden(`hf/llama-tiny/${file}`), join(model, file));
    const pieces = [..."▁abcdefghijklmnopqrstuvwxyz[]<>/", "<s>", "<unk>"];
    for (let id = pieces.length; id < 97; id++) pieces.push(`piece${id}`);
    const tokenizer = {
      model: {
        type: "BPE",
        vocab: Object.fromEntries(pieces.map((piece, id) => [piece, id])),
        merges: [],
        unk_token: "<unk>",
      },
      added_tokens: [{ id: pieces.indexOf("<s>"), content: "<s>", special: true }],
      normalizer: { type: "Replace", pattern: { String: " " }, content: "▁" },
    };
    writeFileSync(join(model, "tokenizer.json"), JSON.stringify(tokenizer));
    const config = {
      bos_token: "<s>",
      chat_template: "{{ bos_token }}{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}[bot]",
    };
    writeFileSync(join(model, "tokenizer_config.json"), JSON.stringify(config));
    const args = ["logit-lens", "--model", model, "--prompt", "hi", "--chat", "--json"];
    const { code, stdout, stderr } = await glassformer(args);
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(JSON.stringify(JSON.parse(stdout))).toContain("<s>[user]hi[bot]");
    const none = await glassformer(["logit-lens", "--chat"]);
    expect(none.code).not.toBe(0);
    expect(none.stderr).toMatch(/has no chat template/);
  });

  it("replaces an existing file", async () => {
    given("old.json", "old");
    const { code } = await glassformer([
      "diffuse-mlp",
      "--prompts",
      given("p.txt", "Cats meow.\n"),
      "--out",
      "old.json",
    ]);
    expect(code).toBe(0);
    expect(JSON.parse(readFileSync(join(folder, "old.json"), "utf8")).analysis).toBe("diffuse-mlp");
  });
});

describe("help", () => {
  it("fits 80 columns, names every option with its default, and has an example", async () => {
    const { code, stdout, stderr } = await glassformer(["diffuse-mlp", "--help"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    for (const option of ["model", "prompts", "layer", "top", "seed", "exclude-bos", "out", "json"]) {
      expect(stdout).toContain(`--${option}`);
    }
    expect(stdout.replace(/\s+/g, " ")).toContain('(default: "solu-1l-novels")');
    expect(stdout).toContain("$ glassformer diffuse-mlp --top 20 --out report.html");
  });

  it("of every command fits 80 columns, and so does the list of models", async () => {
    const { stdout: all } = await glassformer(["--help"]);
    const commands = [...all.matchAll(/^ {2}([a-z-]+) /gm)].map(([, name]) => name);
    expect(commands).toEqual(expect.arrayContaining([...ANALYSES.map(({ name }) => name), "train", "models"]));
    const helps = await Promise.all(commands.map(async (name) => (await glassformer([name, "--help"])).stdout));
    for (const text of [all, ...helps, (await glassformer(["models"])).stdout]) {
      expect(text.split("\n").filter((line) => line.length > 80)).toEqual([]);
    }
  });

  it("has examples that a shell reads as one command each, also over several lines", async () => {
    const { stdout } = await glassformer(["edge-attribution", "--help"]);
    const [, example] = /Example:\n {2}\$ ([\s\S]*)/.exec(stdout)!;
    expect(example).toMatch(/ \\\n +--/);
    const words = (command: string) => execFileSync("sh", ["-c", `printf '%s\\n' ${command}`], { encoding: "utf8" });
    const typed =
      '--clean "My sister was angry, because" --corrupted "My brother was angry, because" --out report.html';
    expect(words(example)).toBe(words(`glassformer edge-attribution ${typed}`));
  });

  it("lists the commands, and the version is the package's", async () => {
    expect((await glassformer(["--help"])).stdout).toMatch(/diffuse-mlp[\s\S]*models/);
    const { version } = JSON.parse(readFileSync(join(there.folder, "package.json"), "utf8"));
    expect((await glassformer(["--version"])).stdout).toBe(`${version}\n`);
  });

  it("says what keeping a model's weights in fewer bits costs", async () => {
    const { stdout } = await glassformer(["models", "--check"]);
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    const { costs } = JSON.parse((await glassformer(["models", "solu-1l-novels", "--check", "--json"])).stdout);
    const silent = await glassformer([
      "models",
      fileURLToPath(new URL("../goldens/hf/llama-tiny", import.meta.url)),
      "--check",
    ]);
    expect(silent.stdout).toContain("over 32 positions of random tokens, as it has no tokenizer.");
    expect(costs.map(({ dtype }: { dtype: string }) => dtype)).toEqual([
      "float32",
      "float16",
      "bfloat16",
      "int8",
      "int4",
    ]);
    const kl = costs.map((cost: { kl: number }) => cost.kl);
    expect(kl[0]).toBe(0);
    expect(kl.toSorted((a: number, b: number) => a - b)).toEqual(kl); // fewer bits cost more
    expect(kl[4]).toBeLessThan(0.2);
    expect(stdout).toMatch(/int4 +1\.87 MB +0\.16/);
  });

  it("opens a model with its weights in fewer bits", async () => {
    const finding = async (...more: string[]) =>
      JSON.parse((await glassformer(["logit-lens", "--prompt", "It was the best of", ...more, "--json"])).stdout);
    const [whole, kept] = [await finding(), await finding("--dtype", "int4")];
    expect(kept.tables.length).toBe(whole.tables.length);
    expect(kept.tables).not.toEqual(whole.tables);
  });

  it("opens a model with an adapter, whose configuration no report replaces", async () => {
    const [model, adapter] = ["hf/llama-tiny", "lora/llama-plain"].map((path) => fileURLToPath(golden(path)));
    const finding = async (...more: string[]) => {
      const ended = await glassformer(["induction-score", "--model", model, ...more, "--length", "5", "--json"]);
      expect(ended.stderr).toBe("");
      return JSON.parse(ended.stdout);
    };
    const [alone, adapted] = [await finding(), await finding("--adapter", adapter)];
    expect(JSON.stringify(adapted.caveats)).toContain(`The adapter ${adapter} is added to the weights of ${model}.`);
    expect(JSON.stringify(alone.caveats)).not.toContain("adapter");
    expect(adapted.tables).not.toEqual(alone.tables);
    const own = ["--out", join(adapter, "adapter_config.json")];
    const { code, stderr } = await glassformer(["induction-score", "--model", model, "--adapter", adapter, ...own]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/adapter_config\.json/)]);
  });

  it("lists the models that have short names", async () => {
    expect((await glassformer(["models"])).stdout).toMatch(
      /^solu-1l-novels \(comes with glassformer\)\ngelu-3l-novels \(comes with glassformer\)\n[\s\S]*NeelNanda\/SoLU_1L512W_C4_Code\n +solu-1l,/,
    );
    const listed = JSON.parse((await glassformer(["models", "--json"])).stdout);
    expect(listed.slice(0, 2)).toEqual([
      { id: "solu-1l-novels", aliases: ["bundled"], bundled: true },
      { id: "gelu-3l-novels", aliases: [], bundled: true },
    ]);
  });
});

describe("bad input is reported in a sentence, exits with 2 and leaves no file:", () => {
  const offline = { HF_HUB_OFFLINE: "1" };
  const cases: [what: string, args: () => string[], told: RegExp, options?: RunOptions][] = [
    ["no command", () => [], /^Usage: glassformer/],
    ["an unknown analysis", () => ["difuse-mlp"], /no command "difuse-mlp"\. Did you mean "diffuse-mlp"\?/],
    ["a misspelt command that is not an analysis", () => ["trian"], /no command "trian"\. Did you mean "train"\?/],
    ["a command that is near to none", () => ["foo"], /no command "foo"\. `glassformer --help` lists them\.$/m],
    ["the help of such a command", () => ["help", "foo"], /no command "foo"/],
    ["a command without its hyphen", () => ["logitlens"], /no command "logitlens"\. Did you mean "logit-lens"\?/],
    ["an extension that is near to none", () => ["diffuse-mlp", "--out", "x.gif"], /ends in "\.gif".*one of [^?]*$/],
    [
      "a text without quotes",
      () => ["tokens", "the", "cat"],
      /Too many arguments.*A text of several words needs quotes/,
    ],
    ["a prompt given twice", () => ["logit-lens", "a b", "--prompt", "c d"], /"a b" and --prompt "c d" both say/],
    [
      "an option that means nothing with another",
      () => ["generate", "--temperature", "0", "--top-k", "5"],
      /--top-k does not apply with --temperature 0, which takes/,
    ],
    [
      "two options that exclude each other",
      () => ["logit-lens", "--json", "--full"],
      /--json does not apply with --full/,
    ],
    [
      "an option of an analysis that means nothing with another",
      () => ["ablation", "--layer", "0", "--over", "heads"],
      /--layer only applies with --over neurons or --over positions: leave it out/,
    ],
    ["a seed of nothing", () => ["ablation", "--seed", "1"], /--seed only applies with --by resample: leave it out/],
    ["more than there are", () => ["test-prompt", "--top", "99999"], /top must be a whole number from 1 to 4096/],
    ["more heads than there are", () => ["head-detector", "--top", "50"], /top must be a whole number from 1 to 12,/],
    [
      "more vectors than there are",
      () => ["singular-vectors", "--vectors", "1000"],
      /vectors must be .* from 1 to 64,/,
    ],
    [
      "two prompts from standard input",
      () => ["activation-patching", "--clean", "-", "--corrupted", "-"],
      /--clean and --corrupted cannot both be standard input/,
    ],
    ["a shell that is near to none", () => ["completion", "tcsh"], /There are bash, zsh, fish/],
    [
      "a model of a kind that cannot be opened",
      () => ["tokens", "--model", "mamba-130m"],
      /Mamba architecture, which is known but cannot be opened yet: it needs state-space layers/,
    ],
    ["an unknown option", () => ["diffuse-mlp", "--laier", "1"], /Unknown option '--laier' \(Did you mean --layer\?\)/],
    ["a number that is not one", () => ["diffuse-mlp", "--top", "ten"], /--top <K>.*'ten'.*whole number/],
    [
      "a layer out of range",
      () => ["diffuse-mlp", "--layer", "1"],
      /There is no layer 1: this model's only layer is 0/,
    ],
    ["a negative layer out of range", () => ["diffuse-mlp", "--layer", "-2"], /There is no layer -2/],
    [
      "a device that is not there",
      () => ["diffuse-mlp", "--device", "cuda"],
      /^glassformer: The device "cuda" cannot be used here \(.*\)\. Devices that can: cpu(, webgpu)?\.\n$/,
    ],
    [
      "an adapter that is not there",
      () => ["diffuse-mlp", "--adapter", "./no"],
      /"\.\/no" is neither an existing folder/,
    ],
    [
      "a top of 0",
      () => ["diffuse-mlp", "--top", "0"],
      /Option '--top <K>' argument '0' is invalid\. It must be a whole number of at least 1/,
    ],
    ["an unknown model", () => ["diffuse-mlp", "--model", "solu-1m"], /solu-1m.*solu-1l/],
    ["a folder without a model", () => ["diffuse-mlp", "--model", "."], /config\.json/],
    [
      "a hub model while offline and not cached",
      () => ["diffuse-mlp", "--model", "solu-1l"],
      /SoLU_1L512W_C4_Code.*(offline|OFFLINE)/,
      { env: offline },
    ],
    [
      "prompts that do not exist",
      () => ["diffuse-mlp", "--prompts", "none.txt"],
      /none\.txt cannot be read: there is no such file/,
    ],
    ["prompts that are a folder", () => ["diffuse-mlp", "--prompts", "."], /it is a folder, not a file/],
    ["empty prompts", () => ["diffuse-mlp", "--prompts", given("empty.txt", "")], /empty\.txt is empty/],
    ["nothing on standard input", () => ["diffuse-mlp", "--prompts", "-"], /Standard input is empty/],
    [
      "an empty prompt",
      () => ["diffuse-mlp", "--prompts", given("gap.txt", "a b\n\nc d\n")],
      /line 2 of gap\.txt is empty/,
    ],
    [
      "prompts that are not UTF-8",
      () => ["diffuse-mlp", "--prompts", given("latin.txt", new Uint8Array([0x61, 0xe9, 0x20, 0x62]))],
      /latin\.txt.*UTF-8/,
    ],
    [
      "garbled JSON",
      () => ["diffuse-mlp", "--prompts", given("bad.json", '["a", ]')],
      /bad\.json is not valid JSON at line 1/,
    ],
    [
      "a prompt longer than the context",
      () => ["diffuse-mlp", "--prompts", given("long.txt", `Short one.\n${"word ".repeat(400)}\n`)],
      /Prompt 1 \("word word.*the model's context holds only 256/,
    ],
    [
      "an extension that is not a format",
      () => ["diffuse-mlp", "--out", "x.hmtl"],
      /ends in "\.hmtl".*Did you mean "\.html"/,
    ],
    ["no extension", () => ["diffuse-mlp", "--out", "report"], /report has no extension/],
    [
      "a folder that does not exist",
      () => ["diffuse-mlp", "--out", "no/where/x.html"],
      /"no\/where", which is not a folder/,
    ],
    ["the same file twice", () => ["diffuse-mlp", "--out", "x.json", "--out", "./x.json"], /names \.\/x\.json twice/],
  ];

  it.each(cases)("%s", async (_what, args, told, options) => {
    const list = args();
    const before = readdirSync(folder);
    const withOut = list[0] === "diffuse-mlp" && !list.includes("--out") ? [...list, "--out", "left.html"] : list;
    const { code, stdout, stderr } = await glassformer(withOut, options);
    expect(stderr).toMatch(told);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).not.toMatch(/\n +at /);
    expect(readdirSync(folder)).toEqual(before);
  });

  it("a truncated weights file", async () => {
    const broken = join(folder, "broken");
    mkdirSync(broken);
    const model = join(there.folder, "models/solu-1l-novels");
    for (const name of ["config.json", "tokenizer.json"])
      writeFileSync(join(broken, name), readFileSync(join(model, name)));
    writeFileSync(
      join(broken, "model.safetensors"),
      readFileSync(join(model, "model.safetensors")).subarray(0, 100_000),
    );
    const { code, stderr } = await glassformer(["diffuse-mlp", "--model", "broken", "--out", "left.html"]);
    expect(stderr).toMatch(/^glassformer: .*model\.safetensors.*\n$/);
    expect(code).toBe(2);
    expect(readdirSync(folder)).not.toContain("left.html");
  });

  it.skipIf(process.platform === "win32")("weights that are not numbers, and do not hang the run", async () => {
    const broken = join(folder, "nan");
    mkdirSync(broken);
    const model = join(there.folder, "models/solu-1l-novels");
    for (const name of ["config.json", "tokenizer.json"])
      writeFileSync(join(broken, name), readFileSync(join(model, name)));
    const weights = readFileSync(join(model, "model.safetensors"));
    const header = Number(weights.readBigUInt64LE());
    const { data_offsets } = JSON.parse(weights.toString("utf8", 8, 8 + header))["blocks.0.mlp.W_in"];
    weights.writeUInt16LE(0x7e00, 8 + header + data_offsets[0]); // float16's NaN
    writeFileSync(join(broken, "model.safetensors"), weights);
    const { code, stdout, stderr } = await glassformer(["diffuse-mlp", "--model", "nan", "--out", "left.html"]);
    expect(stderr).toMatch(/^glassformer: The weight "blocks\.0\.mlp\.W_in" of nan holds NaN.*\n$/);
    expect([code, stdout]).toEqual([2, ""]);
    expect(readdirSync(folder)).not.toContain("left.html");
  });

  it.skipIf(process.platform !== "linux")("standard output on a full disk", async () => {
    const main = join(there.folder, "dist/cli/main.js");
    const child = spawn("bash", ["-c", `exec "${process.execPath}" "${main}" models > /dev/full`], { cwd: folder });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text) => (stderr += text));
    const code = await new Promise((resolve) => child.on("close", resolve));
    expect(stderr).toMatch(/^glassformer: The results could not be written to standard output\. .*ENOSPC.*\n$/);
    expect(code).toBe(2);
  });

  it.skipIf(process.platform === "win32")("a file that cannot be written completely", async () => {
    const main = join(there.folder, "dist/cli/main.js");
    const prompts = given("one.txt", "Cats meow.\n");
    // A limit on file sizes interrupts a write in the middle, as a full disk does.
    const command = `ulimit -f 4; exec "${process.execPath}" "${main}" diffuse-mlp --prompts ${prompts} --out left.html`;
    const before = readdirSync(folder);
    const ended = await new Promise<Ended>((resolve) => {
      const child = spawn("bash", ["-c", command], { cwd: folder });
      let stderr = "";
      child.stdout.resume();
      child.stderr.setEncoding("utf8").on("data", (text) => (stderr += text));
      child.on("close", (code) => resolve({ code: code!, stdout: "", stderr }));
    });
    expect(ended.stderr).toMatch(/left\.html could not be written.*No partial file was left behind/);
    expect(ended.code).toBe(2);
    expect(readdirSync(folder)).toEqual(before);
  });
});

describe.skipIf(process.platform === "win32")("Ctrl-C", () => {
  it("while prompts are typed ends the run with 130 and writes nothing", async () => {
    const before = readdirSync(folder);
    const args = ["diffuse-mlp", "--prompts", "-", "--out", "left.html"];
    const ended = await glassformer(args, { keepInput: true, interruptAfter: 3000 });
    expect(ended).toEqual({ code: 130, stdout: "", stderr: "" });
    expect(readdirSync(folder)).toEqual(before);
  });

  it("in the middle of a long run ends it with 130 and writes nothing", async () => {
    const many = given("many.txt", "They are planning a trip to Europe.\n".repeat(30_000));
    const before = readdirSync(folder);
    const started = performance.now();
    const ended = await glassformer(["diffuse-mlp", "--prompts", many, "--out", "left.html"], { interruptAfter: 4000 });
    expect(ended).toEqual({ code: 130, stdout: "", stderr: "" });
    expect(performance.now() - started).toBeLessThan(15_000);
    expect(readdirSync(folder)).toEqual(before);
  });
});
