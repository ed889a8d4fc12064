/** Revisions of a model on the hub, and the training checkpoints among them. */
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { getCheckpointLabels, loadTokenizer } from "../../src/lens/from-pretrained.ts";
import { HookedTransformer } from "../../src/lens/hooked-transformer.ts";
import { memoryFiles } from "../../src/load/memory.ts";
import { hubFiles, openModelFiles } from "../../src/load/node.ts";
import { openModelFiles as openWebModelFiles, hubFiles as webHubFiles } from "../../src/load/web.ts";
import { knownSteps, stepsOfBranches } from "../../src/models/families/published-steps.ts";
import { ArgumentError, HubError, UnknownNameError } from "../../src/tensor/errors.ts";
import "../../src/node.ts";
import { commitOf, type HubFile, TestHub } from "./hub-server.ts";

const tiny = (file: string) => readFileSync(new URL(`../goldens/hf/gpt2-tiny/${file}`, import.meta.url));
const text = (content: object): HubFile => ({
  content: new TextEncoder().encode(JSON.stringify(content)),
  large: false,
});
const config = { ...JSON.parse(tiny("config.json").toString()) };
/** A model whose configuration says which revision it is. */
const model = (layerNormEpsilon: number): Record<string, HubFile> => ({
  "config.json": text({ ...config, layer_norm_epsilon: layerNormEpsilon }),
  "model.safetensors": { content: tiny("model.safetensors"), large: true },
});

const open: { hub: TestHub; cacheDir: string }[] = [];
afterEach(async () => {
  for (const { hub, cacheDir } of open.splice(0)) {
    await hub.stop();
    await rm(cacheDir, { recursive: true });
  }
});
async function start(id: string, branches: Record<string, Record<string, HubFile>>) {
  const hub = await TestHub.start(id, model(0.5), branches);
  const cacheDir = await mkdtemp(join(tmpdir(), "glassformer-revisions-"));
  open.push({ hub, cacheDir });
  const settings = { cacheDir, endpoint: hub.endpoint, offline: false, limits: { tries: 1 } };
  return { hub, settings, files: () => hubFiles(id, { settings }) };
}

describe("a revision of a model on the hub", () => {
  it("is chosen by the end of its name, or by the option", async () => {
    const { settings } = await start("org/name", { "v2/new": { "other.txt": text({}) } });
    const list = async (name: string, revision?: string) => (await openModelFiles(name, { settings, revision })).list();
    expect(await list("org/name")).toEqual(["config.json", "model.safetensors"]);
    expect(await list("org/name@v2/new")).toEqual(["other.txt"]);
    expect(await list("org/name", "v2/new")).toEqual(["other.txt"]);
    expect(await list("org/name@v2/new", "v2/new")).toEqual(["other.txt"]);
    expect(await list(`org/name@${commitOf("v2/new")}`)).toEqual(["other.txt"]);
  });

  it("is refused if it does not exist, is none, or contradicts the option", async () => {
    const { settings } = await start("org/name", {});
    const open = (name: string, revision?: string) => openModelFiles(name, { settings, revision });
    await expect((await open("org/name@v3")).list()).rejects.toThrow(/has no revision "v3"/);
    await expect(open("org/name@a..b")).rejects.toThrow(/not a branch, tag or commit/);
    await expect(open("org/name@")).rejects.toThrow(ArgumentError);
    await expect(open("org/name@a", "b")).rejects.toThrow(/names the revision "a", but the option `revision` is "b"/);
  });

  it("is refused of what is not on the hub: a folder, files, and in a page a URL", async () => {
    const folder = fileURLToPath(new URL("../goldens/hf/gpt2-tiny", import.meta.url));
    const told = /`revision` is "v2", but ".*(gpt2-tiny|solu-1l-novels|mine).*" is not on the hub and has no revisions/;
    for (const name of [folder, "solu-1l-novels", "https://localhost/gpt2-tiny.gguf"]) {
      await expect(openModelFiles(name, { revision: "v2" })).rejects.toThrow(told);
    }
    const url = "https://localhost/gpt2-tiny/";
    await expect(openWebModelFiles(url, { revision: "v2" })).rejects.toThrow(told);
    const files = memoryFiles("mine", {});
    for (const [name, options] of [[folder, {}] as const, ["mine", { files }] as const]) {
      const asked = { ...options, revision: "v2" };
      await expect(HookedTransformer.fromPretrained(name, asked)).rejects.toThrow(told);
      await expect(loadTokenizer(name, asked)).rejects.toThrow(ArgumentError);
      await expect(getCheckpointLabels(name, asked)).rejects.toThrow(ArgumentError);
    }
  });

  it("is opened of a repository's files too", async () => {
    const { files } = await start("org/name", { v2: model(0.25) });
    const opened = { files: await files() };
    expect((await HookedTransformer.fromPretrainedNoProcessing("it", opened)).cfg.eps).toBe(0.5);
    expect((await HookedTransformer.fromPretrainedNoProcessing("it", { ...opened, revision: "v2" })).cfg.eps).toBe(
      0.25,
    );
  });

  it("has the others' names, in Node and in a page", async () => {
    const { files, hub } = await start("org/name", { step1: {}, "x/y": {} });
    expect(await (await files()).revisions?.list()).toEqual(["main", "step1", "x/y"]);
    const page = await webHubFiles("org/name", { settings: { endpoint: hub.endpoint, cache: false } });
    expect(await page.revisions?.list()).toEqual(["main", "step1", "x/y"]);
    expect(await (await page.revisions!.at("step1")).list()).toEqual([]);
  });

  it("cannot be looked up without the network, and says so", async () => {
    const { settings } = await start("org/name", {});
    const files = await hubFiles("org/name", { settings: { ...settings, offline: true } });
    await expect(files.revisions!.list()).rejects.toThrow(HubError);
    await expect(files.revisions!.list()).rejects.toThrow(/HF_HUB_OFFLINE is set/);
  });
});

