/** Attribution by gradients as analyses: their estimates are the library's, and what they are compared with is measured. */

import { beforeAll, describe, expect, test } from "vitest";
import { agreement, correlationStatement } from "../../src/analyses/attribution/agreement.ts";
import { attributionPatching } from "../../src/analyses/attribution-patching.ts";
import { edgeAttribution } from "../../src/analyses/edge-attribution.ts";
import { gradientXActivation } from "../../src/analyses/gradient-x-activation.ts";
import { ANALYSES } from "../../src/analyses/index.ts";
import { integratedGradients } from "../../src/analyses/integrated-gradients.ts";
import { neuronSaliency } from "../../src/analyses/neuron-saliency.ts";
import type { Finding } from "../../src/finding/finding.ts";
import { rowsOf } from "../../src/finding/table.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { listedPlaces } from "../../src/measures/attribution-patching/listed.ts";
import { measureAttributionPatching } from "../../src/measures/attribution-patching.ts";
import { measureEdgeAttribution } from "../../src/measures/edge-attribution.ts";
import { measureNeuronSaliency } from "../../src/measures/neuron-saliency.ts";
import { HookedTransformer } from "../../src/node.ts";
import { render } from "../../src/report/index.ts";
import { drawn } from "../../src/report/views/picture-of.ts";
import { signed } from "../../src/tensor/words.ts";
import { golden, goldenModel } from "../goldens.ts";

const CLEAN = "The lady was so tired that";
const CORRUPTED = "The gentleman was so tired that";

let model: HookedTransformer;
/** `logit(" she") - logit(" he")` at the last position. */
let metric: (logits: Tensor) => Promise<number>;
beforeAll(async () => {
  model = await HookedTransformer.fromPretrained("solu-1l-novels");
  const [she, he] = [model.toSingleToken(" she"), model.toSingleToken(" he")];
  metric = async (logits) => {
    const last = logits.row(0).row(-1);
    return last.get(she) - last.get(he);
  };
});

