/** docs/models.md, from the families and the tiny models that they are tested on. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Composition, compose } from "../src/models/compose.ts";
import type { HookedTransformerConfig } from "../src/models/config/config.ts";
import { FAMILIES, readConfig } from "../src/models/families/index.ts";
import { recordingOf } from "../src/models/recording.ts";

const folder = fileURLToPath(new URL("../test/goldens/hf/", import.meta.url));

/** Families whose checkpoints have TransformerLens' own names, or minGPT's: they have no `model_type`. */
const OF_TRANSFORMERLENS = ["neel", "HookedTransformer", "neel-solu-old", "mingpt"];

/** The tiny models of a family, by the names of their folders; the one without a suffix first. */
interface Tested {
  readonly folders: readonly string[];
  readonly cfg: HookedTransformerConfig;
}

function testedModels(): Map<string, Tested> {
  const found = new Map<string, { name: string; cfg: HookedTransformerConfig }[]>();
  for (const entry of readdirSync(folder)) {
    if (!entry.endsWith("-tiny")) continue;
    const json = JSON.parse(readFileSync(`${folder}${entry}/config.json`, "utf8"));
    const name = entry.replace(/-tiny$/, "");
    found.set(json.model_type, [...(found.get(json.model_type) ?? []), { name, cfg: readConfig(json, name) }]);
  }
  return new Map(
    [...found].map(([type, models]) => {
      const [first] = models.sort((a, b) => a.name.length - b.name.length);
      return [type, { folders: models.map(({ name }) => name), cfg: first.cfg }];
    }),
  );
}

function positions(cfg: HookedTransformerConfig): string {
  const kinds: Readonly<Record<HookedTransformerConfig["positionalEmbeddingType"], string>> = {
    standard: "learned",
    sinusoidal: "sinusoidal",
    shortformer: "shortformer",
    rotary: cfg.rotaryAdjacentPairs ? "rotary, neighbouring pairs" : "rotary",
    alibi: "ALiBi",
    relative_positional_bias: "relative, in buckets",
  } as never;
  const part = cfg.rotaryDim !== null && cfg.rotaryDim < cfg.dHead ? ", of a part of each head" : "";
  return `${kinds[cfg.positionalEmbeddingType]}${part}`;
}

function norms(cfg: HookedTransformerConfig): string {
  const kind = `${cfg.normalizationType}`.startsWith("RMS") ? "RMSNorm" : "LayerNorm";
  if (cfg.useNormalizationBeforeAndAfter) return `${kind}, before and behind each part`;
  if (cfg.normPlacement === "after") return `${kind} after each addition`;
  if (cfg.normPlacement === "output") return `${kind} of what each part writes`;
  return kind;
}

function attention(cfg: HookedTransformerConfig, { blocks, causal }: Composition): string {
  const [{ attention: first }] = blocks;
  const windows = blocks.map(({ attention: { window } }) => window);
  const words = [
    causal || cfg.nDecoderLayers !== null ? "" : "both ways",
    first.keyValueHeads === 1 && first.heads > 1 ? "one head of keys and values" : "",
    first.keyValueHeads > 1 && first.keyValueHeads < first.heads ? "grouped queries" : "",
    first.qkNorm ? "norms of queries and keys" : "",
    first.scoresCap ? "capped scores" : "",
    first.sinks ? "sinks" : "",
    windows.every((w) => w !== null) ? "window" : windows.some((w) => w !== null) ? "window in some layers" : "",
    cfg.nDecoderLayers === null ? "" : "encoder and decoder",
  ];
  return words.filter(Boolean).join(", ") || "all heads alike";
}

function mlp(cfg: HookedTransformerConfig): string {
  const act = cfg.gatedMlp ? `gated ${cfg.actFn}` : `${cfg.actFn}`;
  const experts = cfg.numExperts === null ? act : `experts, ${act}`;
  return cfg.parallelAttnMlp ? `${experts}, beside attention` : experts;
}

/** A model's hook points, the same for all layers and experts. */
function pointsOf(cfg: HookedTransformerConfig): Set<string> {
  const plain = (name: string) =>
    name
      .replace(/^(blocks|encoder|decoder)\.\d+\./, (_all, stack) => `${stack}.{l}.`)
      .replace(/experts\.\d+\./, "experts.{i}.");
  return new Set(recordingOf(cfg).hookNames.map(plain));
}

