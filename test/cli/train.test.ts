/** `glassformer train`: a model in a folder, its loss reported, and nothing lost whatever happens. */

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rowsOf } from "../../src/finding/table.ts";
import { getCheckpointLabels, HookedTransformer } from "../../src/node.ts";
import { Cli, type Ended, type RunOptions } from "./process.ts";

let cli: Cli;
let train: (args: readonly string[], options?: RunOptions) => Promise<Ended>;
beforeAll(async () => {
  cli = await Cli.build();
  train = (args, options) => cli.run(["train", ...args], options);
  const line = (i: number) =>
    `The ${["cat", "dog", "bird", "fish"][i % 4]} number ${i} sat on the ${["mat", "log", "wire"][i % 3]} and said ${i * 7}.\n`;
  cli.given("text.txt", Array.from({ length: 400 }, (_, i) => line(i)).join(""));
});
afterAll(() => cli?.remove());

const sha256 = (content: string | Uint8Array) => createHash("sha256").update(content).digest("hex");
const inFolder = (...parts: string[]) => join(cli.folder, ...parts);
const small = ["--d-model", "16", "--n-heads", "2", "--n-ctx", "32", "--vocab-size", "300", "--batch-size", "8"];
const losses = (out: string, step: number): number[] =>
  JSON.parse(readFileSync(inFolder(out, `step-${String(step).padStart(7, "0")}`, "training.json"), "utf8")).losses;

