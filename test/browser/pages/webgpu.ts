/** The page's side of the WebGPU tests: each op, its gradient, and models, on the graphics processor. */
import { Engine } from "../../../src/engine/engine.ts";
import { webBackend } from "../../../src/engine/ort-web.ts";
import { Tensor } from "../../../src/graph/tensor.ts";
import { HookedTransformer } from "../../../src/lens/hooked-transformer.ts";
import { urlFiles } from "../../../src/load/web.ts";
import { usePlatform } from "../../../src/platform.ts";
import { cases } from "../../graph/cases.ts";
import { gradientsOf } from "../../graph/gradients-of.ts";

usePlatform({ backend: (device) => webBackend({ device }) });
const engine = new Engine(webBackend({ device: "webgpu" }));

/** A tensor as it crosses from the page to the test. */
const plain = ({ dtype, shape, data }: Tensor) => ({ dtype, shape, data: Array.from<number>(data) });
type Plain = ReturnType<typeof plain>;

const webgpu = {
  /** The values of every case of an op, and of its gradients. */
  async op(op: keyof typeof cases): Promise<Plain[][]> {
    const found: Plain[][] = [];
    for (const example of cases[op]) {
      const values = [example.make(...example.inputs), ...gradientsOf(example)];
      found.push((await engine.run(values)).map(plain));
    }
    return found;
  },
  /** Logits of a model's first pass, and of its second, when its weights are there already. */
  async model(folder: string, dtype: "float32" | "int4"): Promise<Plain[]> {
    const files = await urlFiles(new URL(folder, location.href).href);
    const model = await HookedTransformer.fromPretrained(folder, { files, device: "webgpu", dtype });
    const tokens = Tensor.leaf({ dtype: "int32", shape: [1, 6], data: Int32Array.of(1, 5, 2, 9, 3, 7) }, [
      "batch",
      "pos",
    ]);
    return [plain(await model.forward(tokens)), plain(await model.forward(tokens))];
  },
  /** What is reported while a model is opened for the graphics processor. */
  async progress(folder: string) {
    const seen: { readonly done: number; readonly total: number; readonly file: string }[] = [];
    const onProgress = (progress: (typeof seen)[number]) => void seen.push(progress);
    const files = await urlFiles(new URL(folder, location.href).href);
    await HookedTransformer.fromPretrained(folder, { files, device: "webgpu", onProgress });
    return seen;
  },
  /** Sums of runs that were asked for at the same time, of two engines. */
  async together(): Promise<number[]> {
    const other = new Engine(webBackend({ device: "webgpu" }));
    const run = async (engine: Engine, n: number) => {
      const x = Tensor.leaf({ dtype: "float32", shape: [n], data: new Float32Array(n).fill(1) });
      return (await engine.run([x.sum(0)]))[0].data[0] as number;
    };
    return Promise.all([run(engine, 2), run(engine, 3), run(other, 4), run(engine, 5)]);
  },
  /** What is said of a device that is not there. */
  async missing(): Promise<string> {
    return HookedTransformer.fromPretrained("x", { device: "cuda" }).then(
      () => "opened",
      (error) => error.message,
    );
  },
};
export type WebGpu = typeof webgpu;
Object.assign(globalThis, { webgpu });
