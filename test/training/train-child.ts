/** A process that trains into a folder for many steps and reports each, for tests with several processes. */
import { initWeights } from "../../src/models/weights/init.ts";
import { HookedTransformer, parseConfig } from "../../src/node.ts";
import { train } from "../../src/training/train.ts";

const [saveDir, steps] = process.argv.slice(2);
const cfg = parseConfig({ n_layers: 1, d_model: 8, d_head: 4, n_ctx: 8, d_vocab: 12, act_fn: "relu" });
const data = { dtype: "int32" as const, shape: [6, 5], data: Int32Array.from({ length: 30 }, (_, i) => (i * 5) % 12) };
await train(
  new HookedTransformer(cfg, initWeights(cfg)),
  { data, batchSize: 4, steps: Number(steps), saveDir },
  { onProgress: ({ step }) => console.log(step) },
).then(
  () => process.exit(0),
  (error) => {
    console.log(error.message);
    process.exit(2);
  },
);
