/** Which device computes. Speed and numbers on WebGPU: test/browser/webgpu.test.ts. */
import { expect, test } from "vitest";
import { Engine } from "../../src/engine/engine.ts";
import { HookedTransformer, nodeBackend } from "../../src/node.ts";

test("the processor is the default, and shares the platform's engine", async () => {
  const model = await HookedTransformer.fromPretrained("bundled", { device: "cpu" });
  expect(model.engine).toBe((await HookedTransformer.fromPretrained("bundled")).engine);
});

test("a device whose libraries are missing is refused before the weights are read, with the devices that work", async () => {
  const opening = HookedTransformer.fromPretrained("bundled", { device: "cuda" });
  await expect(opening).rejects.toThrow(
    /^The device "cuda" cannot be used here .*\. Devices that can: cpu(, webgpu)?\.$/,
  );
});

test("an engine has its device already", async () => {
  const engine = new Engine(nodeBackend());
  const opening = HookedTransformer.fromPretrained("bundled", { device: "cpu", engine });
  await expect(opening).rejects.toThrow(/Pass device or engine, not both/);
});

test("a device that nobody knows is refused with those that are known", () => {
  expect(() => nodeBackend({ device: "tpu" as never })).toThrow(/"cpu", "webgpu" or "cuda", not "tpu"/);
});
