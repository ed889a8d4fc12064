/** The contract of test/engine for the engine of pages, in the browser: every op, and every op's gradient. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { interpret } from "../../src/engine/reference.ts";
import type { OpName } from "../../src/graph/ops/index.ts";
import { expectClose } from "../close.ts";
import { cases } from "../graph/cases.ts";
import { gradientsOf } from "../graph/gradients-of.ts";
import { chromiumPath, launch, open, type Site, servePage } from "./chromium.ts";
import type { Contract } from "./pages/contract.ts";

declare const contract: Contract;

describe.skipIf(!chromiumPath)(
  "on onnxruntime-web in Chromium (skipped without /usr/bin/chromium or CHROMIUM_PATH)",
  () => {
    let site: Site;
    let browser: Browser;
    let page: Page;

    beforeAll(async () => {
      site = await servePage("contract");
      browser = await launch();
      page = await open(browser, site.url, "contract");
    });
    afterAll(async () => {
      await browser?.close();
      await site?.close();
    });

    for (const op of Object.keys(cases) as OpName[]) {
      cases[op].forEach((example, index) => {
        test(`${op} ${example.what}`, async () => {
          const value = example.make(...example.inputs);
          const found = await page.evaluate(([name, i]) => contract.value(name, i), [op, index] as const);
          expect(found.dtype).toBe(value.dtype);
          expectClose(found, interpret([value])[0], 1e-5);
        });

        const gradients = gradientsOf(example);
        if (gradients.length === 0) return;
        test(`the gradient of ${op} ${example.what}`, async () => {
          const found = await page.evaluate(([name, i]) => contract.gradients(name, i), [op, index] as const);
          interpret(gradients).forEach((expected, i) => {
            expectClose(found[i], expected, 1e-5);
          });
        });
      });
    }
  },
);
