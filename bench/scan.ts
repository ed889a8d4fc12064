/**
 * Scans at solu-1l's true size, with random weights: tokens per second of the seed's analysis over those that its bare products allow, and of a
 * loss and of neurons over a plain forward pass; and the memory of a process that scans a long text with the bundled model, as a curve. SCAN_MB is the text's size.
 */
import { execFile } from "node:child_process";
import { createWriteStream, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { batchOfRows } from "../src/measures/diffuse-mlp/prompts.ts";
import { diffuseMlpScan } from "../src/scan/diffuse-mlp.ts";
import { lossScan } from "../src/scan/loss.ts";
import { neuronsScan } from "../src/scan/neurons.ts";
import type { ModelScan } from "../src/scan/scan.ts";
import { emptyShard } from "../src/scan/shard.ts";
import { bareProducts } from "./gemm.ts";
import { inTurn, rounded } from "./measure.ts";
import { noise, randomModel, solu1l } from "./models.ts";
import { python } from "./python.ts";

const LENGTH = 128;
const CORPUS = { sources: ["random"], maxLength: LENGTH };
/** A line of about a kilobyte is repeated, unless there is a text at SCAN_TEXT. */
const LINE = `${"It was the best of times, it was the worst of times, it was the age of wisdom. ".repeat(12)}\n`;

export async function scan() {
  const model = randomModel(solu1l);
  const seed = diffuseMlpScan.on(model, { top: 20, seed: 0 }, CORPUS);
  const neurons = neuronsScan.on(model, { layer: undefined, top: 20, examples: 10 }, CORPUS);
  const loss = lossScan.on(model, { top: 20 }, CORPUS);
  const count = Math.max(1, Math.floor(Math.min(seed.mostTokens, loss.mostTokens) / LENGTH));
  const random = noise(count * LENGTH, 1, 5);
  const ids = Array.from({ length: count }, (_, row) =>
    Array.from({ length: LENGTH }, (_, pos) => Math.floor(Math.abs(random[row * LENGTH + pos]) * 1e6) % solu1l.dVocab),
  );
  const rows = ids.map((row, i) => ({ ids: row, text: i, offset: 0, at: i * LENGTH }));
  const batch = { ...batchOfRows(model, ids), rows, number: 0, shard: 0, source: 0 };
  const one = (of: ModelScan) => async () => {
    const state = emptyShard(of);
    await of.measure(batch, state.summaries, state.rows);
  };
  const [tokens, ahead, d] = [count * LENGTH, count * (LENGTH - 1), solu1l.dModel];
  const gemms = bareProducts([
    ...[0, 1, 2, 3].map((): [number, number, number] => [tokens, d, d]),
    [tokens, d, solu1l.dMlp!],
    [2 * ahead, solu1l.dMlp!, d],
    [2 * ahead, d, solu1l.dVocab],
    // Each neuron's direct effect on the next token.
    [ahead, d, solu1l.dMlp!],
  ]);
  // Without the unembedding, which neurons do not need.
  const toNeurons = () => model.compute([model.graph(batch.tokens).at("blocks.0.mlp.hook_post").max("pos")]);
  const forward = () => model.compute([model.graph(batch.tokens).output.gatherRows(batch.predicting).max(-1)]);
  const own = await inTurn({ seed: one(seed), gemms }, 7, true);
  const others = await inTurn({ loss: one(loss), forward, neurons: one(neurons), toNeurons }, 5, true);
  const measured = { ...own, ...others };
  const theirs = await python("scan.py", [String(count), String(LENGTH)]);
  const perSecond = (ms: number) => Math.round((1000 * tokens) / ms);
  return {
    tokens,
    seed_tokens_per_s: perSecond(measured.seed.median_ms),
    seed_over_gemm_rate: rounded(measured.gemms.median_ms / measured.seed.median_ms),
    ...(typeof theirs.median_ms === "number" && {
      vs_transformerlens: rounded(Number(theirs.loop_ms) / measured.seed.median_ms),
      vs_transformerlens_all_positions_at_once: rounded(theirs.median_ms / measured.seed.median_ms),
    }),
    transformerlens: theirs,
    loss_tokens_per_s: perSecond(measured.loss.median_ms),
    loss_over_forward_rate: rounded(measured.forward.median_ms / measured.loss.median_ms),
    neurons_tokens_per_s: perSecond(measured.neurons.median_ms),
    neurons_over_forward_rate: rounded(measured.forward.median_ms / measured.neurons.median_ms),
    neurons_over_forward_to_neurons_rate: rounded(measured.toNeurons.median_ms / measured.neurons.median_ms),
    ...(await memoryOf(Number(process.env.SCAN_MB ?? 8))),
  };
}

/** The peak memory of `glassformer scan loss` on a text of that size, and on a quarter of it. */
async function memoryOf(mb: number) {
  const folder = mkdtempSync(join(tmpdir(), "glassformer-bench-scan-"));
  const point = fileURLToPath(new URL("scan-point.ts", import.meta.url));
  const corpus = process.env.SCAN_TEXT;
  const text = corpus !== undefined && existsSync(corpus) ? readFileSync(corpus, "utf8") : LINE;
  try {
    const peaks: Record<string, number> = {};
    for (const size of [mb / 4, mb]) {
      const path = join(folder, "text.txt");
      await repeated(path, text, size * 1e6);
      const args = ["scan", "loss", "--data", path, "--out", join(folder, `${size}`)];
      const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", point, ...args]);
      peaks[`peak_mb_at_${size}_mb`] = Number(stdout);
    }
    return peaks;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A text written again and again until the file has that many bytes. */
async function repeated(path: string, text: string, bytes: number): Promise<void> {
  const file = createWriteStream(path);
  const piece = Buffer.from(text);
  for (let written = 0; written < bytes; written += piece.length) {
    const part = piece.subarray(0, Math.min(piece.length, bytes - written));
    if (!file.write(part)) await new Promise<void>((resolve) => void file.once("drain", resolve));
  }
  await new Promise<void>((resolve) => void file.end(resolve));
}
