import { describe, expect, test } from "vitest";
import { add, scale, zero } from "../../src/measures/sweep.ts";
import { type Change, HookedTransformer, sweeps, type Tensor, tensor } from "../../src/node.ts";

const model = await HookedTransformer.fromPretrained("solu-1l-novels");
const prompt = "The old man sat down";
const steering = tensor(Float32Array.from({ length: model.cfg.dModel }, (_, i) => Math.sin(i)));

/** The last position's logits with one change at a point, made in each of the ways. */
async function inEachWay(name: string, change: Change): Promise<Record<string, number[]>> {
  const graph = model.graph(prompt);
  const last = (logits: Tensor) => logits.at({ batch: 0, pos: -1 });
  const [edited] = await model.compute([last(graph.with([[name, change]]).output)]);
  const own = await model.runWithHooks(prompt, { fwdHooks: [[name, change]], logitsPos: -1 });
  const view = await model.hooks({ fwdHooks: [[name, change]] }).forward(prompt, { logitsPos: -1 });
  return { edit: [...edited.data], hook: [...own.data], view: [...view.data] };
}

const difference = (a: readonly number[], b: readonly number[]) => Math.max(...a.map((x, i) => Math.abs(x - b[i])));

describe("one change is an edit of a pass, a hook and a view's hook", () => {
  const changes: [string, string, Change][] = [
    ["zero at an MLP's neurons", "blocks.0.mlp.hook_post", zero],
    ["steering the stream", "blocks.0.hook_resid_pre", add(steering)],
    ["scaling a point that is made only if it is changed", "blocks.0.attn.hook_result", scale(0.5)],
  ];
  test.each(changes)("%s", async (_, name, change) => {
    const { edit, hook, view } = await inEachWay(name, change);
    const clean = [...(await model.forward(prompt, { logitsPos: -1 })).data];
    expect(difference(hook, edit)).toBeLessThan(1e-4);
    expect(difference(view, edit)).toBeLessThan(1e-4);
    expect(difference(clean, edit)).toBeGreaterThan(0.1);
  });
});

test("a change learns where it is, in each of the ways", async () => {
  const places: unknown[] = [];
  const look: Change = (x, { name, layer }) => {
    places.push([name, layer]);
    return x;
  };
  await inEachWay("blocks.0.attn.hook_z", look);
  await sweeps.sweep(model, prompt, { site: "z", over: ["layer"], edit: look, metric: (logits) => logits.mean() });
  expect(new Set(places.map(String))).toEqual(new Set(["blocks.0.attn.hook_z,0"]));
});

test("what a change may not return is refused in the same words, whatever calls it", async () => {
  const wrong = (() => 5) as unknown as Change;
  const words = `The hook on "blocks.0.attn.hook_z" returned 5: it must return a Tensor, as \`x.mul(0)\` is, or nothing to leave the value as it is.`;
  expect(() => model.graph(prompt).with([["z0", wrong]])).toThrow(words);
  await expect(model.runWithHooks(prompt, { fwdHooks: [["z0", wrong]] })).rejects.toThrow(words);
  const swept = sweeps.sweep(model, prompt, { site: "z", over: ["layer"], edit: wrong, metric: (x) => x.mean() });
  await expect(swept).rejects.toThrow(words);
  const gradients = model.runWithCache(prompt, { inclBwd: true, namesFilter: "z0", bwdHooks: [["z0", wrong]] });
  await expect(gradients).rejects.toThrow('The hook on the gradient at "blocks.0.attn.hook_z" returned 5');
});

test("a metric that is not a number is refused in the same words, whatever calls it", async () => {
  const wrong = (() => undefined) as never;
  const words = /^The metric is undefined, but must be a Tensor, a single number computed from the logits/;
  const swept = sweeps.sweep(model, prompt, { site: "z", over: ["layer"], edit: zero, metric: wrong });
  await expect(swept).rejects.toThrow(words);
  await expect(model.runWithCache(prompt, { inclBwd: true, namesFilter: "z0", metric: wrong })).rejects.toThrow(words);
});