/** The page, in Markdown. */
export function modelsPage(): string {
  const tested = testedModels();
  const named = FAMILIES.filter(({ name }) => !OF_TRANSFORMERLENS.includes(name));
  const types = named.map(({ name, matches }) => {
    const type = tested.has(name) ? name : [...tested.keys()].find((t) => matches({ model_type: t }, "x/y"));
    const models = type === undefined ? undefined : tested.get(type);
    if (!models) throw new Error(`No tiny model of the family ${name} is in test/goldens/hf.`);
    return { type: type!, ...models };
  });
  types.sort((a, b) => a.type.localeCompare(b.type));
  const rows = types.map(({ type, cfg, folders }) => {
    const made = [positions(cfg), norms(cfg), attention(cfg, compose(cfg)), mlp(cfg)];
    return `| \`${type}\` | ${made.join(" | ")} | ${folders.map((name) => `\`${name}\``).join(" ")} |`;
  });
  const points = types
    .filter(({ cfg }) => cfg.nDecoderLayers === null)
    .map(({ type, cfg }) => ({ type, points: pointsOf(cfg) }));
  const names = [...new Set(points.flatMap(({ points }) => [...points]))];
  const owners = new Map(
    names.map((name) => [name, points.filter(({ points }) => points.has(name)).map(({ type }) => type)]),
  );
  const groups = new Map<string, string[]>();
  for (const name of names) {
    const key = owners.get(name)!.join();
    groups.set(key, [...(groups.get(key) ?? []), name]);
  }
  const further = [...groups].map(([, group]) => {
    const those = owners.get(group[0])!;
    const others = points.map(({ type }) => type).filter((type) => !those.includes(type));
    if (others.length === 0) return `| ${code(group)} | all |`;
    return `| ${code(group)} | ${others.length < those.length ? `all but ${code(others)}` : code(those)} |`;
  });
  return `<!-- Written by \`npm run docs\` from the families and their tiny models. Change scripts/models-page.ts, not this file. -->

# Models

What opens, from a folder or by its id on the hub: Hugging Face's families, by the \`model_type\` in their \`config.json\`. Each is tested on tiny random
models (\`test/goldens/hf\`) against transformers ${TRANSFORMERS}: logits, the residual stream before each block, every attention pattern, a prompt that
is padded on the left (\`bert\` and \`t5\`: on the right), and eight greedy tokens with its cache and without, all to 1e-4 of the largest value, tokens exactly; and that processing weights
changes logits by a constant only. A \`text_config\` inside a multimodal configuration is read for its language model, and the rest is named as left out.

| \`model_type\` | positions | norms | attention | MLP | tested on |
|---|---|---|---|---|---|
${rows.join("\n")}

Checkpoints with TransformerLens' own names open too: NeelNanda's models (\`neel\`, \`neel-solu-old\`, \`mingpt\`), and whatever
\`HookedTransformer\` saved, with its \`cfg.to_dict()\` as \`config.json\`. They are tested against TransformerLens 2.18.

Two small models come with the package and open without a network: [\`solu-1l-novels\`](../models/solu-1l-novels/README.md), one layer
of SoLU, and [\`gelu-3l-novels\`](../models/gelu-3l-novels/README.md), three layers in which heads look at the previous token and copy repetitions.

## Files

A folder, a file or a name on the hub, read tensor by tensor, so that opening a model in float32 takes hardly more memory than its weights:

- safetensors and PyTorch's files, single or sharded; PyTorch's formats from before 1.6 too. float64, float32, float16, bfloat16 and
  float8, and gpt-oss' experts in MXFP4, as they are on the hub: an expert at a time becomes numbers. Nothing in them is executed. Other
  \`quantization_config\`s (GPTQ, AWQ, bitsandbytes, compressed-tensors, FP8 with scales) are refused by name: GGUF files of such models open.
- GGUF, versions 2 and 3, also in several parts and from a URL: float32, float16, bfloat16, Q4_0 to Q8_0, Q2_K to Q6_K and MXFP4, with the
  file's own configuration and tokenizer. IQ quantisations are refused by name.
- llama2.c's \`.bin\`, with the \`tokenizer.bin\` next to it.
- LoRA adapters (PEFT's folders), merged when they are read: \`fromPretrained(base, { adapter: folder })\` or \`--model BASE --adapter FOLDER\`, or the
  folder itself as the model, which names its base.

\`{ dtype: "int4" }\` keeps matrices in a sixth of the memory, \`"int8"\` in 0.28, \`"float16"\` and \`"bfloat16"\` in half of it; all arithmetic
is in float32. \`glassformer models NAME --check\` measures what it costs: mean and largest divergence from float32's predictions.

## Hook points

What each is: [hook points](hook-names.md), which also lists those of \`t5\`'s two stacks.

| hook points | families |
|---|---|
${further.join("\n")}
`;
}

/** The version of transformers that the numbers are from. */
const TRANSFORMERS = "5.18";

const code = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(" ");
