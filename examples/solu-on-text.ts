/**
 * A one-layer SoLU model with the bundled model's configuration, trained on a text. Run it with
 *
 *     node --import tsx examples/solu-on-text.ts novels.txt my-model
 *
 * to train on `novels.txt` for 500 steps of 32 x 256 tokens and save the model in `my-model/step-0000500`, where
 * `HookedTransformer.fromPretrained` opens it. Ctrl-C saves what has been done; the same command continues from there.
 *
 * Outside this repository, import from "glassformer".
 */
import { existsSync, readdirSync } from "node:fs";
import { open, writeFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import {
  HookedTransformer,
  initWeights,
  line,
  parseConfig,
  Tokenizer,
  type TrainProgress,
  tokenizeAndConcatenate,
  train,
  trainBpe,
} from "../src/node.ts";

export interface Sizes {
  readonly dVocab: number;
  readonly dModel: number;
  readonly nHeads: number;
  readonly nCtx: number;
  readonly batchSize: number;
  readonly steps: number;
}

/** The bundled model's configuration. */
export const fullSize: Sizes = { dVocab: 4096, dModel: 256, nHeads: 4, nCtx: 256, batchSize: 32, steps: 500 };

interface Run {
  readonly sizes: Sizes;
  /** Where checkpoints are saved; if there are some already, training continues from the last. */
  readonly saveDir: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: TrainProgress) => void;
}

export async function soluOnText(text: string, { sizes, saveDir, signal, onProgress }: Run) {
  const { dVocab, dModel, nHeads, nCtx, batchSize, steps } = sizes;
  const tokenizer = Tokenizer.fromJson(trainBpe(text, { vocabSize: dVocab }));
  const data = tokenizeAndConcatenate(text, tokenizer, { maxLength: nCtx });
  const cfg = parseConfig({
    n_layers: 1,
    d_model: dModel,
    n_heads: nHeads,
    d_head: dModel / nHeads,
    d_mlp: 4 * dModel,
    n_ctx: nCtx,
    d_vocab: tokenizer.vocabSize,
    act_fn: "solu_ln",
    normalization_type: "LN",
  });
  const untrained = new HookedTransformer(cfg, initWeights(cfg), { tokenizer });
  const begun = existsSync(saveDir) && readdirSync(saveDir).some((name) => name.startsWith("step-"));
  const { losses, checkpoint } = await train(
    untrained,
    {
      data,
      steps,
      batchSize,
      lr: 3e-3,
      schedule: "cosine",
      warmupSteps: Math.ceil(steps / 20),
      betas: [0.9, 0.99],
      weightDecay: 0.05,
      maxGradNorm: 1,
      saveDir,
      saveEvery: 100,
      ...(begun ? { resume: saveDir } : {}),
    },
    { signal, onProgress },
  );
  const model = await HookedTransformer.fromPretrained(checkpoint!);
  const picture = line(
    { loss: losses },
    { title: "A one-layer SoLU model", x: "step", y: { label: "loss", unit: "nats per token" } },
  );
  return { model, losses, checkpoint, picture };
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [textFile, saveDir] = process.argv.slice(2);
  if (!textFile || !saveDir) throw new Error("Give a text file, and a folder for checkpoints.");
  const file = await open(textFile);
  const text = await file.readFile("utf8");
  await file.close();
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort(new Error("Stopped. Run the same command to continue from here.")));
  const { model, picture } = await soluOnText(text, {
    sizes: fullSize,
    saveDir,
    signal: stop.signal,
    onProgress: ({ step, loss, tokensPerSecond }) => {
      if (step % 10 === 0)
        console.log(`step ${step}: loss ${loss.toFixed(3)}, ${Math.round(tokensPerSecond)} tokens/s`);
    },
  });
  console.log(await model.generate("It was", { maxNewTokens: 60, temperature: 0.8, seed: 1 }));
  await writeFile("losses.svg", await picture.svg());
}
