/** `glassformer scan` and `merge`: stopped, resumed and divided work gives the same bytes, and what cannot be is said. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fileSource, readTexts } from "../../src/node.ts";
import { commit, TestHub } from "../load/hub-server.ts";
import { Cli, type RunOptions } from "./process.ts";

let cli: Cli;
const line = (i: number) =>
  `The ${["cat", "dog", "bird"][i % 3]} sat on the ${["mat", "log"][i % 2]}, ${i * 7}, and was glad.\n`;
const text = Array.from({ length: 150 }, (_, i) => line(i)).join("");
beforeAll(async () => {
  cli = await Cli.build();
  cli.given("text.txt", text);
});
afterAll(() => cli?.remove());

/** Dates are those of SOURCE_DATE_EPOCH, so that reports can be compared byte by byte. */
const env = { SOURCE_DATE_EPOCH: "1700000000" };
const small = [
  "--data",
  "text.txt",
  "--shard-size",
  "0.0025",
  "--max-length",
  "32",
  "--batch-tokens",
  "128",
  "--top",
  "3",
];
const run = (args: readonly string[], options?: RunOptions) => cli.run([...args], { env, ...options });
const scan = (out: string, more: readonly string[] = [], options?: RunOptions) =>
  run(["scan", "diffuse-mlp", ...small, "--out", out, ...more], options);

/** The hash of every file of a folder, by its path. */
function hashes(folder: string): Record<string, string> {
  const root = join(cli.folder, folder);
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const named = files.map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1)).sort();
  return Object.fromEntries(
    named.map((name) => [
      name,
      createHash("sha256")
        .update(readFileSync(join(root, name)))
        .digest("hex"),
    ]),
  );
}