describe("attribution-patching", () => {
  let found: Finding;
  beforeAll(async () => {
    found = await attributionPatching(model);
  });

  test("lists the true effects of a hooked run, and estimates close to them", async () => {
    const rows = rowsOf(found.tables, "all");
    const z = rows.find((row) => row.site === "z" && row.head === 1 && row.pos === 6)!;
    const [, cache] = await model.runWithCache(CLEAN);
    const at = "blocks.0.attn.hook_z";
    const patched = await model.runWithHooks(CORRUPTED, {
      fwdHooks: [[at, (x) => x.set({ pos: 6, head: 1 }, cache.get(at))]],
    });
    const corrupted = await metric(await model.forward(CORRUPTED));
    expect(z.patched).toBeCloseTo((await metric(patched)) - corrupted, 3);
    expect(z.estimated).toBeCloseTo(z.patched as number, 0);
    expect(z.estimated).not.toBe(z.patched);
  });

  test("compares every site that has places where the runs differ, and names the worst place", () => {
    const sites = rowsOf(found.tables, "sites");
    expect(sites.map((row) => row.site)).toEqual([
      "resid_pre",
      "resid_mid",
      "attn_out",
      "mlp_out",
      "z",
      "q",
      "k",
      "v",
      "pattern",
      "post",
    ]);
    const all = rowsOf(found.tables, "all");
    for (const { site, places, worst_error } of sites) {
      const own = all.filter((row) => row.site === site);
      expect(own.length).toBe(places);
      const errors = own.map((row) => Math.abs((row.estimated as number) - (row.patched as number)));
      if (own.length > 0) expect(worst_error).toBeCloseTo(Math.max(...errors), 6);
      else expect(worst_error).toBeNull();
    }
    expect(found.summary[1].figure!.value).toBeGreaterThan(0.9);
  });

  test("takes some of the sites, and patches those that have few enough places", async () => {
    const some = await attributionPatching(model, { sites: ["z", "post"], mostPatched: 100 });
    expect(rowsOf(some.tables, "sites").map((row) => row.site)).toEqual(["z"]);
    expect(some.pictures.map(({ name }) => name)).toEqual(["estimated-against-patched", "heads", "neurons"]);
    const z = (of: Finding) =>
      rowsOf(of.tables, "all").flatMap(({ site, pos, head, patched }) => (site === "z" ? [[pos, head, patched]] : []));
    expect(z(some)).toEqual(z(found));
    const [heads, neurons] = drawn(some).pictures.slice(1);
    if (heads.kind !== "facets" || neurons.kind !== "imshow") throw new Error("other pictures");
    expect(heads.facets.map(({ title }) => title)).toEqual(["z, estimated", "z, patched"]);
    await expect(attributionPatching(model, { sites: ["zz"] })).rejects.toThrow(
      /There is no site "zz". The sites are resid_pre/,
    );
    const none = await attributionPatching(model, { mostPatched: 0 });
    expect(none.summary[0].text).toContain("cannot be correlated");
    expect(none.answerPicture).toBe("stream");
  });

  test("sums many heads over positions, as the places listed one by one do", async () => {
    const measured = await measureAttributionPatching(model, { sites: ["z", "k"], mostPatched: 100 });
    const { heads } = listedPlaces(measured, 3);
    expect(heads.map(({ site, head }) => [site, head])).toEqual(
      ["z", "k"].flatMap((s) => [0, 1, 2, 3].map((h) => [s, h])),
    );
    const own = measured.where({ site: "k", head: 2 }).rows;
    const total = (of: (row: (typeof own)[number]) => number) => own.reduce((sum, row) => sum + of(row), 0);
    expect(heads[6].estimated).toBeCloseTo(total(({ estimated }) => estimated));
    expect(heads[6].patched).toBeCloseTo(total(({ patched }) => patched!));
    expect(listedPlaces(measured).heads).toEqual([]);
  });

  test("says which sites have too many places to patch", async () => {
    const long = `${CLEAN} she sat down by the fire and read`;
    const other = `${CORRUPTED} she sat down by the fire and read`;
    const large = await attributionPatching(model, { clean: long, corrupted: other });
    expect(large.caveats.some((caveat) => /more than 10000 places were only estimated.*\(post\)/.test(caveat))).toBe(
      true,
    );
    expect(rowsOf(large.tables, "sites").map((row) => row.site)).not.toContain("post");
  });
});

describe("edge-attribution", () => {
  test("lists each edge once, the strongest first, with the effect of patching the path", async () => {
    const found = await edgeAttribution(model);
    const edges = rowsOf(found.tables, "all");
    // 4 heads' q, k and v from the embedding; the MLP from embedding and heads; the logits from all of these.
    expect(edges.length).toBe(12 + 5 + 6);
    const senders = new Set(edges.map(({ sender }) => sender));
    expect([...senders].sort()).toEqual(["L0H0", "L0H1", "L0H2", "L0H3", "L0MLP", "stream_start"]);
    const sizes = edges.map((edge) => Math.abs(edge.estimated as number));
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
    const edge = edges.find(({ sender, receiver }) => sender === "L0MLP" && receiver === "logits")!;
    const [, cache] = await model.runWithCache(CLEAN);
    const patched = await model.runWithHooks(CORRUPTED, {
      fwdHooks: [["blocks.0.hook_mlp_out", () => cache.get("blocks.0.hook_mlp_out")]],
    });
    const corrupted = await metric(await model.forward(CORRUPTED));
    expect(edge.patched).toBeCloseTo((await metric(patched)) - corrupted, 3);
    expect(edge.estimated).toBeCloseTo(edge.patched as number, 0);
    const some = await measureEdgeAttribution(model, { patchedEnds: 2 });
    const both = some.rows.filter((row) => row.patched !== null);
    expect([new Set(both.map((row) => row.sender)).size, new Set(both.map((row) => row.receiver)).size]).toEqual([
      2, 2,
    ]);
    const { sender, receiver } = some.top(1, (row) => Math.abs(row.estimated)).rows[0];
    const known = edges.find((row) => row.sender === sender && row.receiver === receiver)!;
    expect(both.find((row) => row.sender === sender && row.receiver === receiver)!.patched).toBeCloseTo(
      known.patched as number,
      4,
    );
  });
});

