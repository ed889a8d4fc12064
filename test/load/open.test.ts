import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { memoryFiles } from "../../src/load/index.ts";
import { bundledModels } from "../../src/load/names.ts";
import { fileSource, folderFiles, openModelFiles } from "../../src/load/node.ts";
import { ArgumentError, FileFormatError, InputError, UnknownNameError } from "../../src/tensor/errors.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "glassformer-open-"));
  await mkdir(join(folder, "checkpoints"));
  await mkdir(join(folder, ".git"));
  await writeFile(join(folder, "config.json"), "{}");
  await writeFile(join(folder, "checkpoints/1.pth"), "one");
  await writeFile(join(folder, ".git/HEAD"), "ref");
  await symlink("checkpoints/1.pth", join(folder, "linked.pth"));
  await symlink("nowhere", join(folder, "broken.pth"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("a name means", () => {
  test("a local folder, if there is one", async () => {
    const files = await openModelFiles(folder);
    expect(files.name).toBe(folder);
    expect(await files.readText("config.json")).toBe("{}");
  });

  test.each([
    ["solu-1l-novels", "solu-1l-novels", 1],
    ["bundled", "solu-1l-novels", 1],
    ["gelu-3l-novels", "gelu-3l-novels", 3],
  ])("the bundled model for %s", async (name, model, layers) => {
    const files = await openModelFiles(name);
    expect(files.name).toBe(model);
    expect(bundledModels).toContain(model);
    const config = JSON.parse(await files.readText("config.json"));
    expect(await files.list()).toEqual(["README.md", "config.json", ...config.files].sort());
    expect(config.files).toEqual(expect.arrayContaining(["model.safetensors", "tokenizer.json"]));
    expect(config).toMatchObject({ n_layers: layers });
  });

  test.each(["org/name", "gpt2"])("a model on the hub for %s, which is not contacted yet", async (name) => {
    const settings = { cacheDir: folder, endpoint: "http://127.0.0.1:9", offline: true, token: undefined };
    const files = await openModelFiles(name, { settings });
    expect(files.name).toBe(name);
    await expect(files.list()).rejects.toThrow(/not in the cache/);
  });

  test.each(["./no-such-folder", "/no/such/folder", "a/b/c", "", "two words"])("nothing for %j", async (name) => {
    const error = await openModelFiles(name).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ArgumentError);
    expect((error as Error).message).toMatch(/neither an existing folder nor a model's name/);
  });

  test("not a file: the folder must be named", async () => {
    await expect(openModelFiles(join(folder, "config.json"))).rejects.toThrow(
      /is a file: name the folder that contains it/,
    );
  });
});

describe("a folder", () => {
  test("lists all files in it, including links and dangling links, but no hidden folders", async () => {
    const files = ["broken.pth", "checkpoints/1.pth", "config.json", "linked.pth"];
    expect(await folderFiles(folder).list()).toEqual(files);
  });

  test("says where a dangling link leads", async () => {
    const error = await folderFiles(folder)
      .open("broken.pth")
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(InputError);
    expect((error as Error).message).toMatch(/broken\.pth is a link to nowhere, but there is no file/);
  });

  test("does not open folders, missing files, or anything outside itself", async () => {
    const files = folderFiles(join(folder, "checkpoints"));
    for (const path of ["../config.json", "2.pth", ".", "/etc/passwd"]) {
      await expect(files.open(path)).rejects.toBeInstanceOf(UnknownNameError);
    }
    await expect(folderFiles(folder).open("checkpoints")).rejects.toBeInstanceOf(UnknownNameError);
    expect(await files.open("2.pth").catch((e: unknown) => e)).toMatchObject({ nearest: "1.pth" });
  });

  test("reads ranges of its files", async () => {
    const source = await folderFiles(folder).open("checkpoints/1.pth");
    expect(source.size).toBe(3);
    expect(new TextDecoder().decode(await source.read(1, 3))).toBe("ne");
  });

  test("says so when a file has become shorter since it was opened", async () => {
    const source = await fileSource(join(folder, "checkpoints/1.pth"));
    await writeFile(join(folder, "checkpoints/1.pth"), "o");
    await expect(source.read(0, 3)).rejects.toBeInstanceOf(FileFormatError);
  });

  test("says so when text is not UTF-8", async () => {
    await writeFile(join(folder, "config.json"), Uint8Array.of(0xff));
    await expect(folderFiles(folder).readText("config.json")).rejects.toThrow(/not UTF-8/);
  });
});

test("files in memory list, open and refuse as a folder does", async () => {
  const files = memoryFiles("page", { "b.txt": "text", a: Uint8Array.of(1) });
  expect(await files.list()).toEqual(["a", "b.txt"]);
  expect(await files.readText("b.txt")).toBe("text");
  const error = await files.open("b.text").catch((e: unknown) => e);
  expect(error).toBeInstanceOf(UnknownNameError);
  expect(error).toMatchObject({ nearest: "b.txt" });
  await expect(files.open("constructor")).rejects.toBeInstanceOf(UnknownNameError);
});