describe("glassformer scan", () => {
  it("writes the finding, what was seen, and a row for each token", async () => {
    const { code, stdout, stderr } = await scan("whole");
    expect(stderr).toMatch(
      /^1 source, 0\.0 MB in 3 shards\n(?:shard.*\n)*[\d,]+ tokens in \d:\d\d, [\d,]+ per second\nWrote whole: report\/report\.html/,
    );
    expect(stdout).toMatch(/^Which tokens does the MLP layer matter for/);
    expect(code).toBe(0);
    const names = Object.keys(hashes("whole"));
    expect(names).toContain("report/report.html");
    expect(names).toContain("report/finding.json");
    expect(names.filter((name) => name.startsWith("rows/"))).toHaveLength(3);
    expect(names.filter((name) => name.startsWith("shards/"))).toHaveLength(3);
    const tokens = await readTexts(await fileSource(join(cli.folder, "whole/rows/000000.parquet")), {
      column: "token",
    });
    expect(tokens.join("")).toContain("The cat");
    const { settings, provenance } = JSON.parse(readFileSync(join(cli.folder, "whole/report/finding.json"), "utf8"));
    expect(settings).toMatchObject({ scan: "diffuse-mlp", data: "text.txt", texts: 3, shards: 3 });
    expect(provenance.command).toMatch(
      /^npx glassformer scan diffuse-mlp --data text\.txt --max-length 32 .*--top 3 --out scanned$/,
    );
  });

  it("stopped and resumed gives the same bytes, and does not begin again without --resume", async () => {
    const stopped = await scan("stopped", [], { interruptAt: /shard 1 of 3/ });
    expect(stopped.stderr).toMatch(
      /Stopping after this batch and saving\.[\s\S]*Saved in stopped\. Run the same command with --resume/,
    );
    expect(stopped.code).toBe(130);
    expect(existsSync(join(cli.folder, "stopped/report"))).toBe(false);
    const resumed = await scan("stopped", ["--resume"]);
    expect(resumed.code).toBe(0);
    expect(hashes("stopped")).toEqual(hashes("whole"));
    const again = await scan("stopped");
    expect(again.stderr).toMatch(/stopped already holds this scan, with 3 of 3 shards done: continue it with --resume/);
    expect(again.code).toBe(2);
  });

  it("in shares in two folders and merged gives the same bytes", async () => {
    const first = await scan("share-1", ["--shard", "1/2"]);
    expect(first.stderr).toMatch(/2 of 3 shards done\. Once all are, glassformer merge share-1 makes the finding\./);
    const early = await run(["merge", "share-1"]);
    expect(early.stderr).toMatch(/1 shard of 3 is missing \(2\): do it with --resume in one of the folders/);
    expect(early.code).toBe(2);
    await scan("share-2", ["--shard", "2/2"]);
    const merged = await run(["merge", "share-2", "share-1", "--out", "merged"]);
    expect(merged.stderr).toMatch(/^Copied 3 shards to merged\.\nWrote merged: report/);
    expect(merged.code).toBe(0);
    expect(hashes("merged")).toEqual(hashes("whole"));
  });

  it("reads a packed file and standard input as the text itself", async () => {
    writeFileSync(join(cli.folder, "text.txt.gz"), gzipSync(text));
    const rowsOf = (folder: string) => Object.entries(hashes(folder)).filter(([name]) => name.startsWith("rows/"));
    const packed = ["scan", "diffuse-mlp", "--data", "text.txt.gz", ...small.slice(2), "--out", "packed"];
    expect((await run(packed)).code).toBe(0);
    const piped = ["scan", "diffuse-mlp", "--data", "-", ...small.slice(2), "--out", "piped"];
    expect((await run(piped, { input: text })).code).toBe(0);
    expect(rowsOf("packed")).toEqual(rowsOf("whole"));
    expect(rowsOf("piped")).toEqual(rowsOf("whole"));
  });

  it("leaves a folder alone that holds another scan, and names what differs", async () => {
    const before = hashes("whole");
    const other = await scan("whole", ["--resume", "--max-length", "16", "--seed", "7"]);
    expect(other.stderr).toMatch(
      /whole holds another scan: --seed was 0, and is 7 and --max-length was 32, and is 16\./,
    );
    cli.given("text2.txt", `${text}.`);
    const data = await run([
      "scan",
      "diffuse-mlp",
      "--data",
      "text2.txt",
      ...small.slice(2),
      "--out",
      "whole",
      "--resume",
    ]);
    expect(data.stderr).toMatch(/--data was text\.txt, and is text2\.txt/);
    expect([other.code, data.code]).toEqual([2, 2]);
    expect(hashes("whole")).toEqual(before);
  });

  it("writes tables of all neurons as Parquet", async () => {
    const args = ["scan", "neurons", "--data", "text.txt", "--max-length", "32", "--examples", "2", "--out", "neurons"];
    const { stderr, code } = await run(args);
    expect(stderr).toMatch(
      /Wrote neurons: report.*neurons\.parquet: every neuron, examples\.parquet: the examples of each/,
    );
    expect(code).toBe(0);
    const examples = await fileSource(join(cli.folder, "neurons/examples.parquet"));
    expect((await readTexts(examples, { column: "component" })).slice(0, 3)).toEqual(["L0N0", "L0N0", "L0N1"]);
  });

  it("saves activations that train-dictionary reads, the same when it was stopped or merged", async () => {
    const args = ["scan", "activations", "--data", "text.txt", "--max-length", "32", "--shard-size", "0.0025"];
    const { stderr, code } = await run([...args, "--batch-tokens", "128", "--out", "saved"]);
    expect(stderr).toMatch(/Wrote saved: report.*index\.json and activations\/\*\.safetensors: a row of numbers/);
    expect(code).toBe(0);
    const stopped = await run([...args, "--batch-tokens", "128", "--out", "saved-2", "--shard", "1/2"]);
    expect(stopped.code).toBe(0);
    await run([...args, "--batch-tokens", "128", "--out", "saved-3", "--shard", "2/2"]);
    expect((await run(["merge", "saved-2", "saved-3", "--out", "saved-4"])).code).toBe(0);
    expect(hashes("saved-4")).toEqual(hashes("saved"));
    const training = ["--d-sae", "32", "--batch-size", "64", "--mixed-batches", "2", "--steps", "3"];
    const trained = await run(["train-dictionary", "saved", ...training, "--out", "trained"]);
    expect(trained.stderr).toMatch(/^saved: activations of [\d,]+ tokens\nstep 1 of 3/);
    expect(trained.stdout).toMatch(/^After 3 steps/);
    const other = await run(["train-dictionary", "saved", "--model", "gelu-3l-novels", ...training, "--out", "other"]);
    expect(other.stderr).toMatch(/saved has activations of another model, solu-1l-novels: name it with --model/);
    const both = await run(["train-dictionary", "saved", "text.txt", ...training, "--out", "other"]);
    expect(both.stderr).toMatch(/saved holds activations, which are the only data of a run: name it alone/);
    expect([trained.code, other.code, both.code]).toEqual([0, 2, 2]);
  });

  it("reads a dataset of the hub by name: its split, its first texts, pinned to a commit", async () => {
    const lines = text.split("\n").filter((line) => line !== "");
    const parquet = (rows: readonly string[]) => ({
      large: true,
      content: new Uint8Array(
        parquetWriteBuffer({ columnData: [{ name: "text", data: [...rows], type: "STRING" }], rowGroupSize: [50] }),
      ),
    });
    const hub = await TestHub.start("org/lines", {
      "data/train-00000-of-00002.parquet": parquet(lines.slice(0, 100)),
      "data/train-00001-of-00002.parquet": parquet(lines.slice(100)),
      "data/test-00000-of-00001.parquet": parquet(lines.slice(0, 60)),
    });
    try {
      const scanned = async (out: string, ...more: string[]) => {
        const result = await run(
          ["scan", "loss", "--data", "hf://org/lines", "--max-length", "32", "--out", out, ...more],
          {
            env: { ...env, HF_ENDPOINT: hub.endpoint, HF_TOKEN: "", HF_HUB_OFFLINE: "" },
          },
        );
        expect(result.stderr).not.toMatch(/glassformer: /);
        return JSON.parse(readFileSync(join(cli.folder, out, "report/finding.json"), "utf8"));
      };
      const all = await scanned("hub");
      expect(all.settings).toMatchObject({ data: `hf://org/lines@${commit}`, texts: 150 });
      expect(all.provenance.command).toContain(`--data hf://org/lines@${commit}`);
      cli.given("lines.jsonl", lines.map((line) => `${JSON.stringify({ text: line })}\n`).join(""));
      await run(["scan", "loss", "--data", "lines.jsonl", "--max-length", "32", "--out", "lines"]);
      const same = JSON.parse(readFileSync(join(cli.folder, "lines/report/finding.json"), "utf8"));
      expect(all.summary[0].figure.value).toBeCloseTo(same.summary[0].figure.value, 5);
      expect((await scanned("hub-test", "--split", "test")).settings.texts).toBe(60);
      expect((await scanned("hub-some", "--limit", "120")).settings.texts).toBe(120);
      expect((await scanned("hub-few", "--limit", "7", "--shard-size", "0.0001")).settings.texts).toBe(7);
      const gone = await run(["scan", "loss", "--data", "hf://org/lines", "--split", "dev", "--out", "refused"], {
        env: { ...env, HF_ENDPOINT: hub.endpoint },
      });
      expect(gone.stderr).toMatch(/no split "dev"/);
      expect(gone.code).toBe(2);
    } finally {
      await hub.stop();
    }
  });

  it("says so where no text has a token", async () => {
    cli.given("blank.jsonl", "\n\n");
    const { stderr, code } = await run(["scan", "loss", "--data", "blank.jsonl", "--out", "blank"]);
    expect(stderr).toMatch(
      /\nglassformer: \d+ texts? of blank\.jsonl (was|were) read, and none has a token: there is nothing/,
    );
    expect(code).toBe(2);
    expect(existsSync(join(cli.folder, "blank/report"))).toBe(false);
  });

  it("names a shard that is cut off, and makes it again once it is gone", async () => {
    const file = join(cli.folder, "stopped/shards/000002.safetensors");
    const bytes = readFileSync(file);
    writeFileSync(file, bytes.subarray(0, 500));
    const { stderr, code } = await run(["merge", "stopped"]);
    expect(stderr).toMatch(
      /000002\.safetensors is cut off or damaged: delete it, and run the scan again with --resume/,
    );
    expect(code).toBe(2);
    writeFileSync(file, bytes);
  });

  it.each([
    ["a scan that does not exist", ["scan", "diffuse-mpl", ...small], /no scan "diffuse-mpl".*diffuse-mlp/s],
    ["no scan", ["scan", ...small], /Name what to scan for/],
    [
      "a limit of something else than rows",
      ["scan", "diffuse-mlp", ...small, "--limit", "3"],
      /--limit counts rows of Parquet, and text\.txt has none/,
    ],
    ["a split of a file", ["scan", "diffuse-mlp", ...small, "--split", "train"], /--split is for datasets of the hub/],
    ["no text", ["scan", "diffuse-mlp"], /There is nothing to scan: name texts with --data/],
    [
      "a file that is not there",
      ["scan", "diffuse-mlp", "--data", "nothing.txt"],
      /nothing\.txt cannot be read: there is no such file/,
    ],
    ["an empty file", ["scan", "diffuse-mlp", "--data", "empty.txt"], /empty\.txt is empty: it has no text/],
    [
      "bytes that are not text",
      ["scan", "diffuse-mlp", "--data", "bad.txt"],
      /bad\.txt is not UTF-8: the byte 0xFF at offset 10/,
    ],
    [
      "a column that is not there",
      ["scan", "diffuse-mlp", "--data", "a.jsonl"],
      /has no text under "text"; its fields are body/,
    ],
    [
      "a share that is none",
      ["scan", "diffuse-mlp", ...small, "--shard", "3/2"],
      /--shard must be i\/n with i from 1 to n/,
    ],
    [
      "rows longer than the context",
      ["scan", "diffuse-mlp", "--data", "text.txt", "--max-length", "900"],
      /context holds only 256/,
    ],
    [
      "a folder with other files",
      ["scan", "diffuse-mlp", "--data", "text.txt", "--out", "."],
      /\. holds no scan, but other files/,
    ],
    ["nothing to resume", ["scan", "diffuse-mlp", ...small, "--resume"], /holds no scan to resume/],
    ["a folder without a scan to merge", ["merge", "."], /\. holds no scan: it has no scan\.json/],
  ])("refuses %s in a sentence", async (_what, args, message) => {
    cli.given("empty.txt", "");
    writeFileSync(join(cli.folder, "bad.txt"), Uint8Array.from([...Buffer.from("some text\n"), 0xff, 10]));
    cli.given("a.jsonl", '{"body":"x"}\n');
    const out = args.includes("--out") || args[0] === "merge" ? [] : ["--out", "refused"];
    const { stderr, code } = await run([...args, ...out]);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/bug in glassformer/);
    expect(code).toBe(2);
    expect(existsSync(join(cli.folder, "refused"))).toBe(false);
  });
});
