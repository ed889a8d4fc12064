/** A small training run from a file's bytes to checkpoints and back: it must be the same in a page as in Node. */
import type * as Glassformer from "../../src/index.ts";

/** @param file a Parquet file with texts in its column `text` */
export async function training(glassformer: typeof Glassformer, file: Glassformer.ByteSource) {
  const { HookedTransformer, initWeights, memoryFiles, parseConfig, readTexts, Tokenizer } = glassformer;
  const { evaluateLoss, grad, tokenizeAndConcatenate, train, trainBpe } = glassformer;
  const texts = await readTexts(file);
  const tokenizer = Tokenizer.fromJson(trainBpe(texts, { vocabSize: 270 }));
  const data = tokenizeAndConcatenate(texts, tokenizer, { maxLength: 16 });
  const cfg = parseConfig({ n_layers: 1, d_model: 16, d_head: 8, n_ctx: 16, d_vocab: 270, act_fn: "gelu" });
  const untrained = new HookedTransformer(cfg, initWeights(cfg), { tokenizer });

  // A page keeps checkpoints where it likes: here in memory.
  const kept = new Map<string, ReadonlyMap<string, Uint8Array>>();
  const open = (name: string) => memoryFiles(name, Object.fromEntries(kept.get(name)!));
  const saveDir: Glassformer.CheckpointStore = {
    check: async () => {},
    write: async (name, files) => {
      kept.set(name, files);
      return name;
    },
    open,
  };
  const options = { data, batchSize: 4, lr: 0.01, maxGradNorm: 1 };
  const { losses, model } = await train(untrained, { ...options, steps: 6, saveDir, saveEvery: 3 });
  const resumed = await train(untrained, { ...options, steps: 6, resume: open("step-0000003") });
  const opened = await HookedTransformer.fromPretrainedNoProcessing("trained", { files: open("step-0000006") });
  const graph = model.graph("the cat sat");
  const [gradient] = await model.compute(grad(graph.loss(), [graph.at("blocks.0.mlp.hook_post")]));
  return {
    losses: [...losses],
    resumed: [...resumed.losses],
    checkpoints: [...kept.keys()],
    opened: await evaluateLoss(opened, data),
    gradient: Array.from(gradient.data),
  };
}
