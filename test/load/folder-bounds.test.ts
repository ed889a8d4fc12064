/** Folders that are not a model's: they are not searched to the end, and unreadable ones are reported. */
import { readdir } from "node:fs/promises";
import { expect, test, vi } from "vitest";
import { folderFiles } from "../../src/load/node.ts";
import { InputError } from "../../src/tensor/errors.ts";

vi.mock("node:fs/promises", async (original) => ({ ...(await original<object>()), readdir: vi.fn() }));

const entry = (name: string, folder: boolean) => ({
  name,
  isDirectory: () => folder,
  isFile: () => !folder,
  isSymbolicLink: () => false,
});
const answers = (of: (path: string) => unknown[] | Error) =>
  vi.mocked(readdir).mockImplementation((async (path: string) => {
    const found = of(path);
    if (found instanceof Error) throw found;
    return found;
  }) as never);
const denied = Object.assign(new Error("EACCES: permission denied"), { code: "EACCES", syscall: "scandir" });

test("more files than a model has", async () => {
  answers((path) => Array.from({ length: 60_000 }, (_, i) => entry(`${i}`, path === "/big" && i < 2)));
  const error = await folderFiles("/big")
    .list()
    .catch((e) => e);
  expect(error).toBeInstanceOf(InputError);
  expect(error.message).toMatch(/\/big has more than 100000 files: name the model's own folder/);
});

test("an unreadable folder, and one inside another folder", async () => {
  answers(() => denied);
  const error = await folderFiles("/closed")
    .list()
    .catch((e) => e);
  expect(error).toBeInstanceOf(InputError);
  expect(error.message).toBe("/closed cannot be read: it is not readable.");
  answers((path) => (path.endsWith("closed") ? denied : [entry("closed", true), entry("config.json", false)]));
  expect(await folderFiles("/open").list()).toEqual(["config.json"]);
});
