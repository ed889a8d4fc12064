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
import { outputFiles, writeWhole } from "../../src/cli/output-files.ts";
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
    await mkdir(at("folder.html"));
    execFileSync("mkfifo", [at("pipe.html")]);
    await symlink("/dev/null", at("device.html"));
    await symlink("no/such/x.html", at("lost.html"));
    await symlink("circle.html", at("circle.html"));
    await symlink("folder.html", at("linked.html"));
    await writeFile(at("file"), "");
    for (const [name, told] of [
      ["folder.html", /folder\.html is a folder: name a file in it/],
      ["pipe.html", /pipe\.html is a pipe: name a file/],
      ["device.html", /is a link to \/dev\/null, a device/],
      ["lost.html", /is a link to .*, in ".*no\/such", which is not a folder/],
      ["circle.html", /is a link that leads back to itself/],
      ["linked.html", /is a link to .*folder\.html, a folder/],
      ["file/x.html", /in ".*file", which is not a folder/],
    ] as const) {
      const error = await write(at(name)).catch((e) => e);
      expect(error).toBeInstanceOf(ArgumentError);
      expect(error.message).toMatch(told);
    }
    await symlink("real.html", at("link.html"));
    await expect(outputFiles([at("real.html"), at("link.html")])).rejects.toThrow(/names .*link\.html twice/);
  });

  test("are one file if their folder is reached through a link, and not a file if they name a folder", async () => {
    await symlink("folder.html", at("elsewhere"));
    await mkdir(at("folder.html"));
    await expect(outputFiles([at("folder.html", "a.txt"), at("elsewhere", "a.txt")])).rejects.toThrow(/a\.txt twice/);
    await expect(outputFiles([`${at("a.txt")}/`])).rejects.toThrow(/a\.txt\/ names a folder: name a file in it/);
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
