/** The peak memory of reading a file, measured in a separate process by Linux. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeSafetensors } from "../../src/load/index.ts";
import { ndarray } from "../../src/tensor/array.ts";
import { checkpoint, dict, type Part, pickle, storage, tensor, text } from "./torch-pickle.ts";

const child = fileURLToPath(new URL("memory-child.ts", import.meta.url));
const MB = 1e6;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "glassformer-memory-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function reading(
  name: string,
  bytes: Uint8Array,
): Promise<{ file: number; held: number; peak: number; refused?: string }> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", child, path]);
  await rm(path);
  return JSON.parse(stdout);
}

const rows = 6000;
const cols = 5000;
const numbers = () => new Float32Array(rows * cols).fill(1.5);
const state = (...pairs: [string, Part][]) =>
  pickle(dict(...pairs.map(([name, of]): [Part, Part] => [text(name), of])));

describe.skipIf(!existsSync("/proc/self/status"))("a file of N bytes is read in N x 1.2 + 64 MB", () => {
  test.each<[string, () => Uint8Array]>([
    ["one.safetensors", () => writeSafetensors(new Map([["W", ndarray("float32", [rows, cols], numbers())]]))],
    [
      "one.pth",
      () => checkpoint(state(["W", tensor(storage("0", rows * cols), [rows, cols], [cols, 1])]), [numbers()]),
    ],
    [
      "turned.pth",
      () => checkpoint(state(["W", tensor(storage("0", rows * cols), [cols, rows], [1, cols])]), [numbers()]),
    ],
    [
      "parts-of-one-storage.pth",
      () =>
        checkpoint(
          state(
            ...Array.from({ length: 60 }, (_, i): [string, Part] => [
              `W${i}`,
              tensor(storage("0", rows * cols), [100, cols], [cols, 1], i * 100 * cols),
            ]),
          ),
          [numbers()],
        ),
    ],
  ])("%s", async (name, make) => {
    const { file, held, peak } = await reading(name, make());
    expect(held).toBe(4 * rows * cols);
    expect(peak).toBeLessThan(1.2 * file + 64 * MB);
  });

  test("and float16, which takes twice as much in memory, in that x 1.2 + 64 MB", async () => {
    const halfStorage = new Uint16Array(rows * cols);
    const of = tensor(storage("0", rows * cols, "HalfStorage"), [rows, cols], [cols, 1]);
    const { held, peak } = await reading("half.pth", checkpoint(state(["W", of]), [halfStorage]));
    expect(held).toBe(4 * rows * cols);
    expect(peak).toBeLessThan(1.2 * held + 64 * MB);
  });

  test("a flooding pickle of 60 MB is refused within that memory", async () => {
    for (const flood of ["]", "}"]) {
      const bytes = checkpoint(new Uint8Array(60 * MB).fill(flood.charCodeAt(0)));
      const { file, peak, refused } = await reading("flood.pth", bytes);
      expect(refused).toMatch(/values on its stack/);
      expect(peak).toBeLessThan(1.2 * file + 64 * MB);
    }
  });
});
