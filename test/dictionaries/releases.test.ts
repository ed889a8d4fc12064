/** SAELens' names of releases: which repository, and where in it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { pathsOf } from "../../src/dictionaries/releases/names.ts";
import { RELEASES } from "../../src/dictionaries/releases/table.ts";
import { Dictionary } from "../../src/node.ts";
import { type HubFile, TestHub } from "../load/hub-server.ts";
import { randomDictionary } from "./random-dictionary.ts";

describe("the table of releases", () => {
  test("has SAELens 6.18's 73 releases, 1,982 dictionaries of which are elsewhere than their id says", () => {
    expect(Object.keys(RELEASES)).toHaveLength(73);
    const paths = Object.values(RELEASES).map((release) => pathsOf(release).size);
    expect(paths.reduce((a, b) => a + b)).toBe(1982);
  });

  test.each([
    ["gpt2-small-res-jb", "jbloom/GPT2-Small-SAEs-Reformatted", "blocks.8.hook_resid_pre", undefined],
    [
      "gpt2-small-resid-post-v5-32k",
      "jbloom/GPT2-Small-OAI-v5-32k-resid-post-SAEs",
      "blocks.5.hook_resid_post",
      "v5_32k_layer_5.pt",
    ],
    [
      "gemma-scope-2b-pt-res-canonical",
      "google/gemma-scope-2b-pt-res",
      "layer_12/width_16k/canonical",
      "layer_12/width_16k/average_l0_82",
    ],
    ["llama_scope_lxr_8x", "fnlp/Llama3_1-8B-Base-LXR-8x", "l10r_8x", "Llama3_1-8B-Base-L10R-8x"],
    [
      "sae_bench_pythia70m_sweep_topk_ctx128_0730",
      "canrager/lm_sae",
      "blocks.3.hook_resid_post__trainer_0",
      "pythia70m_sweep_topk_ctx128_0730/resid_post_layer_3/trainer_0",
    ],
    [
      "gpt2-small-hook-z-kk",
      "ckkissane/attn-saes-gpt2-small-all-layers",
      "blocks.0.hook_z",
      "gpt2-small_L0_Hcat_z_lr1.20e-03_l11.80e+00_ds24576_bs4096_dc1.00e-06_rsanthropic_rie25000_nr4_v9.pt",
    ],
    [
      "llama_scope_r1_distill",
      "fnlp/Llama-Scope-R1-Distill",
      "l0r_800m_slimpajama",
      "800M-Slimpajama-0-OpenR1-Math-220k/L0R",
    ],
    ["mwhanna-qwen3-4b-transcoders", "mwhanna/qwen3-4b-transcoders", "layer_35", "layer_35.safetensors"],
  ])("%s is %s", (name, repo, id, path) => {
    expect(RELEASES[name].repo).toBe(repo);
    expect(pathsOf(RELEASES[name]).get(id)).toBe(path);
  });
});

describe("a release by its name", () => {
  let hub: TestHub;
  let cache: string;
  afterEach(async () => {
    await hub.stop();
    rmSync(cache, { recursive: true, force: true });
    vi.unstubAllEnvs();
  });

  /** A hub that has a repository with one dictionary in these folders. */
  async function has(repo: string, folders: readonly string[], cfg: object = {}): Promise<void> {
    const files: Record<string, HubFile> = {};
    for (const folder of folders) {
      for (const [name, content] of randomDictionary("blocks.0.hook_mlp_out", 8).toFiles()) {
        const text = new TextDecoder().decode(content);
        const changed =
          name === "cfg.json" ? new TextEncoder().encode(JSON.stringify({ ...JSON.parse(text), ...cfg })) : content;
        files[`${folder}/${name}`] = { content: changed, large: false };
      }
    }
    hub = await TestHub.start(repo, files);
    cache = mkdtempSync(join(tmpdir(), "glassformer-releases-"));
    vi.stubEnv("HF_ENDPOINT", hub.endpoint);
    vi.stubEnv("HF_HUB_CACHE", cache);
  }

  test("is opened where SAELens' list has it, with the factor that its files lack", async () => {
    const folder = "sae_group_gpt2_blocks.1.hook_mlp_out_24576:v0";
    await has("tommmcgrath/gpt2-small-mlp-out-saes", [folder], { normalize_activations: "expected_average_only_in" });
    const found = await Dictionary.fromPretrained("gpt2-small-mlp-tm", { id: "blocks.1.hook_mlp_out" });
    expect(found.cfg.normalizeActivations).toBe("none");
    const own = randomDictionary("blocks.0.hook_mlp_out", 8).weights.get("W_enc")!;
    expect(found.weights.get("W_enc")!.data[0] / own.data[0]).toBeCloseTo(2.3693984, 5);
    await expect(Dictionary.fromPretrained("gpt2-small-mlp-tm", { id: "blocks.1.hook_mlp" })).rejects.toThrow(
      /dictionary in the release gpt2-small-mlp-tm with the id.*blocks\.1\.hook_mlp_out/s,
    );
  });

  test("has its ids as paths where the list has no others, and a way to normalise that the files have otherwise", async () => {
    await has("JoshEngels/Mistral-7B-Residual-Stream-SAEs", ["mistral_7b_layer_8"]);
    const found = await Dictionary.fromPretrained("mistral-7b-res-wg", { id: "blocks.8.hook_resid_pre" });
    expect(found.cfg.normalizeActivations).toBe("constant_norm_rescale");
    await hub.stop();
    await has("jbloom/GPT2-Small-SAEs-Reformatted", ["blocks.8.hook_resid_pre", "blocks.9.hook_resid_pre"]);
    expect((await Dictionary.fromPretrained("gpt2-small-res-jb", { id: "blocks.8.hook_resid_pre" })).dSae).toBe(12);
    await expect(Dictionary.fromPretrained("gpt2-small-res-jb")).rejects.toThrow(
      "has 2 dictionaries: name one with the option id: blocks.8.hook_resid_pre, blocks.9.hook_resid_pre",
    );
  });
});
