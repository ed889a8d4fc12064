import { expect, test } from "vitest";
import { Engine } from "../../src/engine/engine.ts";
import { nodeBackend } from "../../src/engine/ort-node.ts";
import { interpret } from "../../src/engine/reference.ts";
import type { Plan, Slot, Step } from "../../src/engine/steps.ts";
import { Tensor } from "../../src/graph/tensor.ts";
import { parseConfig } from "../../src/models/config/parse.ts";
import { HookedTransformer } from "../../src/node.ts";
import { expectClose } from "../close.ts";
import { golden } from "../goldens.ts";

async function fresh(name = "solu_ln_2l") {
  const g = await golden(name);
  const engine = new Engine(nodeBackend({ threads: 1 }));
  const model = new HookedTransformer(parseConfig(g.info.config), g.under("weights."), { engine });
  return { g, engine, model };
}

test("a clean and a changed pass run together, sharing what is before the change", async () => {
  const { g, engine, model } = await fresh();
  const clean = model.graph(g.tokens);
  const ablated = clean.with([["blocks.1.mlp.hook_mid", (x) => x.mul(0)]]);
  const [losses, changed] = await model.compute([clean.lossPerToken(), ablated.lossPerToken()]);
  expect(engine.runs).toBe(1);
  expectClose(losses, g.get("loss_per_token"), 1e-4);
  const alone = await model.runWithHooks(g.tokens, {
    returnType: "loss",
    lossPerToken: true,
    fwdHooks: [["blocks.1.mlp.hook_mid", (x) => x.mul(0)]],
  });
  expectClose(changed, alone, 1e-6);
  const { plan: both } = engine.explain([clean.lossPerToken(), ablated.lossPerToken()]);
  const { plan: one } = engine.explain([clean.lossPerToken()]);
  expect(both.steps.length).toBeLessThan(1.4 * one.steps.length);
});

test("only the selected rows of a padded batch are computed after attention", async () => {
  const { g, engine, model } = await fresh("solu_ln_1l");
  const rows = Tensor.leaf({ dtype: "int32", shape: [3, 2], data: Int32Array.of(0, 1, 0, 10, 1, 4) });
  const value = model.graph(g.tokens).output.gatherRows(rows);
  const [found] = await model.compute([value]);
  expectClose(found, interpret([value])[0], 1e-5);
  const { plan } = engine.explain([value]);
  // The last selection is of what attention mixed. All after it is [row, ...]; without it, [batch, pos, ...].
  const after = plan.steps.slice(plan.steps.findLastIndex((s) => s.op === "gatherRows") + 1);
  expect(productsOf(plan, after, (value) => value.rank)).toEqual({ W_O: 2, W_in: 2, W_out: 2, W_U: 2 });
});

test("only the last position's logits need only the last position of the last layer's MLP", async () => {
  const { g, engine, model } = await fresh();
  const value = model.graph(g.tokens).output.at({ pos: -1 });
  const [found] = await model.compute([value]);
  expectClose(found, interpret([value])[0], 1e-5);
  const { plan } = engine.explain([value]);
  const after = plan.steps.slice(plan.steps.findLastIndex((s) => s.op === "gather") + 1);
  const { dModel, dMlp, dVocab } = model.cfg;
  const [batch, pos] = g.tokens.shape;
  // Keys and values are needed at every position, queries and what comes after them at the last.
  expect(productsOf(plan, after, (value) => plan.sizes[value.id] / batch)).toEqual({
    ...{ W_Q: dModel, W_K: pos * dModel, W_V: pos * dModel },
    ...{ W_O: dModel, W_in: dMlp, W_out: dModel, W_U: dVocab },
  });
});

/** What there is to say of the products with weights, by the last part of the weight's name. */
function productsOf(plan: Plan, steps: readonly Step[], what: (value: Slot) => number): Record<string, number> {
  const weights = new Map(plan.inputs.map(({ id, source }) => [id, weightUnder(source)]));
  const products = steps.flatMap((step) => {
    const name = step.inputs.length < 2 ? undefined : weights.get(step.inputs[1].id)?.split(".").at(-1);
    return name?.startsWith("W_") ? [[name, what(step.outputs[0])] as const] : [];
  });
  return Object.fromEntries(products);
}

const weightUnder = (source: Tensor): string | undefined =>
  source.op === null ? source.label : weightUnder(source.inputs[0]);

test("another position of the same edit is the same compiled session", async () => {
  const { g, engine, model } = await fresh();
  for (let pos = 0; pos < 5; pos++) {
    await model.compute([
      model
        .graph(g.tokens)
        .with([["blocks.0.hook_mlp_out", (x) => x.set({ pos }, 0)]])
        .loss(),
    ]);
  }
  expect(engine.runs).toBe(5);
  expect(engine.sessionsCreated).toBe(1);
});
