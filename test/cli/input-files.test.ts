/** What a command reads: whatever is at the path, an error is one sentence, and nothing is read endlessly. */
import { execFileSync } from "node:child_process";
import { createWriteStream, existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { inputSource, readPrompts, readText } from "../../src/cli/input-files.ts";
import { fileSource } from "../../src/load/node.ts";
import { InputError } from "../../src/tensor/errors.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "glassformer-input-"));
});
afterEach(() => rm(folder, { recursive: true }));
const at = (name: string) => join(folder, name);

describe.skipIf(process.platform !== "linux")("prompts from", () => {
  test.each([
    ["an endless device", () => "/dev/zero", /zero is larger than 64 MB/],
    ["another", () => "/dev/urandom", /urandom is larger than 64 MB/],
    ["a device that is empty", () => "/dev/null", /null is empty: put a prompt/],
    ["a folder", () => folder, /it is a folder, not a file/],
    ["nowhere", () => at("none"), /there is no such file/],
    ["a file used as a folder", () => at("file/x.txt"), /a part of its path is a file/],
    ["a name too long for any file", () => at("x".repeat(300)), /its name is too long/],
    ["a link to nothing", () => at("dangling"), /it is a link to something that does not exist/],
    ["a link to itself", () => at("circle"), /its links lead back to themselves/],
    ["a file of 100 MB", () => at("large"), /large is larger than 64 MB/],
  ])("%s are refused", async (_, path, told) => {
    await writeFile(at("file"), "a");
    await symlink(at("nowhere"), at("dangling"));
    await symlink(at("circle"), at("circle"));
    await writeFile(at("large"), "");
    await truncate(at("large"), 100e6);
    for (const read of [readPrompts, readText]) {
      const error = await read(path()).catch((e) => e);
      expect(error).toBeInstanceOf(InputError);
      if (read === readPrompts) expect(error.message).toMatch(told);
    }
  });

  test("a socket are refused", async () => {
    const server = createServer();
    await new Promise<void>((listening) => server.listen(at("socket"), listening));
    await expect(readPrompts(at("socket"))).rejects.toThrow(/it is a socket, or a device with nothing behind it/);
    await expect(fileSource(at("socket"))).rejects.toThrow(/it is a socket, not a file/);
    await new Promise((closed) => server.close(closed));
  });

  test("a pipe are read to its end", async () => {
    execFileSync("mkfifo", [at("pipe")]);
    const read = readPrompts(at("pipe"));
    createWriteStream(at("pipe")).end("one\ntwo\n");
    expect(await read).toEqual(["one", "two"]);
  });

  test.skipIf(!existsSync("/proc/self/comm"))("a file in /proc, which says that it is empty, are read", async () => {
    expect((await readPrompts("/proc/self/comm")).length).toBe(1);
    const source = await inputSource("/proc/self/comm");
    expect(source.size).toBeGreaterThan(0);
  });
});

test.skipIf(process.platform !== "linux")(
  "a training text may come from a pipe, but not from an endless device",
  async () => {
    execFileSync("mkfifo", [at("pipe.jsonl")]);
    const source = inputSource(at("pipe.jsonl"));
    createWriteStream(at("pipe.jsonl")).end('{"text":"a"}\n');
    expect(await source).toMatchObject({ name: at("pipe.jsonl"), size: 13 });
    await expect(fileSource("/dev/zero")).rejects.toThrow(/it is a device, not a file/);
    await expect(inputSource("/dev/zero")).rejects.toThrow(/zero is larger than 64 MB/);
    await mkdir(at("folder"));
    await expect(inputSource(at("folder"))).rejects.toThrow(/it is a folder/);
  },
);
