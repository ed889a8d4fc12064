import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { diffuseMlp } from "../../src/analyses/diffuse-mlp.ts";
import { Engine } from "../../src/engine/engine.ts";
import { rowsOf } from "../../src/finding/table.ts";
import { type DiffuseMlpRow, isPredicting } from "../../src/measures/diffuse-mlp/positions.ts";
import { type DiffuseMlpMeasurement, measureDiffuseMlp } from "../../src/measures/diffuse-mlp.ts";
import { NOTEBOOK_PROMPTS } from "../../src/measures/notebook-prompts.ts";
import { parseConfig } from "../../src/models/config/parse.ts";
import { processWeights } from "../../src/models/processing/process-weights.ts";
import type { WeightArrays } from "../../src/models/weights/check.ts";
import { HookedTransformer, nodeBackend, render } from "../../src/node.ts";
import { drawn } from "../../src/report/views/picture-of.ts";
import { expectClose } from "../close.ts";
import { golden, goldenModel } from "../goldens.ts";

interface GoldenPrompt {
  readonly prompt: string;
  readonly tokens: readonly number[];
  readonly str_tokens: readonly string[];
  readonly loss: number;
  readonly per_token_loss: readonly number[];
  readonly outlier_pre: readonly number[];
  readonly outlier_post: readonly number[];
  readonly ln_scale: readonly number[];
  readonly mid_argmax: readonly number[];
  readonly ablation_loss: readonly number[];
  readonly dla: readonly {
    readonly target: number;
    readonly neurons_sum: number;
    readonly bias: number;
    readonly max_share: number;
    readonly effective_neurons: number;
    readonly n50: number;
    readonly n90: number;
    readonly top: readonly [number, number][];
  }[];
}

const run = JSON.parse(readFileSync(new URL("../goldens/seed_run.json", import.meta.url), "utf8"));
const expected: readonly GoldenPrompt[] = run.prompts;

/** Numbers as `expectClose` takes them. */
const list = (data: readonly number[]) => ({ shape: [data.length], data });

const load = (options = {}) =>
  HookedTransformer.fromPretrained("solu-1l-novels", { engine: new Engine(nodeBackend()), ...options });

/** The largest difference, in the numbers' own unit. */
function furthest(found: readonly number[], wanted: readonly number[]): number {
  expect(found.length).toBe(wanted.length);
  return Math.max(...found.map((x, i) => Math.abs(x - wanted[i])));
}

function scores({ rows }: DiffuseMlpMeasurement): number[] {
  return rows.map((_, i) => i).sort((a, b) => rows[b].score! - rows[a].score!);
}