describe("glassformer train", () => {
  it("trains on a text, shows its loss next to that of chance, and leaves a model that fromPretrained opens", async () => {
    const { code, stdout, stderr } = await train([
      ...[
        "text.txt",
        ...small,
        "--steps",
        "60",
        "--lr",
        "0.03",
        "--out",
        "first",
        "--report",
        "curve.html",
        "curve.json",
        "curves/",
      ],
    ]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^text\.txt: 1 text, [\d,]+ characters\na tokenizer of 300 tokens, made from the texts\n/);
    expect(stderr).toMatch(/rows of 32 tokens to train on, \d+ held out\n/);
    expect(stderr).toMatch(/\nstep 60 of 60, loss [\d.]+ nats, held out [\d.]+, [\d,]+ tokens\/s/);
    expect(stderr).toMatch(
      /\nSaved first\/step-0000060\. Open it with --model first\.\nWrote curve\.html\nWrote curve\.json\nWrote report\.html, finding\.json, 1 picture as SVG, PNG and JSON, \d tables? as CSV and JSON to curves\/\n$/,
    );
    expect(stdout).toMatch(/^How far has training brought the loss/);
    expect(stdout).toMatch(
      /After 60 steps the loss on held-out data is [\d.]+ nats, [\d.]+ nats below\s+token\s+frequencies/,
    );
    expect(Math.max(...stdout.split("\n").map((line) => [...line].length))).toBeLessThanOrEqual(80);
    expect(stdout).not.toContain("SHA-256");
    const finding = JSON.parse(readFileSync(inFolder("curve.json"), "utf8"));
    const { version, date, command, checksum } = finding.provenance;
    expect(version).toMatch(/^glassformer \d/);
    expect(Math.abs(Date.parse(date) - Date.now())).toBeLessThan(3_600_000);
    expect(command).toBe(
      "npx glassformer train text.txt --vocab-size 300 --d-model 16 --n-heads 2 --n-ctx 32 --steps 60 --batch-size 8 --lr 0.03 --out first",
    );
    const weights = checksum.files.map((path: string) => inFolder("first", path));
    expect(checksum.files).toEqual(["step-0000060/config.json", "step-0000060/model.safetensors"]);
    const sums = weights.map((path: string, i: number) => `${sha256(readFileSync(path))}  ${checksum.files[i]}\n`);
    expect(checksum.sha256).toBe(sha256(sums.join("")));
    expect(readFileSync(inFolder("curves/report.html"), "utf8")).toContain(command);
    expect(JSON.parse(readFileSync(inFolder("curves/finding.json"), "utf8"))).toEqual(finding);
    expect(finding.pictures[0]).toMatchObject({ kind: "line", table: "curve" });
    expect(new Set(rowsOf(finding.tables, "curve").map((row) => row[finding.pictures[0].by]))).toEqual(
      new Set(["batches", "held out"]),
    );
    expect(finding.baselines[1].value).toBeCloseTo(Math.log(300), 6);
    expect(finding.settings).toMatchObject({ task: "text.txt", steps: 60, optimizer: "adamw", "warm-up steps": 3 });

    expect(await getCheckpointLabels(inFolder("first"))).toEqual([12, 24, 36, 48, 60]);
    const model = await HookedTransformer.fromPretrained(inFolder("first"));
    expect(model.cfg).toMatchObject({ dModel: 16, nHeads: 2, dHead: 8, dMlp: 64, nCtx: 32, dVocab: 300 });
    expect(model.toStrTokens("The cat").join("")).toBe("<|BOS|>The cat");
    const losses = rowsOf(finding.tables, "steps").map(({ loss }) => Number(loss));
    expect(losses).toHaveLength(60);
    expect(losses[59]).toBeLessThan(losses[0] - 0.5);
  });

  it("makes a model that the other commands can open", async () => {
    const { code, stdout } = await cli.run([
      "attention-patterns",
      "--model",
      "first",
      "--prompt",
      "The dog sat",
      "--json",
    ]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).model).toMatchObject({ name: "first", config: { d_model: 16 } });
  });

  it("continues with --resume to the numbers of a training run that was not interrupted", async () => {
    const args = ["text.txt", ...small, "--seed", "3", "--save-every", "5", "--out"];
    const whole = await train([...args, "whole", "--steps", "14"]);
    const stopped = await train([...args, "parts", "--steps", "14", "--json"], { interruptAt: /step 6 of 14/ });
    expect(whole.code).toBe(0);
    expect(stopped.code).toBe(130);
    expect(stopped.stdout).toBe("");
    expect(stopped.stderr).toMatch(
      /Stopping after this step.*\n(.*\n)?Saved as step \d+ of parts\. Run the same command with --resume/,
    );
    const kept = (await getCheckpointLabels(inFolder("parts"))).at(-1)!;
    expect(kept).toBeGreaterThanOrEqual(6);
    expect(kept).toBeLessThan(14);
    const resumed = await train([...args, "parts", "--steps", "14", "--resume"]);
    expect(resumed.stderr).toContain(`resuming from step ${kept}\n`);
    expect(resumed.code).toBe(0);
    expect(losses("parts", 14)).toEqual(losses("whole", 14));
    for (const file of ["model.safetensors", "optimizer.safetensors", "training.json", "config.json"]) {
      const kept = (out: string) => readFileSync(inFolder(out, "step-0000014", file));
      expect(kept("parts").equals(kept("whole")), file).toBe(true);
    }
    // The report is the same, too, even when there is nothing left to do.
    const again = await train([...args, "parts", "--steps", "14", "--resume"]);
    for (const told of [resumed, again]) expect(told.stdout.replaceAll("parts", "whole")).toBe(whole.stdout);
  });

  it("continues only with what it started with: other rows are refused, a changed rate is reported", async () => {
    const begin = ["text.txt", ...small, "--steps", "4", "--out", "held"];
    expect((await train(begin)).code).toBe(0);
    for (const other of [
      ["--hold-out", "0.5"],
      ["--max-length", "16"],
    ]) {
      const refused = await train(["text.txt", "--steps", "6", "--out", "held", "--resume", ...other]);
      expect(refused.stderr).toMatch(/held was trained on other rows.*--resume needs the same files/);
      expect(refused.code).toBe(2);
    }
    const model = await train([...begin, "--resume", "--d-mlp", "20"]);
    expect(model.stderr).toMatch(/held has a different configuration: its d_mlp is 64, the model's is 20/);
    const slower = await train([...begin.with(begin.indexOf("4"), "6"), "--resume", "--lr", "0.001"]);
    expect(slower.stderr).toContain("lr is now 0.001; it was 0.003\n");
    expect(slower.stderr).toContain("steps is now 6; it was 4\n");
    expect(slower.code).toBe(0);
    const changed = ["--resume", "--freeze", "embed.W_E", "--repeat", "0.5"];
    const frozen = await train([...begin.with(begin.indexOf("4"), "7"), ...changed]);
    expect(frozen.stderr).toContain("frozen is now embed.W_E; it was none\n");
    expect(frozen.stderr).toContain("share repeated is now 0.5; it was 0\n");
    expect(frozen.stdout.replace(/\s+/g, " ")).toContain("50 % say their beginning twice");
    for (const [more, told] of [
      [["--vocab-size", "290"], /was started with --vocab-size 300: leave out/],
      [["--tokenizer", "solu-1l-novels"], /held has a different tokenizer from solu-1l-novels/],
      [["--model", "solu-1l-novels"], /was started from random weights, not from solu-1l-novels/],
    ] as const) {
      const other = await train([
        "text.txt",
        "--batch-size",
        "8",
        "--steps",
        "8",
        "--out",
        "held",
        "--resume",
        ...more,
      ]);
      expect(other.stderr).toMatch(told);
      expect(other.code).toBe(2);
    }
    // A finished training run is not overwritten, and its report shows the settings that it was made with.
    const done = await train([...begin.with(begin.indexOf("4"), "7"), "--resume", "--lr", "0.5", "--json"]);
    expect(done.stderr).toContain("step 7 is the last: there is nothing left to do\n");
    expect(JSON.parse(done.stdout).settings.lr).toBe(0.003);
  });

  it("killed at any moment leaves no partial checkpoint, and continues from the last", async () => {
    const args = ["text.txt", ...small, "--save-every", "1", "--steps", "1000", "--out", "killed"];
    for (const at of [/step 50 of/, /resuming[\s\S]*step 150 of/, /resuming[\s\S]*step 250 of/]) {
      const again = existsSync(inFolder("killed")) ? ["--resume"] : [];
      const ended = await train([...args, ...again], { interruptAt: at, signal: "SIGKILL" });
      expect(ended.code).toBe(137);
      const labels = await getCheckpointLabels(inFolder("killed"));
      expect(labels.length).toBeGreaterThan(10);
      for (const name of readdirSync(inFolder("killed")).filter((found) => found.startsWith("step-"))) {
        expect(readdirSync(inFolder("killed", name))).toEqual([
          ...["config.json", "model.safetensors", "optimizer.safetensors", "tokenizer.json", "training.json"],
        ]);
      }
      const last = await HookedTransformer.fromPretrainedNoProcessing(inFolder("killed"));
      expect(last.W_E.data.every(Number.isFinite)).toBe(true);
      expect(losses("killed", labels.at(-1)!)).toHaveLength(labels.at(-1)!);
    }
  });

  it("trains on JSON lines, Parquet and standard input together, and measures on separate texts", async () => {
    const texts = Array.from({ length: 60 }, (_, i) => `Row ${i} says that the cat sat on the mat number ${i * 3}.`);
    cli.given("rows.jsonl", texts.map((body) => JSON.stringify({ body })).join("\n"));
    cli.given(
      "rows.parquet",
      new Uint8Array(parquetWriteBuffer({ columnData: [{ name: "body", data: texts, type: "STRING" }] })),
    );
    const { code, stdout, stderr } = await train(
      [
        ...["rows.jsonl", "rows.parquet", "-", "--column", "body", "--max-texts", "50", "--valid", "text.txt"],
        ...[...small, "--epochs", "2", "--optimizer", "sgd", "--lr", "0.1", "--out", "mixed", "--json"],
      ],
      { input: "A text that was typed in. ".repeat(40) },
    );
    expect(code).toBe(0);
    expect(stderr).toContain("rows.jsonl: 50 texts");
    expect(stderr).toContain("rows.parquet: 50 texts");
    expect(stderr).toContain("-: 1 text, 1,040 characters");
    const { settings, caveats } = JSON.parse(stdout);
    expect(settings.steps).toBe(2 * Math.ceil(settings.rows / 8));
    expect(settings["held-out rows"]).toBeGreaterThan(100);
    expect(settings).toMatchObject({ optimizer: "sgd", momentum: 0, "weight decay": 0 });
    expect(caveats.join()).toContain("2 passes over the data");
  });

  it("starts from an existing model, with its tokenizer and its weights as they are", async () => {
    const { code, stderr } = await train([
      ...["text.txt", "--model", "solu-1l-novels", "--max-length", "32", "--batch-size", "2", "--steps", "2"],
      ...["--freeze", "embed.W_E", "--out", "tuned"],
    ]);
    expect(stderr).toContain("rows of 32 tokens");
    expect(code).toBe(0);
    expect(losses("tuned", 2)[0]).toBeLessThan(7);
    const [tuned, before] = await Promise.all(
      [inFolder("tuned"), "solu-1l-novels"].map((name) => HookedTransformer.fromPretrainedNoProcessing(name)),
    );
    expect(tuned.W_E.data).toEqual(before.W_E.data);
    expect(tuned.W_U.data).not.toEqual(before.W_U.data);
    expect(tuned.toStrTokens("It was the best")).toEqual(before.toStrTokens("It was the best"));
  });

  it("trains on tasks, which bring their own model and baselines", async () => {
    const sums = await train(["--task", "modular-addition", "--p", "13", "--steps", "20", "--out", "sums", "--json"]);
    expect(sums.code).toBe(0);
    const { settings, model, baselines } = JSON.parse(sums.stdout);
    expect(settings).toMatchObject({ task: "modular-addition", rows: 68, "held-out rows": 101, "tokens per row": 3 });
    expect(model.config).toMatchObject({ act_fn: "relu", d_vocab: 14 });
    expect(baselines[0]).toMatchObject({ name: "all answers equally likely", value: Math.log(13) });
    const repeats = await train([
      ...["--task", "repeated-tokens", "--length", "6", "--vocab-size", "12", "--d-model", "16", "--steps", "20"],
      ...["--out", "repeats", "--json"],
    ]);
    expect(repeats.code).toBe(0);
    expect(JSON.parse(repeats.stdout).baselines[0].value).toBeCloseTo(Math.log(11), 9);
    const opened = await HookedTransformer.fromPretrainedNoProcessing(inFolder("repeats"));
    expect(opened.cfg).toMatchObject({ nLayers: 2, attnOnly: true, positionalEmbeddingType: "shortformer", nCtx: 13 });
  });

  it("takes the tokenizer of a training run, of a model and of a file, and hundreds of thousands of short texts", async () => {
    const numbers = (length: number) => Array.from({ length }, (_, i) => JSON.stringify({ text: `${i}` })).join("\n");
    const counts = ["200,000", "20,000", "20,000"];
    for (const count of new Set(counts)) cli.given(`${count}.jsonl`, numbers(Number(count.replace(",", ""))));
    const sizes = ["--d-model", "8", "--n-heads", "1", "--n-ctx", "64", "--steps", "1"];
    const json = join(cli.there.folder, "models/solu-1l-novels/tokenizer.json");
    for (const [i, from] of ["first", "solu-1l-novels", json].entries()) {
      const file = `${counts[i]}.jsonl`;
      const { code, stderr } = await train([file, ...sizes, "--tokenizer", from, "--out", `as${i}`]);
      expect(stderr).toContain(`${file}: ${counts[i]} texts`);
      expect(code).toBe(0);
    }
    const sizesOf = async (out: string) => (await HookedTransformer.fromPretrained(inFolder(out))).cfg.dVocab;
    expect([await sizesOf("as0"), await sizesOf("as1"), await sizesOf("as2")]).toEqual([300, 4096, 4096]);
  });

  it("takes a model's configuration from a file, overridden by options", async () => {
    cli.given(
      "cfg.json",
      JSON.stringify({ n_layers: 2, d_model: 16, d_head: 4, act_fn: "gelu", attention_dir: "causal" }),
    );
    const { code } = await train([
      ...["text.txt", "--config", "cfg.json", "--n-layers", "1", "--n-heads", "3", "--vocab-size", "280"],
      ...["--steps", "1", "--out", "configured"],
    ]);
    expect(code).toBe(0);
    const { cfg } = await HookedTransformer.fromPretrainedNoProcessing(inFolder("configured"));
    expect(cfg).toMatchObject({ nLayers: 1, nHeads: 3, dHead: 4, actFn: "gelu", dVocab: 280 });
  });
});

