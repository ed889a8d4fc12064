/** What TransformerLens saves of its models, `torch.save(model.state_dict())` with `cfg.to_dict()` beside it: test/goldens/state-dicts/make.py. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { HookedTransformer } from "../../src/node.ts";
import { expectClose } from "../close.ts";

const goldens = fileURLToPath(new URL("../goldens/state-dicts/", import.meta.url));

test.each(["llama_gqa", "qknorm", "gptj"])("%s gives TransformerLens' logits", async (name) => {
  const folder = join(goldens, name);
  const { tokens, logits } = JSON.parse(readFileSync(join(folder, "expected.json"), "utf8"));
  const expected = { shape: [2, 12, 97], data: (logits as number[][][]).flat(2) };
  const model = await HookedTransformer.fromPretrainedNoProcessing(folder);
  expectClose(await model.forward(tokens), expected, 1e-5);
  const processed = await HookedTransformer.fromPretrained(folder);
  const [a, b] = [await processed.forward(tokens), await model.forward(tokens)];
  expectClose(await a.logSoftmax().compute(), await b.logSoftmax().compute(), 1e-5);
  expect(model.cfg.originalArchitecture).toBe("HookedTransformer");
});