describe("gradient-x-activation", () => {
  test("gives each token's saliency next to what a run without its embedding loses", async () => {
    const found = await gradientXActivation(model);
    const rows = rowsOf(found.tables, "tokens");
    expect(rows.map((row) => row.token)).toEqual(model.toStrTokens(CLEAN));
    const whole = await metric(await model.forward(CLEAN));
    const without = await model.runWithHooks(CLEAN, { fwdHooks: [["hook_embed", (x) => x.set({ pos: 2 }, 0)]] });
    expect(rows[2].taken_away).toBeCloseTo(whole - (await metric(without)), 4);
    const [, cache] = await model.runWithCache(CLEAN, {
      inclBwd: true,
      namesFilter: "hook_embed",
      metric: (logits) => {
        const last = logits.at({ pos: -1 });
        const of = (token: string) => last.at({ d_vocab: model.toSingleToken(token) }).sum();
        return of(" she").sub(of(" he"));
      },
    });
    const [x, dx] = [cache.get("hook_embed"), cache.get("hook_embed_grad" as "hook_embed")];
    let saliency = 0;
    for (let i = 0; i < model.cfg.dModel; i++) saliency += x.get(0, 2, i) * dx.get(0, 2, i);
    expect(rows[2].gradient_x_activation).toBeCloseTo(saliency, 4);
    let square = 0;
    for (let i = 0; i < model.cfg.dModel; i++) square += dx.get(0, 2, i) ** 2;
    expect(rows[2].gradient_norm).toBeCloseTo(Math.sqrt(square), 4);
  });

  test("asks about a single logit if there is no wrong answer", async () => {
    const found = await gradientXActivation(model, { answer: " she", wrong: "" });
    const logits = await model.forward(CLEAN);
    expect(found.settings.asked).toBe("logit(“ she”) − mean logit");
    const last = logits.row(0).row(-1);
    const mean = Array.from(last.data).reduce((sum, x) => sum + x, 0) / last.data.length;
    expect(found.baselines[0].value).toBeCloseTo(last.get(model.toSingleToken(" she")) - mean, 3);
    // However the weights were processed, unlike a logit alone.
    const raw = await HookedTransformer.fromPretrainedNoProcessing("solu-1l-novels");
    const same = await gradientXActivation(raw, { answer: " she", wrong: "" });
    expect(same.baselines[0].value).toBeCloseTo(found.baselines[0].value!, 3);
  });
});

describe("integrated-gradients", () => {
  test.each(["zero", "mean"] as const)("from %s sums to the difference between the two ends", async (baseline) => {
    const found = await integratedGradients(model, { baseline });
    const total = rowsOf(found.tables, "tokens").reduce((sum, row) => sum + (row.integrated_gradients as number), 0);
    const start = await model.runWithHooks(CLEAN, {
      fwdHooks: [["hook_embed", (x) => (baseline === "zero" ? x.mul(0) : model.W_E.mean(0).expandLike(x))]],
    });
    const difference = (await metric(await model.forward(CLEAN))) - (await metric(start));
    expect(total).toBeCloseTo(difference, 3);
    expect(Math.abs(found.summary[1].figure!.value)).toBeLessThan(1e-3);
  });

  test("with too few steps says that the sum is off", async () => {
    const found = await integratedGradients(model, { steps: 1 });
    expect(found.summary[1].text).toMatch(/more steps are needed/);
    expect(found.caveats[0]).toMatch(/with 1 steps? the path is sampled too coarsely/);
  });
});