describe("whoever is watching may leave:", () => {
  it.each([
    ["stderr is closed", "2>&1 >/dev/null | head -3", 30],
    ["stdout is closed", "2>/dev/null | head -c 20", 30],
    ["stderr is full", "2>/dev/full >/dev/null", 30],
  ])("%s, and the training is kept, reports too", async (what, to, steps) => {
    const out = what.replaceAll(" ", "-");
    const main = join(cli.there.folder, "dist/cli/main.js");
    const args = [...small, "--steps", steps, "--out", out, "--report", `${out}.html`].join(" ");
    const child = spawn("bash", ["-c", `"${process.execPath}" "${main}" train text.txt ${args} ${to}`], {
      cwd: cli.folder,
      stdio: "ignore",
    });
    await new Promise((resolve) => child.on("close", resolve));
    expect(await getCheckpointLabels(inFolder(out))).toEqual([6, 12, 18, 24, 30]);
    expect(existsSync(inFolder(`${out}.html`))).toBe(true);
  });

  it("the terminal is closed, and the finished steps are saved", async () => {
    const args = ["text.txt", ...small, "--steps", "2000", "--save-every", "1000", "--out", "hung-up"];
    const { code } = await train(args, { interruptAt: /step 100 of/, signal: "SIGHUP" });
    expect(code).toBe(129);
    expect((await getCheckpointLabels(inFolder("hung-up")))[0]).toBeGreaterThanOrEqual(100);
  });

  it("while a tokenizer is made: it ends immediately, and nothing is saved", async () => {
    cli.given("long.txt", "ACGT".repeat(200_000));
    const started = performance.now();
    const ended = await train(["long.txt", "--out", "early"], { interruptAt: /characters\n/ });
    expect(ended.code).toBe(130);
    expect(performance.now() - started).toBeLessThan(8000);
    expect(existsSync(inFolder("early"))).toBe(false);
  });
});

