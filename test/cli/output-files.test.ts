/** Files that a command writes: completely or not at all, through links, under every name that the system accepts. */
import { execFileSync } from "node:child_process";
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { outputFiles, writeFolder, writeWhole } from "../../src/cli/output-files.ts";
import { ArgumentError } from "../../src/tensor/errors.ts";

let folder: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "glassformer-output-")));
});
afterEach(() => rm(folder, { recursive: true }));
const at = (...parts: string[]) => join(folder, ...parts);
const write = async (path: string, content = "new") => {
  await outputFiles([path]);
  await writeWhole(path, content);
};

describe.skipIf(process.platform === "win32")("a report", () => {
  test.each([200, 241, 242, 255])("may have a name of %d letters", async (length) => {
    const name = `${"x".repeat(length - 5)}.html`;
    await write(at(name));
    expect(await readdir(folder)).toEqual([name]);
    expect(await readFile(at(name), "utf8")).toBe("new");
  });

  test("may not have a longer one", async () => {
    await expect(write(at(`${"x".repeat(251)}.html`))).rejects.toThrow(/has a name that is too long/);
  });

  test("follows links, to files that exist and to files that do not yet", async () => {
    await mkdir(at("elsewhere"));
    await writeFile(at("elsewhere/there.html"), "old");
    await symlink("elsewhere/there.html", at("one.html"));
    await symlink(at("one.html"), at("two.html"));
    await symlink("elsewhere/fresh.html", at("three.html"));
    await write(at("two.html"));
    await write(at("three.html"));
    expect(await readFile(at("elsewhere/there.html"), "utf8")).toBe("new");
    expect(await readFile(at("elsewhere/fresh.html"), "utf8")).toBe("new");
    for (const link of ["one.html", "two.html", "three.html"]) {
      expect((await lstat(at(link))).isSymbolicLink()).toBe(true);
    }
    expect((await readdir(at("elsewhere"))).sort()).toEqual(["fresh.html", "there.html"]);
  });

  test("keeps the permissions of the file that it replaces", async () => {
    await writeFile(at("a.html"), "old");
    await chmod(at("a.html"), 0o640);
    await write(at("a.html"));
    expect((await stat(at("a.html"))).mode & 0o777).toBe(0o640);
  });

  test("does not replace anything but a file, and is not written where links lead nowhere", async () => {
    execFileSync("mkfifo", [at("pipe.html")]);
    await symlink("/dev/null", at("device.html"));
    await symlink("no/such/x.html", at("lost.html"));
    await symlink("circle.html", at("circle.html"));
    await writeFile(at("file"), "");
    for (const [name, told] of [
      ["pipe.html", /pipe\.html is a pipe: name a file/],
      ["device.html", /is a link to \/dev\/null, a device/],
      ["lost.html", /is a link to .*, in ".*no\/such", which is not a folder/],
      ["circle.html", /is a link that leads back to itself/],
      ["file/x.html", /in ".*file", which is not a folder/],
    ] as const) {
      const error = await write(at(name)).catch((e) => e);
      expect(error).toBeInstanceOf(ArgumentError);
      expect(error.message).toMatch(told);
    }
    await symlink("real.html", at("link.html"));
    await expect(outputFiles([at("real.html"), at("link.html")])).rejects.toThrow(/names .*link\.html twice/);
  });

  test("are one file if their folder is reached through a link", async () => {
    await symlink("folder.html", at("elsewhere"));
    await mkdir(at("folder.html"));
    await expect(outputFiles([at("folder.html", "a.txt"), at("elsewhere", "a.txt")])).rejects.toThrow(/a\.txt twice/);
  });

  test("are not files that the command reads, under any name", async () => {
    await writeFile(at("prompts.txt"), "a prompt");
    await symlink("prompts.txt", at("same.txt"));
    for (const path of [at("prompts.txt"), at("same.txt")]) {
      await expect(outputFiles([path], "--out", undefined, ["-", at("prompts.txt")])).rejects.toThrow(
        /txt is a file that the command reads: choose another name/,
      );
    }
    expect(await outputFiles([at("other.txt")], "--out", undefined, [at("prompts.txt")])).toHaveLength(1);
  });

  test("that cannot be written leaves the old one as it was, and nothing next to it", async () => {
    await writeFile(at("a.html"), "old");
    const stop = AbortSignal.abort(new Error("stopped"));
    await expect(writeWhole(at("a.html"), "new", stop)).rejects.toThrow("stopped");
    await expect(writeWhole(at("gone", "a.html"), "new")).rejects.toThrow(/could not be written: its folder is gone/);
    expect(await readFile(at("a.html"), "utf8")).toBe("old");
    expect(await readdir(folder)).toEqual(["a.html"]);
  });
});

