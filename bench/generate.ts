/** Greedy generation with a key/value cache at GPT-2 small's size, relative to the time to read the weights once per token, or once for a batch. */
import { Engine } from "../src/engine/engine.ts";
import { nodeBackend } from "../src/engine/ort-node.ts";
import { Tensor } from "../src/graph/tensor.ts";
import { peakMb, rounded } from "./measure.ts";
import { gpt2Small, noise, randomModel, randomTokens } from "./models.ts";

const NEW_TOKENS = 40;

export async function generate() {
  const model = randomModel(gpt2Small);
  const prompts = { one: randomTokens(gpt2Small, 1, 15), eight: randomTokens(gpt2Small, 8, 15) };
  const job = async (prompt: Tensor) => {
    const marks: number[] = [];
    for await (const _ of model.generateStream(prompt, {
      maxNewTokens: NEW_TOKENS,
      doSample: false,
      stopAtEos: false,
    })) {
      marks.push(performance.now());
    }
    return (marks[marks.length - 1] - marks[0]) / (marks.length - 1);
  };
  const [floor, floorOfEight] = [await bareReading(1), await bareReading(8)];
  await job(prompts.one);
  await job(prompts.eight);
  await floor();
  await floorOfEight();
  const steps: number[] = [];
  const eight: number[] = [];
  const bare: number[] = [];
  const bareEight: number[] = [];
  for (let i = 0; i < 5; i++) {
    steps.push(await job(prompts.one));
    eight.push(await job(prompts.eight));
    for (const [read, times] of [
      [floor, bare],
      [floorOfEight, bareEight],
    ] as const) {
      const start = performance.now();
      for (let k = 0; k < 5; k++) await read();
      times.push((performance.now() - start) / 5);
    }
  }
  const median = (list: number[]) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)];
  return {
    median_ms: rounded(median(steps)),
    bare_ms: rounded(median(bare)),
    over_gemm: rounded(median(steps) / median(bare)),
    tokens_per_second: rounded(1000 / median(steps), 1),
    batch_of_8: {
      median_ms: rounded(median(eight)),
      bare_ms: rounded(median(bareEight)),
      over_gemm: rounded(median(eight) / median(bareEight)),
      tokens_ratio: rounded((8 * median(steps)) / median(eight)),
      bare_tokens_ratio: rounded((8 * median(bare)) / median(bareEight)),
    },
    sessions: model.engine.sessionsCreated,
    peak_mb: peakMb(),
  };
}

/** Rows times as many numbers as the weights for a token, in one product, which does it fastest: of one row, what the memory allows. */
async function bareReading(count: number): Promise<() => Promise<unknown>> {
  const engine = new Engine(nodeBackend());
  const { nLayers, dModel, dMlp, dVocab } = gpt2Small;
  const columns = Math.round((nLayers * (4 * dModel * dModel + 2 * dModel * dMlp!)) / dModel + dVocab);
  const rows = Tensor.leaf({ dtype: "float32", shape: [count, dModel], data: noise(count * dModel, 1, 1) });
  const shape = count === 1 ? [dModel, columns] : [columns, dModel];
  const weight = Tensor.leaf({ dtype: "float32", shape, data: noise(dModel * columns, 1, 2) }, [], "weight");
  const zero = Tensor.leaf({ dtype: "int32", shape: [1], data: Int32Array.of(0) });
  const product = rows.matmul(count === 1 ? weight : weight.transpose());
  const run = await engine.program([rows, zero], [product.gather(-1, zero.add(zero))]);
  return () => run([rows.array!, zero.array!]);
}
