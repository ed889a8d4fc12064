/** `glassformer train-dictionary`: a dictionary in a folder, nothing lost whatever happens, and what cannot be is said. */
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Dictionary } from "../../src/node.ts";
import { Cli, type RunOptions } from "./process.ts";

let cli: Cli;
beforeAll(async () => {
  cli = await Cli.build();
  const line = (i: number) => `The ${["cat", "dog", "bird"][i % 3]} sat on the ${["mat", "log"][i % 2]}, ${i * 7}.\n`;
  cli.given("text.txt", Array.from({ length: 200 }, (_, i) => line(i)).join(""));
});
afterAll(() => cli?.remove());

const small = ["--d-sae", "64", "--batch-size", "64", "--mixed-batches", "2", "--max-length", "32"];
const run = (args: readonly string[], options?: RunOptions) => cli.run(["train-dictionary", ...args], options);

describe("glassformer train-dictionary", () => {
  it("trains on a text, shows how well, and leaves a dictionary that opens", async () => {
    const { code, stdout, stderr } = await run([
      ...["text.txt", ...small, "--kind", "batchtopk", "--k", "4", "--steps", "20", "--out", "first"],
    ]);
    expect(stderr).toMatch(/^text\.txt: 1 text, [\d,]+ characters\n[\d,]+ rows of 32 tokens\nstep 1 of 20, error /);
    expect(stderr).toMatch(/\nstep 20 of 20, error [\d.]+, L0 4\.0, explained -?[\d.]+, dead 0 %, [\d,]+ tokens\/s\n/);
    expect(stderr).toMatch(/\nSaved first\/step-0000020\.\n$/);
    expect(stdout).toMatch(/^After 20 steps, the means of the last 20:\n {2}squared error +[\d.]+\n/);
    expect(code).toBe(0);
    const dictionary = await Dictionary.fromPretrained(join(cli.folder, "first/step-0000020"));
    expect(dictionary.cfg).toMatchObject({ architecture: "jumprelu", hookName: "blocks.0.hook_mlp_out", dSae: 64 });
    expect(dictionary.cfg.metadata).toMatchObject({ context_size: 32, dataset_path: "text.txt" });
  });

  it("saves what it has done when it is stopped, and continues from there", async () => {
    const args = ["text.txt", ...small, "--kind", "topk", "--k", "4", "--steps", "400", "--out", "stopped"];
    const { code, stderr } = await run(args, { interruptAt: /step 20 of/ });
    expect(stderr).toContain("Stopping after this step and saving.");
    expect(code).toBe(130);
    const saved = readdirSync(join(cli.folder, "stopped")).at(-1)!;
    const step = Number(saved.slice(5));
    expect(step).toBeGreaterThanOrEqual(20);
    const more = ["--steps", `${step + 2}`, "--resume"];
    const resumed = await run([...args.filter((arg, i) => arg !== "--steps" && args[i - 1] !== "--steps"), ...more]);
    expect(resumed.code).toBe(0);
    expect(resumed.stderr).toMatch(new RegExp(`Saved stopped/step-0*${step + 2}\\.`));
  });

  it("saves a resumed run that is stopped, too, and leaves a folder alone that holds another run or a model", async () => {
    const args = ["text.txt", ...small, "--kind", "topk", "--k", "4", "--out", "again"];
    expect((await run([...args, "--steps", "2"])).code).toBe(0);
    const before = readdirSync(join(cli.folder, "again"));
    const other = await run([...args, "--steps", "4"]);
    expect(other.stderr).toMatch(/again already holds a training run, up to step 2: continue it with --resume/);
    expect([other.code, readdirSync(join(cli.folder, "again"))]).toEqual([2, before]);
    const stopped = await run([...args, "--steps", "400", "--resume"], { interruptAt: /step 40 of/ });
    expect(stopped.stderr).toMatch(/resuming from step 2\n[\s\S]*Stopping after this step and saving/);
    expect(stopped.code).toBe(130);
    expect(Number(readdirSync(join(cli.folder, "again")).at(-1)!.slice(5))).toBeGreaterThanOrEqual(40);
    mkdirSync(join(cli.folder, "model"));
    cli.given("model/config.json", "{}");
    const inModel = await run([...args.slice(0, -1), "model", "--steps", "2"]);
    expect(inModel.stderr).toMatch(/model is the folder of a model/);
  });

  it.each([
    ["nothing to train on", ["--out", "x"], /nothing to train on: name text files/],
    ["a hook point that is not there", ["text.txt", "--out", "x", "--at", "blocks.0.hook_mlp_ou"], /hook_mlp_out/],
    ["an option of another kind", ["text.txt", "--out", "x", "--kind", "topk", "--l1-coefficient", "2"], /--kind/],
    [
      "more features per token than there are",
      ["text.txt", "--out", "x", ...small, "--kind", "topk", "--k", "65"],
      /only 64/,
    ],
  ])("refuses %s, and writes nothing", async (_what, args, message) => {
    const { code, stderr } = await run(args);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
    expect(existsSync(join(cli.folder, "x"))).toBe(false);
  });
});