describe.skipIf(process.platform === "win32")("a folder of a report", () => {
  const FILES = [
    { name: "report.html", content: "page" },
    { name: "top.csv", content: "a,b" },
  ];
  const all = async (name: string) =>
    Object.fromEntries(
      await Promise.all((await readdir(at(name))).map(async (file) => [file, await readFile(at(name, file), "utf8")])),
    );

  test("is a name that ends in a slash, or that of a folder, also through a link", async () => {
    await mkdir(at("there.html"));
    await symlink("there.html", at("linked"));
    for (const path of [`${at("new")}/`, at("there.html"), at("linked"), at("linked/")]) {
      expect(await outputFiles([path]), path).toEqual([{ path, format: "html", folder: true }]);
    }
    await expect(outputFiles([at("new")])).rejects.toThrow(/has no extension.*a folder's name ends in "\/"/);
  });

  test("is not made in a folder that does not exist, over a file, or where nothing may be written", async () => {
    await writeFile(at("a.txt"), "");
    await mkdir(at("closed"), { mode: 0o500 });
    await expect(outputFiles([at("no/such/")])).rejects.toThrow(/is in ".*no", which is not a folder: create it first/);
    await expect(outputFiles([`${at("a.txt")}/`])).rejects.toThrow(/a\.txt\/ is not a folder, although its name/);
    if (process.getuid?.() !== 0) {
      await expect(outputFiles([at("closed/")])).rejects.toThrow(/is not writable: choose another folder/);
      await expect(outputFiles([at("closed/new/")])).rejects.toThrow(/closed", which is not writable/);
    }
  });

  test("can be in the folder of a training run, or that folder, but not where that keeps its own files", async () => {
    const paths = [at("run/figs/"), at("run/"), at("new/")];
    const files = await outputFiles(paths, "--report", at("run"));
    expect(files).toEqual(paths.map((path) => ({ path, format: "html", folder: true })));
    await expect(outputFiles([at("run/step-0000001/")], "--report", at("run"))).rejects.toThrow(/keeps its own files/);
  });

  test("is made new, or gets the files next to what is in it", async () => {
    await writeFolder(at("new/"), FILES);
    expect(await all("new")).toEqual({ "report.html": "page", "top.csv": "a,b" });
    await writeFile(at("new/mine.txt"), "mine");
    await writeFolder(at("new"), [{ name: "top.csv", content: "c,d" }]);
    expect(await all("new")).toEqual({ "report.html": "page", "top.csv": "c,d", "mine.txt": "mine" });
    expect(await readdir(folder)).toEqual(["new"]);
  });

  test("stays as it was if a file cannot be written, and nothing is left over", async () => {
    await mkdir(at("old/top.csv"), { recursive: true });
    await expect(writeFolder(at("old"), FILES)).rejects.toThrow(/top\.csv is not a file, so nothing was written/);
    expect(await readdir(at("old"))).toEqual(["top.csv"]);
    const stop = AbortSignal.abort(new Error("stopped"));
    for (const name of ["old", "new"]) await expect(writeFolder(at(name), FILES, stop)).rejects.toThrow("stopped");
    await expect(writeFolder(at("new"), [...FILES, { name: "x".repeat(300), content: "" }])).rejects.toThrow(
      /could not be written.*No partial file was left behind/,
    );
    expect(await readdir(folder)).toEqual(["old"]);
    expect(await readdir(at("old"))).toEqual(["top.csv"]);
  });
});