describe("checkpoints that are revisions", () => {
  const branches = {
    "stage1-step2000-tokens9B": model(0.25),
    "stage1-step1000-tokens5B": model(0.125),
    "stage2-ingredient1-step500-tokens3B": model(0.75),
  };

  it("are found by the names of branches, and loaded by label or place", async () => {
    const { files } = await start("allenai/OLMo-tiny", branches);
    expect(await getCheckpointLabels("x", { files: await files() })).toEqual([1000, 2000]);
    const eps = async (options: object) =>
      (await HookedTransformer.fromPretrainedNoProcessing("x", { files: await files(), ...options })).cfg.eps;
    expect(await eps({})).toBe(0.5);
    expect(await eps({ checkpointValue: 1000 })).toBe(0.125);
    expect(await eps({ checkpointIndex: -1 })).toBe(0.25);
    await expect(eps({ checkpointValue: 1500 })).rejects.toThrow(UnknownNameError);
    await expect(eps({ checkpointValue: 1500 })).rejects.toThrow(/"1500".*has 2/);
  });

  it("of Pythia are known without asking the hub", async () => {
    const { files, hub } = await start("EleutherAI/pythia-70m", { step512: model(0.25) });
    expect((await getCheckpointLabels("x", { files: await files() })).slice(0, 13)).toEqual([
      ...[0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000, 2000],
    ]);
    const options = { files: await files(), checkpointValue: 512 };
    expect((await HookedTransformer.fromPretrainedNoProcessing("x", options)).cfg.eps).toBe(0.25);
    expect(hub.seen.some(({ path }) => path.endsWith("/refs"))).toBe(false);
    const missing = HookedTransformer.fromPretrained("x", { files: await files(), checkpointValue: 143_000 });
    await expect(missing).rejects.toThrow(/has no revision "step143000"/);
  });

  it("are as many as TransformerLens knows", () => {
    const steps = (id: string) => knownSteps(id)?.map(({ step }) => step);
    expect(steps("EleutherAI/pythia-160m-deduped")).toHaveLength(154);
    expect(steps("EleutherAI/pythia-1b-v0")).toHaveLength(143);
    expect(steps("EleutherAI/pythia-1b-v0")?.[0]).toBe(1000);
    expect(steps("stanford-crfm/alias-gpt2-small-x21")).toHaveLength(609);
    expect(knownSteps("stanford-crfm/alias-gpt2-small-x21")?.at(-1)).toEqual({
      step: 400_000,
      revision: "checkpoint-400000",
    });
    expect(knownSteps("gpt2")).toBeUndefined();
  });

  it("have names of a few forms", () => {
    const names = [
      "main",
      "step10",
      "checkpoint-20",
      "global_step30",
      "step40-tokens1B",
      "stage1-step50-tokens2B",
      "step",
      "v1",
    ];
    expect(stepsOfBranches(names).map(({ step }) => step)).toEqual([10, 20, 30, 40, 50]);
    expect(stepsOfBranches(["step5", "step5-tokens1B"])).toEqual([{ step: 5, revision: "step5" }]);
  });
});
