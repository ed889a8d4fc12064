/** The four float8 formats: every number of each, as torch reads it from the same files. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { readPth, readSafetensors } from "../../src/load/index.ts";
import { fileSource } from "../../src/load/node.ts";

const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
const SPECIAL: Readonly<Record<string, number>> = { nan: Number.NaN, inf: Infinity, "-inf": -Infinity };
const expected: Record<string, (number | string)[]> = JSON.parse(readFileSync(fixture("float8.json"), "utf8"));

test.each(Object.keys(expected))("every %s, from safetensors and from torch.save", async (name) => {
  const values = expected[name].map((x) => (typeof x === "string" ? SPECIAL[x] : x));
  for (const arrays of [
    await readSafetensors(await fileSource(fixture("float8.safetensors"))),
    await readPth(await fileSource(fixture("float8.pth"))),
  ]) {
    const found = arrays.get(name)!;
    expect(found.dtype).toBe("float32");
    expect([...found.data]).toEqual(values);
  }
});
