import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { hubSettings } from "../../src/load/node.ts";

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "glassformer-home-"));
});
afterEach(() => rm(home, { recursive: true }));

const settings = (env: Record<string, string> = {}) => hubSettings({ HOME: home, ...env });

test("with nothing set: the cache in the home folder, the public hub, no token", async () => {
  expect(await settings()).toEqual({
    cacheDir: join(home, ".cache/huggingface/hub"),
    endpoint: "https://huggingface.co",
    offline: false,
    token: undefined,
  });
});

describe("the cache is where the most specific variable says", () => {
  test.each([
    [{ XDG_CACHE_HOME: "/xdg" }, "/xdg/huggingface/hub"],
    [{ XDG_CACHE_HOME: "/xdg", HF_HOME: "/hf" }, "/hf/hub"],
    [{ HF_HOME: "/hf", HUGGINGFACE_HUB_CACHE: "/old" }, "/old"],
    [{ HF_HOME: "/hf", HUGGINGFACE_HUB_CACHE: "/old", HF_HUB_CACHE: "/hub" }, "/hub"],
    [{ BASE: "/base", HF_HUB_CACHE: "$BASE/a/$" + "{BASE}" }, "/base/a/base"],
    [{ HF_HUB_CACHE: "" }, undefined],
  ])("%j", async (env, cacheDir) => {
    expect((await settings(env as Record<string, string>)).cacheDir).toBe(
      cacheDir ?? join(home, ".cache/huggingface/hub"),
    );
  });

  test("~ is the home folder", async () => {
    expect((await settings({ HF_HOME: "~/models" })).cacheDir).toBe(join(home, "models/hub"));
  });
});

describe("the token", () => {
  test("is HF_TOKEN, else the older name, else the file that `hf auth login` writes", async () => {
    await mkdir(join(home, ".cache/huggingface"), { recursive: true });
    await writeFile(join(home, ".cache/huggingface/token"), "from_file\n");
    expect((await settings()).token).toBe("from_file");
    expect((await settings({ HUGGING_FACE_HUB_TOKEN: "older" })).token).toBe("older");
    expect((await settings({ HUGGING_FACE_HUB_TOKEN: "older", HF_TOKEN: " new\n" })).token).toBe("new");
    expect((await settings({ HF_TOKEN: "new", HF_HUB_DISABLE_IMPLICIT_TOKEN: "1" })).token).toBeUndefined();
  });

  test("file may be elsewhere", async () => {
    await writeFile(join(home, "mine"), "elsewhere");
    expect((await settings({ HF_TOKEN_PATH: "~/mine" })).token).toBe("elsewhere");
  });
});

test("HF_ENDPOINT is taken without its last slash", async () => {
  expect((await settings({ HF_ENDPOINT: "https://mirror.example/hf/" })).endpoint).toBe("https://mirror.example/hf");
});

test.each([
  ["1", true],
  ["true", true],
  ["Yes", true],
  ["ON", true],
  ["0", false],
  ["", false],
  ["off", false],
])("HF_HUB_OFFLINE=%s is %s", async (value, offline) => {
  expect((await settings({ HF_HUB_OFFLINE: value })).offline).toBe(offline);
});

test("TRANSFORMERS_OFFLINE counts if HF_HUB_OFFLINE is not set", async () => {
  expect((await settings({ TRANSFORMERS_OFFLINE: "1" })).offline).toBe(true);
  expect((await settings({ TRANSFORMERS_OFFLINE: "1", HF_HUB_OFFLINE: "0" })).offline).toBe(false);
});
