/** Dictionaries by themselves: reading, encoding, decoding, folding, saving. */
import { describe, expect, test } from "vitest";
import { Dictionary, memoryFiles } from "../../src/node.ts";
import { expectClose } from "../close.ts";
import { arrays, at, index, leaf, saeNames } from "./goldens.ts";

const tolerance = 2e-5;

/** A dictionary as its numbers are: with the factor of the input folded. */
const opened = (name: string, options = {}) =>
  Dictionary.fromPretrained(at(`saes/${name}`), { inputScale: index.saes[name].norm_scaling_factor, ...options });

/** What SAELens gives at a dictionary's points, in a run with the error term. */
async function expected(name: string) {
  const all = await arrays(`saes/${name}.expected.safetensors`);
  const { hook_name, hook_name_out } = index.saes[name];
  return (point: string) => leaf(all.get(`error.cache.${hook_name_out ?? hook_name}.hook_sae_${point}`)!);
}

describe.each(saeNames)("%s", (name) => {
  test("gives SAELens' features, and its reconstruction", async () => {
    const dictionary = await opened(name);
    const golden = await expected(name);
    const x = golden("input");
    const acts = await dictionary.encode(x).compute();
    expectClose(acts, golden("acts_post"), tolerance);
    expect(dictionary.cfg.architecture).toBe(index.saes[name].architecture);
    const isPlain = dictionary.cfg.normalizeActivations === "none" && !dictionary.weights.has("W_skip");
    if (isPlain) expectClose(await dictionary.decode(acts).compute(), golden("recons"), tolerance);
    // output = what the dictionary makes of x + error, where the error is x less that
    const made = await dictionary.forward(x).compute();
    const [output, error] = [golden("output"), golden("error")];
    const shaped = made.data.map((y, i) => y + error.data[i]);
    expectClose({ shape: output.shape, data: shaped }, output, tolerance);
  });

  test("is the same when it is saved and read again", async () => {
    const dictionary = await opened(name);
    const files = memoryFiles("saved", Object.fromEntries(dictionary.toFiles()));
    const again = await Dictionary.fromPretrained("saved", { files });
    expect(again.cfg).toEqual({
      ...dictionary.cfg,
      metadata: { ...dictionary.cfg.metadata, sae_lens_version: "6.18.0" },
    });
    for (const [key, weight] of dictionary.weights) expect(again.weights.get(key)!.data).toEqual(weight.data);
  });

  test("with folded norms has decoder rows of norm 1, features that much larger, and makes the same", async () => {
    const dictionary = await opened(name);
    const x = (await expected(name))("input");
    if (dictionary.cfg.k !== null && !dictionary.cfg.rescaleActsByDecoderNorm) {
      expect(() => dictionary.foldDecoderNorms()).toThrow("cannot be folded: it keeps the largest features");
      return;
    }
    const folded = await opened(name, { foldDecoderNorms: true });
    const norms = await dictionary.weights.get("W_dec")!.norm(-1).compute();
    const unit = await folded.weights.get("W_dec")!.norm(-1).compute();
    expect(unit.data.every((n: number) => Math.abs(n - 1) < 1e-6)).toBe(true);
    const acts = dictionary.encode(x);
    const larger = dictionary.cfg.rescaleActsByDecoderNorm ? acts : acts.mul(norms);
    expectClose(await folded.encode(x).compute(), await larger.compute(), tolerance);
    expectClose(await folded.forward(x).compute(), await dictionary.forward(x).compute(), tolerance);
  });
});

test("weights are float32 in memory, whatever the file has", async () => {
  const dictionary = await opened("gelu_3l.bfloat16.resid_pre");
  expect([...dictionary.weights.values()].map(({ dtype }) => dtype)).toEqual([
    "float32",
    "float32",
    "float32",
    "float32",
  ]);
});

describe("a factor of the input", () => {
  const name = "gelu_3l.standard_expected_average.resid_pre";

  test("that is not folded is asked for before anything is computed", async () => {
    const x = (await expected(name))("input");
    const dictionary = await opened(name, { inputScale: undefined });
    expect(() => dictionary.encode(x)).toThrow("give it with the option inputScale, or fold it with foldInputScale");
  });

  test("makes the dictionary of x that was one of s·x", async () => {
    const dictionary = await opened("gelu_3l.gated.resid_pre");
    const s = 0.37;
    const x = (await expected("gelu_3l.gated.resid_pre"))("input");
    const folded = dictionary.foldInputScale(s);
    expectClose(await folded.encode(x).compute(), await dictionary.encode(x.mul(s)).compute(), tolerance);
    expectClose(await folded.forward(x).compute(), await dictionary.forward(x.mul(s)).div(s).compute(), tolerance);
    const transcoder = await opened("gelu_3l.skip_transcoder");
    expectClose(
      await transcoder.foldInputScale(s).forward(x).compute(),
      await transcoder.forward(x.mul(s)).compute(),
      tolerance,
    );
  });

  test("is read next to a checkpoint of training", async () => {
    const dictionary = await opened(name, { inputScale: undefined });
    const s = index.saes[name].norm_scaling_factor;
    const files = { ...Object.fromEntries(dictionary.toFiles()), "activation_scaler.json": `{"scaling_factor": ${s}}` };
    const read = await Dictionary.fromPretrained("checkpoint", { files: memoryFiles("checkpoint", files) });
    const x = (await expected(name))("input");
    expectClose(await read.encode(x).compute(), (await expected(name))("acts_post"), tolerance);
  });

  test("is refused where each input is scaled by itself", async () => {
    const dictionary = await opened("gelu_3l.topk_layer_norm.resid_pre");
    expect(() => dictionary.foldInputScale(2)).toThrow("there is no scale to fold");
  });
});

describe.each(["gelu_3l.batchtopk.mlp_out", "gelu_3l.matryoshka_batchtopk.resid_pre"])("a checkpoint of %s", (name) => {
  test("is read as SAELens saves it for use", async () => {
    const raw = await arrays(`saes/${name}/training_weights.safetensors`);
    const saved = await opened(name);
    const { writeSafetensors } = await import("../../src/node.ts");
    const weights = new Map([...raw].filter(([key]) => key !== "encoded" && key !== "decoded"));
    const cfg = JSON.parse(new TextDecoder().decode(saved.toFiles().get("cfg.json")));
    const files = {
      "cfg.json": JSON.stringify({ ...cfg, architecture: "batchtopk", k: 6, rescale_acts_by_decoder_norm: true }),
      "sae_weights.safetensors": writeSafetensors(weights),
    };
    const read = await Dictionary.fromPretrained("checkpoint", { files: memoryFiles("checkpoint", files) });
    expect(read.cfg.architecture).toBe("jumprelu");
    for (const [key, weight] of saved.weights) expectClose(read.weights.get(key)!, weight, 1e-6);
  });
});
