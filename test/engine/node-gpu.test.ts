/** Node's WebGPU, on the graphics processor made of software that comes with Debian's Chromium. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const chromium = "/usr/lib/chromium";
const hasVulkan = existsSync(`${chromium}/libvulkan.so.1`) && existsSync(`${chromium}/vk_swiftshader_icd.json`);

test.skipIf(!hasVulkan)(
  "weights are copied to the graphics processor once, and a model's logits are the processor's",
  () => {
    const child = fileURLToPath(new URL("./node-gpu-child.ts", import.meta.url));
    const env = { ...process.env, LD_LIBRARY_PATH: chromium, VK_DRIVER_FILES: `${chromium}/vk_swiftshader_icd.json` };
    const printed = execFileSync(process.execPath, ["--import", "tsx", child], { env, encoding: "utf8" });
    const { products, cpu, webgpu } = JSON.parse(printed);
    // The weight's numbers were replaced by 0 after the first run: the second has those that were copied.
    expect(products).toEqual([
      [1, 2],
      [3, 4],
    ]);
    for (const [i, logits] of webgpu.entries()) {
      const largest = Math.max(...cpu[i].map(Math.abs));
      expect(Math.max(...cpu[i].map((x: number, k: number) => Math.abs(x - logits[k])))).toBeLessThan(1e-5 * largest);
    }
  },
);
