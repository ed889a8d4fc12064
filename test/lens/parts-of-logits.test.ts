/** Logits that are read in parts, several at a time, and with hook points next to them: the numbers are those of all logits. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { HookedTransformer } from "../../src/lens/hooked-transformer.ts";
import { initWeights, parseConfig } from "../../src/node.ts";

const cfg = parseConfig({
  ...{ n_layers: 2, d_model: 16, n_ctx: 16, d_head: 4, n_heads: 4, d_vocab: 40, act_fn: "gelu" },
  ...{ normalization_type: "LN", seed: 3 },
});
const model = new HookedTransformer(cfg, initWeights(cfg));
const [POS, WORDS] = [6, 40];
const ids = [1, 2, 3].map((prompt) => Array.from({ length: POS }, (_, i) => (prompt * 7 + i * 11) % WORDS));

const places = fc.array(
  fc.record({
    pos: fc.integer({ min: -POS, max: POS - 1 }),
    word: fc.integer({ min: 0, max: WORDS - 1 }),
    wordFirst: fc.boolean(),
  }),
  { minLength: 1, maxLength: 7 },
);

test("parts of logits are those of all of them, however many are read, in either order, with and without the whole", async () => {
  const all = await model.forward(ids);
  await fc.assert(
    fc.asyncProperty(places, fc.boolean(), async (read, withWhole) => {
      const { output } = model.graph(ids);
      const parts = read.map(({ pos, word, wordFirst }) =>
        wordFirst ? output.at({ d_vocab: word }).at({ pos }) : output.at({ pos }).at({ d_vocab: word }),
      );
      const found = await model.compute([...parts, ...(withWhole ? [output.mul(2)] : [])]);
      for (const [i, { pos, word }] of read.entries()) {
        expect(found[i].shape).toEqual([ids.length]);
        for (const prompt of ids.keys()) {
          expect(found[i].get(prompt)).toBeCloseTo(all.get(prompt, pos < 0 ? pos + POS : pos, word), 5);
        }
      }
    }),
    { numRuns: 60 },
  );
});

test("gradients of a part are those of the same number taken from all logits by a mask", async () => {
  const graph = model.graph(ids);
  const { gradientsAt } = await import("../../src/measures/metric-gradients.ts");
  const at = ["blocks.0.hook_resid_pre", "blocks.1.attn.hook_z", "blocks.1.mlp.hook_post"].map((name) =>
    graph.at(name),
  );
  const part = graph.output
    .at({ pos: -1, d_vocab: 5 })
    .sub(graph.output.at({ pos: 2, d_vocab: 9 }))
    .sum();
  const mask = (pos: number, d_vocab: number) => graph.output.mask({ pos, d_vocab });
  const chosen = (pos: number, word: number) => graph.output.where(mask(pos, word), graph.output.constant(0)).sum();
  const whole = chosen(-1, 5).sub(chosen(2, 9));
  const [a, b] = [gradientsAt(part, at).gradients, gradientsAt(whole, at).gradients];
  const found = await model.compute([...a, ...b]);
  for (const i of a.keys()) {
    const [x, y] = [found[i], found[a.length + i]];
    expect(x.shape).toEqual(y.shape);
    const largest = Math.max(...Array.from(y.data as Float32Array, Math.abs));
    expect(largest).toBeGreaterThan(0);
    for (const k of y.data.keys()) expect(Math.abs(x.data[k] - y.data[k])).toBeLessThan(1e-5 * largest);
  }
});
