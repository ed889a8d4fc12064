/** The engine of pages on WebGPU, in Chromium on a graphics processor made of software: every op, its gradient, and models. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RUNTIME_FILES } from "../../src/engine/ort-web-runtime.ts";
import { interpret } from "../../src/engine/reference.ts";
import type { OpName } from "../../src/graph/ops/index.ts";
import { Tensor } from "../../src/graph/tensor.ts";
import { HookedTransformer } from "../../src/node.ts";
import { expectClose } from "../close.ts";
import { cases } from "../graph/cases.ts";
import { gradientsOf } from "../graph/gradients-of.ts";
import { chromiumPath, launch, open, type Site, servePage } from "./chromium.ts";
import type { WebGpu } from "./pages/webgpu.ts";

declare const webgpu: WebGpu;

/** Graphics processors round sin, cos, exp and tanh more roughly than processors do. */
const TOLERANCE = 1e-3;
/** Less than the two kinds of GELU differ by. */
const FINE = 1e-5;
/** onnxruntime's WebGPU refuses values of size 0, of which these ops make some: mixtures of experts do not run there. */
const REFUSED = ["matmulChosen", "outerChosen"];

const goldens = fileURLToPath(new URL("../goldens/hf", import.meta.url));

describe.skipIf(!chromiumPath)("on WebGPU in Chromium (skipped without /usr/bin/chromium or CHROMIUM_PATH)", () => {
  let site: Site;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    site = await servePage("webgpu", { "/models": goldens });
    browser = await launch({ webgpu: true });
    page = await open(browser, site.url, "webgpu");
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  test.each((Object.keys(cases) as OpName[]).filter((op) => !REFUSED.includes(op)))(
    "%s, and its gradients, are the reference's",
    async (op) => {
      const found = await page.evaluate((name) => webgpu.op(name), op);
      cases[op].forEach((example, i) => {
        const expected = interpret([example.make(...example.inputs), ...gradientsOf(example)]);
        expected.forEach((value, j) => {
          expectClose(found[i][j], value, TOLERANCE);
        });
      });
    },
  );

  test("GELU by tanh is by tanh, though the runtime's Gelu knows erf only", async () => {
    const [, byTanh] = cases.gelu;
    const [, found] = await page.evaluate(() => webgpu.op("gelu"));
    expectClose(found[0], interpret([byTanh.make(...byTanh.inputs)])[0], FINE);
  });

  test("a Llama's logits are Node's, also once its weights are in the device's memory", async () => {
    const model = await HookedTransformer.fromPretrained(join(goldens, "llama-tiny"));
    const data = Int32Array.of(1, 5, 2, 9, 3, 7);
    const expected = await model.forward(Tensor.leaf({ dtype: "int32", shape: [1, 6], data }, ["batch", "pos"]));
    const found = await page.evaluate(() => webgpu.model("/models/llama-tiny/", "float32"));
    for (const logits of found) expectClose(logits, expected, TOLERANCE);
  });

  test("runs that are asked for at the same time take turns", async () => {
    expect(await page.evaluate(() => webgpu.together())).toEqual([2, 3, 4, 5]);
  });

  test("weights in fewer bits are refused, with what can be done", async () => {
    const refused = page.evaluate(() => webgpu.model("/models/llama-tiny/", "int4"));
    await expect(refused).rejects.toThrow(/is kept as int4, but this device computes with float32 weights only/);
  });

  test("a model's download has its runtime in the total, which never falls", async () => {
    const fresh = await open(browser, site.url, "webgpu");
    const seen = await fresh.evaluate(() => webgpu.progress("/models/llama-tiny/"));
    const { file, bytes } = RUNTIME_FILES.webgpu;
    expect(new Set(seen.map(({ total }) => total)).size).toBe(1);
    expect(seen.at(-1)!.done).toBe(seen[0].total);
    expect(seen[0].total).toBeGreaterThan(bytes);
    expect(seen.filter((progress) => progress.file === file)).not.toEqual([]);
    const done = seen.map((progress) => progress.done);
    expect(done).toEqual([...done].sort((a, b) => a - b));
    await fresh.context().close();
  });

  test("a device that is not there is refused with those that are", async () => {
    expect(await page.evaluate(() => webgpu.missing())).toMatch(
      /^The device "cuda" cannot be used here .*Devices that can: cpu, webgpu\.$/,
    );
  });
});