describe.each([
  { name: "as the analysis loads it", options: {}, tolerance: 1e-6 },
  {
    name: "with attention refactored, as the notebook loaded it",
    options: { refactorFactoredAttnMatrices: true },
    tolerance: 2e-6, // the singular vectors of another library, rounded to float32
  },
])("the seed's run on the bundled model $name", ({ options, tolerance }) => {
  let model: HookedTransformer;
  let found: DiffuseMlpMeasurement;
  const at = <T>(f: (p: DiffuseMlpRow) => T) => found.rows.map(f);
  const all = <T>(f: (p: GoldenPrompt) => readonly T[]) => expected.flatMap(f);
  const attributions = () => found.rows.filter(isPredicting);

  beforeAll(async () => {
    model = await load(options);
    found = await measureDiffuseMlp(model, { prompts: NOTEBOOK_PROMPTS });
  });

  it("uses the notebook's prompts and reads them as the same tokens", () => {
    expect(NOTEBOOK_PROMPTS).toEqual(expected.map((p) => p.prompt));
    expect(found.prompts.map((p) => p.ids)).toEqual(expected.map((p) => p.tokens));
    expect(at((p) => p.token)).toEqual(all((p) => p.str_tokens));
  });

  it("has the losses of TransformerLens to 1e-5", () => {
    const losses = at((p) => p.loss).filter((loss) => loss !== null);
    expectClose(list(losses), list(all((p) => p.per_token_loss)), 1e-5);
    const means = expected.map((_, prompt) => {
      const own = found.rows.filter((p) => p.prompt === prompt && p.loss !== null);
      return own.reduce((sum, p) => sum + p.loss!, 0) / own.length;
    });
    expect(
      furthest(
        means,
        expected.map((p) => p.loss),
      ),
    ).toBeLessThan(1e-5);
  });

  it("has the outlier scores to 1e-6, before and after the norm, and the norm's scale", () => {
    expect(
      furthest(
        at((p) => p.outlier),
        all((p) => p.outlier_pre),
      ),
    ).toBeLessThan(tolerance);
    // After the norm they are 300 times as large, and so is float32's rounding.
    expectClose(list(at((p) => p.outlier_after!)), list(all((p) => p.outlier_post)), 2e-6);
    expectClose(list(at((p) => p.scale!)), list(all((p) => p.ln_scale)), tolerance);
    expect(at((p) => p.largest_activation)).toEqual(all((p) => p.mid_argmax));
  });

  it("has the loss of each prompt with each position ablated to 1e-5", () => {
    expect(
      furthest(
        at((p) => p.ablation),
        all((p) => p.ablation_loss.map((loss) => loss - p.loss)),
      ),
    ).toBeLessThan(1e-5);
  });

  it("has the attributions of the largest neurons to 1e-4, in the same order", () => {
    const wanted = all((p) => p.dla);
    const first = attributions().map((a) => a.neurons.slice(0, 5));
    expect(first.map((top) => top.map(([neuron]) => neuron))).toEqual(
      wanted.map((d) => d.top.map(([neuron]) => neuron)),
    );
    const logits = first.flatMap((top) => top.map(([, a]) => a));
    expect(
      furthest(
        logits,
        wanted.flatMap((d) => d.top.map(([, a]) => a)),
      ),
    ).toBeLessThan(1e-4);
  });

  it("has their sum, the bias' contribution and the measures of their spread", () => {
    const wanted = all((p) => p.dla);
    expect(attributions().map((a) => a.target)).toEqual(wanted.map((d) => d.target));
    expect(attributions().map((a) => a.n50)).toEqual(wanted.map((d) => d.n50));
    expect(attributions().map((a) => a.n90)).toEqual(wanted.map((d) => d.n90));
    const pairs = [
      ["attribution", "neurons_sum"],
      ["bias", "bias"],
      ["max_share", "max_share"],
      ["effective_neurons", "effective_neurons"],
    ] as const;
    for (const [ours, theirs] of pairs) {
      expectClose(list(attributions().map((a) => a[ours])), list(wanted.map((d) => d[theirs])), 1e-5);
    }
  });

  it("selects the same ten positions in the same order, with their scores", () => {
    const top = scores(found).slice(0, 10);
    expect(top).toEqual(run.top10_flat);
    expect(top.map((i) => [found.rows[i].prompt, found.rows[i].pos])).toEqual(run.top10);
    expectClose(list(top.map((i) => found.rows[i].score!)), list(run.top10_scores), 1e-5);
  });

  it("takes one run, and one session apart from the one that lays out weights", () => {
    expect(model.engine.runs).toBe(1);
    expect(model.engine.sessionsCreated).toBeLessThanOrEqual(2);
  });
});

describe("the loss that an ablation changes", () => {
  it("is the attribution, the logit's other terms and the other tokens' logits together", async () => {
    const { rows } = await measureDiffuseMlp(await load(), { prompts: NOTEBOOK_PROMPTS.slice(0, 4) });
    const predicting = rows.filter(isPredicting);
    expect(predicting.length).toBe(rows.length - 4);
    for (const { loss_change, attribution, other_terms, normaliser, difference } of predicting) {
      expect(loss_change).toBeCloseTo(attribution + other_terms + normaliser, 4);
      expect(difference).toBeCloseTo(other_terms + normaliser, 4);
    }
  });
});

