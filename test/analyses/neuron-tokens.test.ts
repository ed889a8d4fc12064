import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { neuronTokens } from "../../src/analyses/neuron-tokens.ts";
import { measureNeuronTokens } from "../../src/measures/neuron-tokens.ts";
import { PASSAGE } from "../../src/measures/passage.ts";
import { HookedTransformer } from "../../src/node.ts";
import { golden, goldenModel } from "../goldens.ts";
import { command, widest } from "./command.ts";

let model: HookedTransformer;
let folder: string;
beforeAll(async () => {
  model = await HookedTransformer.fromPretrained("solu-1l-novels");
  folder = mkdtempSync(join(tmpdir(), "glassformer-neuron-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a neuron's tokens and examples", () => {
  it("are the activations of running the text's pieces after BOS", async () => {
    const found = await measureNeuronTokens(model, { text: PASSAGE, neuron: 830, top: 3, around: 5 });
    const ids = Array.from(model.toTokens(PASSAGE, { prependBos: false, truncate: false }).data);
    expect(found.length).toBe(ids.length);
    const largest = new Array<number>(model.cfg.dMlp!).fill(-Infinity);
    for (let start = 0; start < ids.length; start += 127) {
      const piece = ids.slice(start, start + 127);
      const [, cache] = await model.runWithCache([[1, ...piece]], { namesFilter: "blocks.0.mlp.hook_post" as never });
      const post = cache.get("blocks.0.mlp.hook_post" as never);
      piece.forEach((_, i) => {
        expect(Math.abs(found.rows[start + i].activation - post.get(0, i + 1, 830))).toBeLessThan(1e-3);
        for (let n = 0; n < largest.length; n++) largest[n] = Math.max(largest[n], post.get(0, i + 1, n));
      });
    }
    largest.forEach((x, n) => {
      expect(Math.abs(found.neurons.rows[n].largest - x)).toBeLessThan(1e-3 * Math.max(1, Math.abs(x)));
    });
  });

  it("are the strongest places, none inside another's context", async () => {
    const { examples, contexts, rows } = await measureNeuronTokens(model, {
      text: PASSAGE,
      neuron: 77,
      top: 4,
      around: 5,
    });
    const places = examples.rows.map((e) => e.at);
    expect(examples.rows[0].activation).toBe(Math.max(...rows.map(({ activation }) => activation)));
    examples.rows.forEach(({ at, token, next, before, activation }, example) => {
      expect({ pos: at, token, activation }).toEqual(rows[at]);
      expect(next).toBe(rows[at + 1]?.token ?? null);
      const around = rows.slice(Math.max(0, at - 5), at + 6);
      expect(contexts.where({ example }).rows).toEqual(
        around.map((row) => ({ example, token: row.token, activation: row.activation, strongest: row.pos === at })),
      );
      const words = around
        .slice(
          0,
          around.findIndex(({ pos }) => pos === at),
        )
        .map((row) => row.token);
      expect(before).toBe(words.join("").replace(/\s+/g, " ").trim());
      for (const b of places.slice(example + 1)) expect(Math.abs(at - b)).toBeGreaterThan(5);
    });
    // What is stronger than an example, and none itself, is near a stronger one.
    rows.forEach(({ activation, pos }) => {
      if (activation <= examples.rows[3].activation) return;
      expect(places.some((p) => Math.abs(p - pos) <= 5)).toBe(true);
    });
  });

  it("have W_out[neuron] times W_U as effects", async () => {
    const asked = { text: "He shook his head.", neuron: 830, top: 3 };
    const { vocabulary, written, promoted, examples, randomEffects } = await measureNeuronTokens(model, asked);
    const { rows } = vocabulary;
    for (let t = 0; t < model.cfg.dVocab; t += 97) {
      let logit = 0;
      for (let i = 0; i < model.cfg.dModel; i++) {
        logit += model.weights.get("blocks.0.mlp.W_out").get(830, i) * model.W_U.get(i, t);
      }
      expect(rows[t].effect).toBeCloseTo(logit, 4);
    }
    expect(randomEffects.length).toBe(100);
    const ends = [vocabulary.top(3, "effect").rows, vocabulary.top(3, "effect", { smallest: true }).rows];
    written.rows.forEach((row, i) => {
      expect([row.token_up, row.effect_up]).toEqual([ends[0][i].token, ends[0][i].effect]);
      expect([row.token_down, row.effect_down]).toEqual([ends[1][i].token, ends[1][i].effect]);
    });
    expect(promoted).toBe(rows.filter(({ effect }) => effect > 0).length / rows.length);
    for (const { next, next_effect } of examples) {
      if (next !== null) expect(next_effect).toBe(rows[model.toSingleToken(next)].effect);
    }
  });

  it("choose the neuron that writes most by default", async () => {
    const found = await measureNeuronTokens(model, { text: PASSAGE });
    const W_out = model.weights.get("blocks.0.mlp.W_out");
    const loud = found.neurons.rows.map(({ largest }, n) => largest * Math.hypot(...Array.from(W_out.row(n).data)));
    expect(found.neuron).toBe(loud.indexOf(Math.max(...loud)));
  });

  it("refuses an empty text, a neuron or layer that does not exist, and a model without neurons", async () => {
    await expect(neuronTokens(model, { text: " \n" })).rejects.toThrow("The text is empty");
    await expect(neuronTokens(model, { text: PASSAGE, neuron: 1024 })).rejects.toThrow("from 0 to 1023");
    await expect(neuronTokens(model, { text: PASSAGE, layer: 3 })).rejects.toThrow("There is no layer 3");
    const attnOnly = goldenModel(await golden("attn_only_2l"));
    await expect(neuronTokens(attnOnly, { text: PASSAGE })).rejects.toThrow("has no neurons");
  });
});

describe("glassformer neuron-tokens", () => {
  it("runs without arguments, at 80 columns", async () => {
    const { stdout } = await command("neuron-tokens");
    expect(stdout).toContain("What makes a neuron fire");
    expect(widest(stdout)).toBeLessThanOrEqual(80);
  });

  it("reads a text file, and refuses one that is empty, missing or not UTF-8", async () => {
    const file = join(folder, "text.txt");
    writeFileSync(file, "Mr. Long and Mrs. Long went home.\n");
    const { stdout } = await command("neuron-tokens", "--neuron", "77", "--text", file, "--json");
    expect(JSON.parse(stdout).settings.text).toBe(file);
    writeFileSync(file, " \n");
    await expect(command("neuron-tokens", "--text", file)).rejects.toThrow("is empty: give a file");
    writeFileSync(file, Uint8Array.of(0x61, 0xff));
    await expect(command("neuron-tokens", "--text", file)).rejects.toThrow("is not UTF-8");
    await expect(command("neuron-tokens", "--text", join(folder, "none.txt"))).rejects.toThrow("there is no such file");
  });
});