describe("a training run whose loss becomes NaN or infinite", () => {
  it("stops at that step, names the last good checkpoint and what to try", async () => {
    const { code, stdout, stderr } = await train([
      ...[
        "text.txt",
        ...small,
        "--optimizer",
        "sgd",
        "--lr",
        "1e9",
        "--max-grad-norm",
        "1e30",
        "--schedule",
        "constant",
      ],
      ...["--warmup-steps", "0", "--save-every", "1", "--steps", "50", "--out", "wild"],
    ]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(
      /\nglassformer: The (loss|gradient|weight \S+) became (NaN|-?Infinity) at step \d+, where the learning rate was 1000000000\. (The last good checkpoint is wild\/step-\d+|No checkpoint was saved)[^\n]*Try a lower lr[^\n]*\n$/,
    );
  });
});

describe("bad input is reported in a sentence, exits with 2 and leaves no checkpoint:", () => {
  const cases: [what: string, args: string[] | (() => string[]), told: RegExp][] = [
    ["nothing to train on", ["--out", "x"], /nothing to train on: name text files, or a --task/],
    ["no folder", ["text.txt"], /Required option '--out <folder>' not specified/],
    ["files and a task", ["text.txt", "--task", "modular-addition", "--out", "x"], /leave out text\.txt, or --task/],
    [
      "an unknown task",
      ["--task", "sorting", "--out", "x"],
      /'sorting' is invalid\. Allowed choices are modular-addition/,
    ],
    ["a file that does not exist", ["none.txt", "--out", "x"], /none\.txt cannot be read: there is no such file/],
    ["a folder instead of a file", [".", "--out", "x"], /\. cannot be read: it is a folder/],
    ["an empty file", () => [cli.given("empty.txt", " \n"), "--out", "x"], /empty\.txt is empty/],
    [
      "a text shorter than a context",
      () => [cli.given("short.txt", "Too short. Too short."), "--out", "x"],
      /has \d+ tokens, but one row needs 255 besides BOS: give more text, or a smaller/,
    ],
    [
      "a column that does not exist",
      () => [cli.given("a.jsonl", '{"txt":"a"}\n'), "--out", "x"],
      /no text under "text"; its fields are txt/,
    ],
    [
      "a file that is not Parquet",
      () => [cli.given("a.parquet", "no"), "--out", "x"],
      /a\.parquet cannot be read as Parquet/,
    ],
    [
      "a configuration that is not one",
      () => ["text.txt", "--config", cli.given("c.json", '{"n_layer": 1}'), "--out", "x"],
      /no configuration field "n_layer".*"n_layers"/,
    ],
    [
      "heads that do not divide the stream",
      ["text.txt", "--d-model", "20", "--n-heads", "3", "--out", "x"],
      /d_model 20 cannot be divided evenly among 3 heads/,
    ],
    ["a vocabulary too small", ["text.txt", "--vocab-size", "100", "--out", "x"], /no room for the 256 bytes/],
    [
      "an unknown optimizer",
      ["text.txt", "--optimizer", "adamW", "--out", "x"],
      /'adamW' is invalid\. Allowed choices are adamw, adam, sgd/,
    ],
    ["one beta", ["text.txt", ...["--betas", "0.9"], "--out", "x"], /--betas must be 2 numbers, .*, not 0.9/],
    [
      "a share of 2",
      ["text.txt", "--hold-out", "2", "--out", "x"],
      /--hold-out <share>.*It must be a number of at least 0 and below 1/,
    ],
    [
      "a share of rows to repeat above 1",
      ["text.txt", "--repeat", "1.5", "--out", "x"],
      /--repeat <share>.*It must be a number from 0 to 1/,
    ],
    [
      "repeating rows of a task",
      ["--task", "modular-addition", "--repeat", "0.5", "--out", "x"],
      /--repeat does not apply with --task .*, which makes its own data: leave it out/,
    ],
    [
      "a report's extension",
      ["text.txt", "--report", "x.hmtl", "--out", "x"],
      /--report x\.hmtl ends in "\.hmtl".*"\.html"/,
    ],
    [
      "steps and epochs",
      ["text.txt", "--steps", "1", "--epochs", "1", "--out", "x"],
      /--steps does not apply with --epochs 1, which also says how long to train/,
    ],
    [
      "epochs of an endless task",
      ["--task", "repeated-tokens", "--epochs", "1", "--out", "x"],
      /no epochs: give --steps/,
    ],
    [
      "a weight to freeze that does not exist",
      ["text.txt", ...small, "--freeze", "embed.W_e", "--out", "x"],
      /no weight "embed\.W_e".*"embed\.W_E"/,
    ],
    [
      "a folder that is a file",
      ["text.txt", "--out", "text.txt"],
      /saved in text\.txt: something else with that name is in the way/,
    ],
    ["a folder below a file", ["text.txt", "--out", "text.txt/x"], /in the way/],
    [
      "nothing to resume",
      ["text.txt", "--resume", "--out", "x"],
      /x has no checkpoint to resume from: leave out --resume/,
    ],
    [
      "a model and its sizes",
      ["text.txt", "--model", "solu-1l-novels", "--d-model", "4", "--out", "x"],
      /uses solu-1l-novels as it is: leave out --d-model/,
    ],
    [
      "a model's own folder",
      () => ["text.txt", "--out", join(cli.there.folder, "models/solu-1l-novels")],
      /is the folder of a model.*Name another folder/,
    ],
    [
      "an option of another task",
      ["--task", "modular-addition", "--length", "4", "--out", "x"],
      /--length only applies with --task repeated-tokens: leave it out/,
    ],
    [
      "an option of texts for a task",
      ["--task", "modular-addition", "--valid", "text.txt", "--out", "x"],
      /--valid does not apply with --task/,
    ],
    [
      "momentum without sgd",
      ["text.txt", "--momentum", "0.9", "--out", "x"],
      /--momentum only applies with --optimizer sgd/,
    ],
    ["no step", ["text.txt", "--steps", "0", "--out", "x"], /--steps <n>.*'0'.*whole number of at least 1/],
    [
      "a vocabulary that the texts do not have",
      () => ["text.txt", "--config", cli.given("v.json", '{"d_vocab_out": 10}'), "--vocab-size", "300", "--out", "x"],
      /v\.json says d_vocab_out 10, but the training data has 300/,
    ],
    [
      "sums that do not fit",
      ["--task", "modular-addition", "--p", "100000", "--out", "x"],
      /p is 100000.*more than fit in memory/,
    ],
    [
      "a model that does not fit",
      ["--task", "modular-addition", "--p", "5", "--d-model", "1000000", "--out", "x"],
      /a weight can have at most|does not fit in memory/,
    ],
    ["a sequence of one token", ["--task", "repeated-tokens", "--length", "1", "--out", "x"], /length is 1/],
    [
      "a text that is null",
      () => [cli.given("n.jsonl", '{"text":null}\n'), "--out", "x"],
      /Line 1 of n\.jsonl has null under "text", not a text/,
    ],
    ["an unknown model name", ["text.txt", "--model", "solu-1m", "--out", "x"], /solu-1m.*solu-1l/],
  ];

  it.each(cases)("%s", async (_what, args, told) => {
    const { code, stdout, stderr } = await train(typeof args === "function" ? args() : args);
    expect(stderr).toMatch(told);
    expect(stderr).not.toMatch(/\n +at /);
    expect([code, stdout]).toEqual([2, ""]);
    expect(existsSync(inFolder("x"))).toBe(false);
  });

  it("a folder that holds another training run, or one with another configuration", async () => {
    const begin = ["text.txt", ...small, "--steps", "2", "--out", "there"];
    expect((await train(begin)).code).toBe(0);
    const before = readdirSync(inFolder("there"));
    const again = await train(begin);
    expect(again.stderr).toMatch(
      /there already holds a training run, up to step 2: continue it with --resume, or name another/,
    );
    const fewer = await train(["text.txt", "--batch-size", "8", "--steps", "1", "--out", "there", "--resume"]);
    expect(fewer.stderr).toMatch(/is at step 2, beyond the total of 1 steps/);
    const other = await train([
      "text.txt",
      "--batch-size",
      "8",
      "--steps",
      "4",
      "--optimizer",
      "sgd",
      "--out",
      "there",
      "--resume",
    ]);
    expect(other.stderr).toMatch(/made with adamw.*Continue with adamw/);
    expect([again.code, fewer.code, other.code]).toEqual([2, 2, 2]);
    const config = inFolder("there", "step-0000002/training.json");
    writeFileSync(config, readFileSync(config, "utf8").slice(0, 40));
    const garbled = await train(["text.txt", "--batch-size", "8", "--steps", "4", "--out", "there", "--resume"]);
    expect(garbled.stderr).toMatch(/step-0000002\/training\.json is not JSON/);
    expect(readdirSync(inFolder("there"))).toEqual(before);
  });
});

describe("help", () => {
  it("fits 80 columns, in groups, with defaults and examples", async () => {
    const { code, stdout } = await train(["--help"]);
    expect(code).toBe(0);
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(stdout).toMatch(/\nData:\n[\s\S]*\nModel:\n[\s\S]*\nTraining:\n[\s\S]*\nOutput:\n/);
    expect(stdout.replace(/\s+/g, " ")).toContain("learning rate (default: 0.003; 0.001 for modular-addition)");
    expect(stdout).toContain("$ glassformer train novels.txt --out my-model");
  });
});