describe("neuron-saliency", () => {
  test("actually ablates the neurons it lists, and gives their direct attribution", async () => {
    const found = await neuronSaliency(model, { top: 5 });
    const rows = rowsOf(found.tables, "top");
    expect(rows.length).toBe(5);
    const whole = await metric(await model.forward(CLEAN));
    const [, cache] = await model.runWithCache(CLEAN);
    const { W_U, W_out } = { W_U: model.W_U, W_out: model.weights.get("blocks.0.mlp.W_out") };
    const [she, he] = [model.toSingleToken(" she"), model.toSingleToken(" he")];
    for (const { d_mlp, saliency, direct, ablated } of rows as Record<string, number>[]) {
      const without = await model.runWithHooks(CLEAN, {
        fwdHooks: [["blocks.0.mlp.hook_post", (x) => x.set({ d_mlp }, 0)]],
      });
      expect(ablated).toBeCloseTo(whole - (await metric(without)), 3);
      expect(Math.abs(saliency - ablated)).toBeLessThan(0.3 * Math.abs(saliency));
      let written = 0;
      for (let i = 0; i < model.cfg.dModel; i++) written += W_out.get(d_mlp, i) * (W_U.get(i, she) - W_U.get(i, he));
      const activation = cache.get("blocks.0.mlp.hook_post").get(0, -1, d_mlp);
      expect(direct).toBeCloseTo((written * activation) / cache.get("ln_final.hook_scale").get(0, -1, 0), 2);
    }
  });

  test("sums activation times gradient over positions, and says where it is largest", async () => {
    const { rows, products } = await measureNeuronSaliency(model, { prompt: CLEAN, answer: " she", wrong: " he" });
    const tokens = model.toStrTokens(CLEAN);
    expect(products.shape).toEqual([1, tokens.length, model.cfg.dMlp]);
    for (const { layer, d_mlp, saliency, pos, token } of rows.slice(0, 50)) {
      const here = tokens.map((_, p) => products.get(layer, p, d_mlp));
      expect(saliency).toBeCloseTo(
        here.reduce((sum, x) => sum + x, 0),
        8,
      );
      expect(Math.abs(here[pos])).toBe(Math.max(...here.map(Math.abs)));
      expect(token).toBe(tokens[pos]);
    }
  });

  test("refuses a model without MLPs, or with unfolded norms", async () => {
    const attentionOnly = goldenModel(await golden("attn_only_2l"));
    const options = { prompt: [1, 2, 3], answer: 4, wrong: 5 };
    await expect(neuronSaliency(attentionOnly, options)).rejects.toThrow(/no neurons to attribute to/);
    const raw = goldenModel(await golden("gelu_2l"));
    if (raw.cfg.normalizationType === "LN") await expect(neuronSaliency(raw, options)).rejects.toThrow(/foldLn/);
    else expect((await neuronSaliency(raw, options)).tables[0].columns[0].values).toHaveLength(10);
  });
});

describe("an attention-only model without a tokenizer", () => {
  const [clean, corrupted] = [
    [1, 2, 3, 4, 5],
    [1, 2, 30, 4, 5],
  ];

  test("is supported, at the sites that it has", async () => {
    const attentionOnly = goldenModel(await golden("attn_only_2l"));
    const options = { clean, corrupted, answer: 9, wrong: 10 };
    const sites = rowsOf((await attributionPatching(attentionOnly, options)).tables, "sites").map((row) => row.site);
    expect(sites).toEqual(["resid_pre", "attn_out", "z", "q", "k", "v", "pattern"]);
    const ends = rowsOf((await edgeAttribution(attentionOnly, options)).tables, "all").map((row) => row.receiver);
    expect(ends).toContain("L1H3.k");
    expect(ends).not.toContain("L1MLP");
  });
});