/** A golden model with its norms folded, and its tokens as prompts. */
async function folded(name: string) {
  const g = await golden(name);
  const { config, weights } = processWeights(parseConfig(g.info.config), g.under("weights.") as WeightArrays);
  return { model: new HookedTransformer(config, weights), rows: g.tokens.toArray() as number[][] };
}

describe("an MLP before the last layer", () => {
  it.each(["solu_ln_2l", "gelu_2l", "silu_2l"])(
    "of %s has the losses of running each ablation separately",
    async (name) => {
      const { model, rows } = await folded(name);
      // Two prompts of different lengths, so that one is padded.
      const prompts = [rows[0], rows[1].slice(0, 4)];
      const { rows: measured, site } = await measureDiffuseMlp(model, { prompts, layer: 0 });
      expect(site.last).toBe(false);
      for (const p of measured) {
        const tokens = prompts[p.prompt];
        const zeroed = await model.runWithHooks(tokens, {
          returnType: "loss",
          fwdHooks: [[site.ablated, (x) => x.set({ pos: p.pos }, 0)]],
        });
        const clean = await model.forward(tokens, { returnType: "loss" });
        expect(p.ablation).toBeCloseTo(zeroed.item() - clean.item(), 4);
      }
    },
  );

  it("gives the same in the last layer as sweeping would", async () => {
    const { model, rows } = await folded("solu_ln_2l");
    const tokens = rows[0];
    const { rows: positions, site } = await measureDiffuseMlp(model, { prompts: [tokens] });
    expect(site.last).toBe(true);
    const clean = await model.forward(tokens, { returnType: "loss" });
    for (const p of positions) {
      const zeroed = await model.runWithHooks(tokens, {
        returnType: "loss",
        fwdHooks: [[site.ablated, (x) => x.set({ pos: p.pos }, 0)]],
      });
      expect(p.ablation).toBeCloseTo(zeroed.item() - clean.item(), 4);
    }
  });
});

describe("what cannot be analysed", () => {
  it("is a layer that does not exist, and the existing layers are named", async () => {
    const model = await load();
    await expect(measureDiffuseMlp(model, { prompts: ["a b"], layer: 3 })).rejects.toThrow(
      "There is no layer 3: this model's only layer is 0.",
    );
  });

  it("is a model without MLPs", async () => {
    const { model, rows } = await folded("attn_only_2l");
    await expect(measureDiffuseMlp(model, { prompts: rows })).rejects.toThrow(/only attention layers.*solu-1l/);
  });

  it("is a model that can see the tokens to predict", async () => {
    const { model, rows } = await folded("bidirectional_1l");
    await expect(measureDiffuseMlp(model, { prompts: rows })).rejects.toThrow(/bidirectional.*causal model/);
  });

  it("is a model whose norms are not folded", async () => {
    const g = await golden("solu_ln_1l");
    await expect(measureDiffuseMlp(goldenModel(g), { prompts: g.tokens.toArray() })).rejects.toThrow(/foldLn/);
  });

  it("is a prompt that is longer than the context: it is named, not cut", async () => {
    const long = "word ".repeat(300);
    await expect(measureDiffuseMlp(await load(), { prompts: ["short one", long] })).rejects.toThrow(
      /^Prompt 1 \("word word.*…"\) has \d+ tokens, BOS included, but the model's context holds only 256/,
    );
  });

  it("is a prompt without a second token, no prompts, and an option out of its range", async () => {
    const model = await load();
    await expect(measureDiffuseMlp(model, { prompts: [[5]] })).rejects.toThrow(/Prompt 0 has 1 token/);
    await expect(measureDiffuseMlp(model, { prompts: [] })).rejects.toThrow(/no prompts/);
    await expect(diffuseMlp(model, { prompts: ["a b"], top: 0 })).rejects.toThrow(
      "top must be a whole number of at least 1, not 0.",
    );
    await expect(diffuseMlp(model, { prompts: ["a b"], seed: 1.5 })).rejects.toThrow(
      "seed of diffuseMlp must be a whole number, not 1.5",
    );
  });

  it("is anything that was aborted", async () => {
    const signal = AbortSignal.abort(new Error("stopped by the test"));
    await expect(measureDiffuseMlp(await load(), { prompts: ["a b"], signal })).rejects.toThrow("stopped by the test");
  });
});

