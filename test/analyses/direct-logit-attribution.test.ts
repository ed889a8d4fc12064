import { describe, expect, it } from "vitest";
import { directLogitAttribution } from "../../src/analyses/direct-logit-attribution.ts";
import { measureDirectLogitAttribution } from "../../src/measures/direct-logit-attribution.ts";
import { Random } from "../../src/measures/statistics/random.ts";
import { HookedTransformer } from "../../src/node.ts";
import { golden, goldenModel } from "../goldens.ts";
import { command, widest } from "./command.ts";

const load = () => HookedTransformer.fromPretrained("solu-1l-novels");
const PROMPT = "The old man smiled, and shook his";
const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

describe("direct logit attribution", () => {
  it.each(["solu_ln_2l", "gelu_2l", "attn_only_2l", "ln_pre_2l", "no_norm_1l"])(
    "sums to the logit difference, and agrees with the cache's methods, on %s",
    async (name) => {
      const g = await golden(name);
      const model = goldenModel(g);
      const ids = Array.from(g.tokens.row(0).data);
      const found = await measureDirectLogitAttribution(model, { prompt: ids, answer: 3, wrong: 7 });
      const [logits, cache] = await model.runWithCache([ids]);
      const last = ids.length - 1;
      const [chosen, wrong] = [logits.get(0, last, 3), logits.get(0, last, 7)];
      // Alone, a logit may have other last digits than next to all others: of −318, float32's steps are 3e-5.
      const close = Math.max(5e-5, 4 * 2 ** -23 * Math.max(Math.abs(chosen), Math.abs(wrong)));
      expect(Math.abs(found.logit - (chosen - wrong))).toBeLessThan(close);
      const total = sum(found.layers.rows.map(({ attribution }) => attribution)) + found.bias;
      expect(Math.abs(total - found.logit)).toBeLessThan(1e-4 * Math.max(1, Math.abs(found.logit)));
      expect(Math.abs(found.error)).toBeLessThan(1e-4 * Math.max(1, Math.abs(found.logit)));
      const stacks = {
        layers: cache.decomposeResid(),
        heads: cache.stackHeadResults(),
        neurons: model.cfg.attnOnly ? undefined : cache.stackNeuronResults(),
      };
      for (const [kind, stack] of Object.entries(stacks)) {
        const group = found[kind as keyof typeof stacks];
        if (!stack) {
          expect(group).toBeNull();
          continue;
        }
        const attrs = await cache.logitAttrs(stack, 3, { incorrectTokens: 7, posSlice: -1 }).compute();
        const { rows } = group!;
        expect(rows.map(({ component }) => component)).toEqual(stack.labels);
        const total = sum(rows.map(({ attribution }) => Math.abs(attribution)));
        rows.forEach(({ component, layer, head, d_mlp, attribution, share }, i) => {
          expect(Math.abs(attribution - attrs.get(i, 0))).toBeLessThan(1e-4);
          expect(share).toBeCloseTo(Math.abs(attribution) / total, 6);
          const name = { layers: component, heads: `L${layer}H${head}`, neurons: `L${layer}N${d_mlp}` };
          expect(name[kind as keyof typeof stacks]).toBe(component);
        });
      }
    },
  );

  it("uses the same shares for random pairs of tokens as its null model", async () => {
    const model = await load();
    const found = await measureDirectLogitAttribution(model, { prompt: PROMPT, answer: "head", samples: 3, seed: 5 });
    const random = new Random(5);
    const [, cache] = await model.runWithCache(PROMPT);
    for (let i = 0; i < 3; i++) {
      const [a, b] = random.sample(model.cfg.dVocab, 2);
      const options = { incorrectTokens: b, posSlice: -1 };
      const heads = await cache.logitAttrs(cache.stackHeadResults(), a, options).compute();
      const sizes = Array.from(heads.data, Math.abs);
      expect(found.heads.nullShares[i]).toBeCloseTo(Math.max(...sizes) / sum(sizes), 4);
      const neurons = await cache.logitAttrs(cache.stackNeuronResults(), a, options).compute();
      const largest = Array.from(neurons.data, Math.abs).sort((x, y) => y - x);
      expect(found.neurons!.nullShares[i]).toBeCloseTo(sum(largest.slice(0, 10)) / sum(largest), 4);
    }
  });

  it("compares the most probable token with the second by default", async () => {
    const model = await load();
    const { answer, wrong } = await measureDirectLogitAttribution(model, { prompt: PROMPT });
    const logits = await model.forward(PROMPT, { logitsPos: -1 });
    const order = Array.from(logits.data.keys()).sort((a, b) => logits.data[b] - logits.data[a]);
    expect([answer, wrong]).toEqual(order.slice(0, 2));
    const alone = await measureDirectLogitAttribution(model, { prompt: PROMPT, answer: "hand", single: true });
    expect(alone.logit).toBeCloseTo(logits.data[model.toSingleToken(" hand")], 3);
  });

  it("refuses answers of several tokens, equal ones, and options out of range", async () => {
    const model = await load();
    await expect(directLogitAttribution(model, { prompt: PROMPT, answer: " Elizabeth" })).rejects.toThrow(
      /^The answer “ Elizabeth” is 5 tokens for this model, “ E”, .*, but must be one: choose a word that is one/,
    );
    await expect(directLogitAttribution(model, { prompt: PROMPT, answer: "head", wrong: " head" })).rejects.toThrow(
      "Both answers are the token “ head”",
    );
    await expect(directLogitAttribution(model, { prompt: PROMPT, samples: 1 })).rejects.toThrow(
      "samples must be a whole number",
    );
    await expect(directLogitAttribution(model, { prompt: PROMPT, answer: 99999 })).rejects.toThrow("99999");
    await expect(command("direct-logit-attribution", "--single", "--wrong", "hand")).rejects.toThrow(
      "give only one of them",
    );
  });

  it("is a command that runs without arguments, at 80 columns", async () => {
    const { stdout } = await command("direct-logit-attribution");
    expect(stdout).toContain("Which parts of the model write the answer?");
    expect(stdout).toContain("own logit to within");
    expect(widest(stdout)).toBeLessThanOrEqual(80);
  });
});