describe("what the findings say", () => {
  test("about colours, when the clean run is the lower one: that red goes back to it, and a caveat", async () => {
    const turned = { clean: CORRUPTED, corrupted: CLEAN };
    for (const found of [await attributionPatching(model, turned), await edgeAttribution(model, turned)]) {
      const captions = drawn(found)
        .pictures.filter(({ kind }) => kind !== "scatter")
        .map(({ caption }) => caption);
      expect(captions.length).toBeGreaterThan(0);
      for (const caption of captions)
        expect(caption).toMatch(/Blue raises logit\(“ she”\).*; red lowers it, back towards/);
      expect(found.caveats.join()).toContain("prefer “ she” to “ he” less than the corrupted one does");
    }
    const [stream] = drawn(await attributionPatching(model)).pictures.slice(1);
    expect(stream.caption).toMatch(
      /^Blue raises .*, back towards the clean run's; red lowers it\. Where a cell is empty, nothing changes; rows and columns without any are left out\.$/,
    );
  });

  test("in heatmaps that have a value in every row and every column", async () => {
    for (const picture of drawn(await attributionPatching(model)).pictures) {
      if (picture.kind !== "facets") continue;
      const grids = picture.facets.map(({ values }) => values);
      const [rows, columns] = [picture.y!.ticks!.length, picture.x!.ticks!.length];
      const filled = (row: number, column: number) => grids.some((values) => values[row][column] !== null);
      const indices = (count: number) => Array.from({ length: count }, (_, i) => i);
      expect(rows * columns).toBeGreaterThan(0);
      for (const row of indices(rows)) expect(indices(columns).some((column) => filled(row, column))).toBe(true);
      for (const column of indices(columns)) expect(indices(rows).some((row) => filled(row, column))).toBe(true);
    }
  });

  test("about too many places to patch: their largest estimates, with nothing under patched", async () => {
    const more = " she sat down by the fire and read";
    const found = await attributionPatching(model, { clean: CLEAN + more, corrupted: CORRUPTED + more, top: 3 });
    const alone = rowsOf(found.tables, "estimated-alone");
    expect(alone.map(({ site, patched }) => [site, patched])).toEqual([
      ["post", null],
      ["post", null],
      ["post", null],
    ]);
    const sizes = rowsOf(found.tables, "all").flatMap(({ site, patched, estimated }) => {
      expect(patched === null).toBe(site === "post");
      return patched === null ? [Math.abs(estimated as number)] : [];
    });
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
    const neurons = drawn(found).pictures.find(({ name }) => name === "neurons");
    if (neurons?.kind !== "imshow") throw new Error("no heatmap of the estimates alone");
    expect(Math.abs(neurons.values[0].reduce<number>((a, b) => Math.max(a, Math.abs(b ?? 0)), 0))).toBeCloseTo(
      sizes[0],
    );
  });

  test("about neurons: those listed are the most salient, those drawn at random are the others", async () => {
    const found = await neuronSaliency(model, { top: 60 });
    const scatter = drawn(found).pictures.find(({ name }) => name === "saliency-against-ablation");
    if (scatter?.kind !== "scatter") throw new Error("no scatter");
    expect(scatter.series.map(({ name, x }) => [name, x.length])).toEqual([
      ["the 60 most salient", 60],
      ["drawn at random", 50],
    ]);
    const all = await neuronSaliency(model, { top: 1024 });
    expect(all.method.text).toContain("The 1024 neurons with the largest saliency are actually ablated");
  });

  test("about tokens: rows that are compared share one colour scale", async () => {
    for (const found of [await gradientXActivation(model), await integratedGradients(model)]) {
      const strip = drawn(found).pictures.find(({ kind }) => kind === "tokens");
      if (strip?.kind !== "tokens") throw new Error("no tokens");
      const domains = strip.rows.map(({ color }) => color?.domain);
      expect(new Set(domains.map((domain) => domain?.join())).size).toBe(1);
      const most = Math.max(...strip.texts[0].values.flat().map((x) => Math.abs(x!)));
      expect(domains[0]).toEqual([-most, most]);
    }
  });

  test("about edges: the same ends and one scale, estimated and patched", async () => {
    const [matrices] = drawn(await edgeAttribution(model)).pictures;
    if (matrices.kind !== "facets") throw new Error("no matrices");
    const [estimated, patched] = matrices.facets;
    expect([estimated.title, patched.title]).toEqual(["estimated", "patched"]);
    const gaps = (values: typeof patched.values) => values.map((row) => row.map((x) => x === null));
    expect(gaps(patched.values)).toEqual(gaps(estimated.values));
  });

  test("a number keeps three significant digits, and a correlation below 1 is not shown as 1", () => {
    expect([0.0141, 0.0066, -12.512, 0, -1e-9, 104.4].map(signed)).toEqual([
      "+0.0141",
      "+0.0066",
      "−12.5",
      "0",
      "0",
      "+104",
    ]);
    const found = agreement([1, 2, 3, 4.05].map((x, i) => ({ name: "x", group: "x", estimated: x, measured: i + 1 })));
    expect(correlationStatement("They", found).text).toMatch(/Pearson's r is 0\.9999\d*,/);
  });

  test("an answer that is not a token is refused in a sentence", async () => {
    await expect(attributionPatching(model, { wrong: 99999 })).rejects.toThrow(/99999 is not a token.*0 to 4095/);
    await expect(gradientXActivation(model, { answer: 1.5 })).rejects.toThrow(/1.5 is not a token/);
  });
});

describe("agreement of estimates and measurements", () => {
  const pair = (estimated: number, measured: number) => ({ name: "x", group: "x", estimated, measured });

  test("leaves out places where both are zero, and finds the worst", () => {
    const found = agreement([pair(1, 1), pair(2, 2), pair(3, 4), pair(0, 0)]);
    expect(found.pairs.length).toBe(3);
    expect(found.worst).toEqual(pair(3, 4));
    expect(found.mean_error).toBeCloseTo(1 / 3);
    expect(found.pearson).toBeCloseTo(0.982, 3);
    expect(found.spearman).toBeCloseTo(1);
  });

  test("does not exist where nothing differs", () => {
    const found = agreement([pair(0, 0)]);
    expect([found.pearson, found.mean_error, found.worst_error, found.worst, found.chance]).toEqual([
      ...[null, null, null],
      ...[undefined, undefined],
    ]);
  });
});

const names = [
  "attribution-patching",
  "edge-attribution",
  "gradient-x-activation",
  "integrated-gradients",
  "neuron-saliency",
];

describe.each(names)("%s", (name) => {
  test("runs on the bundled model without arguments, always with the same numbers, and fits 80 columns", async () => {
    const analysis = ANALYSES.find((candidate) => candidate.name === name)!;
    const values = Object.fromEntries(
      Object.entries(analysis.options).map(([key, option]) => [key, "default" in option ? option.default : undefined]),
    );
    const found = await analysis.run(model, values as never);
    expect(JSON.parse(JSON.stringify(found))).toEqual(
      JSON.parse(JSON.stringify(await analysis.run(model, values as never))),
    );
    const text = (await render(found, "text", { text: { width: 80, color: false } })) as string;
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(found.summary[0].figure).toBeDefined();
  });

  test("refuses an answer of several tokens, and the same answer twice, in a sentence", async () => {
    const analysis = ANALYSES.find((candidate) => candidate.name === name)!;
    const defaults = Object.fromEntries(
      Object.entries(analysis.options).map(([key, option]) => [key, "default" in option ? option.default : undefined]),
    );
    const asking = (more: object) => analysis.run(model, { ...defaults, ...more } as never);
    await expect(asking({ answer: "antidisestablishmentarianism" })).rejects.toThrow(/token/);
    await expect(asking({ wrong: " she" })).rejects.toThrow(/“ she”.*give two/);
  });
});