describe("the finding", () => {
  it("is the same for the same seed, and only the random parts differ for another", async () => {
    const model = await load();
    const [first, again, other] = [
      await diffuseMlp(model, { prompts: NOTEBOOK_PROMPTS, seed: 7 }),
      await diffuseMlp(model, { prompts: NOTEBOOK_PROMPTS, seed: 7 }),
      await diffuseMlp(model, { prompts: NOTEBOOK_PROMPTS, seed: 8 }),
    ];
    expect(again).toEqual(first);
    const table = (f: typeof first, name: string) => rowsOf(f.tables, name);
    expect(table(other, "top")).toEqual(table(first, "top"));
    expect(table(other, "random")).not.toEqual(table(first, "random"));
  });

  it("says that prompt 9 is two sentences, for the notebook's prompts and no others", async () => {
    const model = await load();
    expect((await diffuseMlp(model)).caveats.join()).toContain("Prompt 9 is two sentences");
    expect((await diffuseMlp(model, { prompts: ["The sun shines."] })).caveats.join()).not.toContain("Prompt 9");
  });

  it("leaves BOS out of rankings and comparisons on request", async () => {
    const found = await diffuseMlp(await load(), { excludeBos: true, top: 40 });
    for (const name of ["top", "random", "diffuse", "apart"]) {
      const rows = rowsOf(found.tables, name);
      expect(rows.length).toBeGreaterThan(0);
      expect(rows.every(({ pos }) => Number(pos) > 0)).toBe(true);
    }
  });

  it("works for a single short prompt, without the tests that need more", async () => {
    const found = await diffuseMlp(await load(), { prompts: ["Time"] });
    expect(found.baselines.map((b) => b.kind)).not.toContain("permutation test");
    expect(JSON.parse(JSON.stringify(found))).toEqual(found);
  });

  it("limits how many prompts and points it draws, and says so", async () => {
    const many = Array.from({ length: 300 }, (_, i) => `The sun shines on number ${i} and on them all.`);
    const found = await diffuseMlp(await load(), { prompts: many, top: 3 });
    const picture = (name: string) => drawn(found).pictures.find((p) => p.name === name)!;
    const tokens = picture("ablation-tokens");
    expect(tokens.kind === "tokens" && tokens.texts.length).toBe(60);
    expect(tokens.caption).toContain("60 of the 300 prompts are shown");
    expect(tokens.kind === "tokens" && tokens.texts.flatMap((t) => t.marked ?? []).length).toBe(3);
    const scatter = picture("ablation-outlier");
    expect(scatter.kind === "scatter" && scatter.series[0].x.length).toBe(2000);
    expect(scatter.caption).toMatch(/Of the \d+ other positions, 2000 are shown/);
    expect(rowsOf(found.tables, "positions").length).toBeGreaterThan(3000);
    const html = await render(found, "html");
    expect(html).toMatch(/… and \d+ more rows, which are in the JSON and CSV forms/);
  });

  it("for a model without a norm inside the MLP has no before and after", async () => {
    const { model, rows } = await folded("gelu_2l");
    const found = await diffuseMlp(model, { prompts: rows });
    expect(found.settings.ablated).toBe("blocks.1.mlp.hook_post");
    expect(drawn(found).pictures.map((p) => p.name)).not.toContain("before-after");
    expect(found.tables.flatMap((t) => t.columns.map((c) => c.name))).not.toContain("ratio");
    expect(found.method.text).toContain("has no hook_mid");
  });
});
