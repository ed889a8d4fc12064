import { expect, test } from "vitest";
import { ANALYSES, HookedTransformer, measureLogitLens, sweeps } from "../../src/node.ts";

test("a measure or an analysis of a model with hooks is refused, because its passes would leave them out", async () => {
  const model = await HookedTransformer.fromPretrained("solu-1l-novels");
  const hooked = model.hooks({ fwdHooks: [["blocks.0.hook_mlp_out", (x) => x.mul(0)]] });
  await expect(measureLogitLens(hooked, {})).rejects.toThrow(
    /^measureLogitLens makes passes of its own.*resetHooks\(\).*changedModel.*model\.splice/,
  );
  for (const { run, name } of ANALYSES) await expect(run(hooked), name).rejects.toThrow(/passes of its own/);
  const swept = sweeps.sweep(hooked, "The sun", {
    site: "z",
    over: ["layer", "head"],
    edit: sweeps.zero,
    metric: (x) => x.mean(),
  });
  await expect(swept).rejects.toThrow(/^A sweep makes passes of its own/);
  model.addHook("blocks.0.hook_mlp_out", (x) => x.mul(0));
  await expect(measureLogitLens(model, {})).rejects.toThrow(/passes of its own/);
  model.resetHooks();
  expect((await measureLogitLens(model, {})).length).toBeGreaterThan(0);
});
