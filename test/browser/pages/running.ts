/** The page's side of the tests of what a page can do while the engine runs: timers, painting, aborts. */
import * as glassformer from "../../../src/web.ts";

const { activationPatching, HookedTransformer, initWeights, parseConfig, Tensor, train } = glassformer;

/** What a page's clock did while something ran. */
interface Watched {
  /** How often a timer of 10 ms fired. */
  readonly ticks: number;
  /** What a page's text was when it was painted, each time another. */
  readonly painted: readonly string[];
}

/** Runs something that says how far it is, with a timer of 10 ms next to it, on a page that paints. */
async function watched(work: (say: (text: string) => void) => Promise<unknown>): Promise<Watched> {
  let ticks = 0;
  let text = "";
  let running = true;
  const painted: string[] = [];
  const frame = () => {
    if (text !== "" && painted.at(-1) !== text) painted.push(text);
    if (running) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  const timer = setInterval(() => ticks++, 10);
  await work((said) => {
    text = said;
  });
  clearInterval(timer);
  running = false;
  return { ticks, painted };
}

/** What came after an abort, and the error that the caller got. */
interface Aborted {
  readonly error: string;
  readonly stepsAfter: number;
  readonly steps: number;
}

/** Aborts from a timer, after the third step: the timer only fires if the page gets a turn. */
async function aborted(work: (step: () => void, signal: AbortSignal) => Promise<unknown>): Promise<Aborted> {
  const controller = new AbortController();
  let steps = 0;
  let stepsAfter = 0;
  const step = () => {
    if (controller.signal.aborted) stepsAfter++;
    if (++steps === 3) setTimeout(() => controller.abort(), 0);
  };
  const error = await work(step, controller.signal).then(
    () => "none",
    (reason) => reason.name,
  );
  return { error, steps, stepsAfter };
}

const models = new Map<string, Promise<glassformer.HookedTransformer>>();
function opened(name: string) {
  const model = models.get(name) ?? HookedTransformer.fromPretrained(`/models/${name}`);
  models.set(name, model);
  return model;
}

const prompt = "The old man looked at";

const running = {
  async generate(): Promise<Watched> {
    const model = await opened("solu-1l-novels");
    return watched(async (say) => {
      let text = "";
      for await (const { texts } of model.generateStream(prompt, { maxNewTokens: 60 })) {
        text += texts[0];
        say(text);
      }
    });
  },
  async patch(): Promise<Watched> {
    const model = await opened("gelu-3l-novels");
    return watched((say) => activationPatching(model, { onProgress: ({ done }) => say(`${done}`) }));
  },
  async abortGenerate(): Promise<Aborted> {
    const model = await opened("solu-1l-novels");
    return aborted(async (step, signal) => {
      for await (const _ of model.generateStream(prompt, { maxNewTokens: 200, signal })) step();
    });
  },
  async abortPatch(): Promise<Aborted> {
    const model = await opened("gelu-3l-novels");
    return aborted((step, signal) => activationPatching(model, { signal, onProgress: step }));
  },
  /** A pass in many segments: each of its hooks awaits numbers. */
  async abortForward(): Promise<Aborted> {
    const model = await opened("gelu-3l-novels");
    const names = [0, 1, 2].flatMap((layer) =>
      ["hook_resid_pre", "attn.hook_z", "hook_mlp_out"].map((name) => `blocks.${layer}.${name}`),
    );
    return aborted((step, signal) =>
      model.runWithHooks(prompt, {
        signal,
        fwdHooks: names.map((name) => [
          name,
          async (x: glassformer.Tensor) => {
            await x.compute();
            step();
            return x.mul(1);
          },
        ]),
      }),
    );
  },
  /** What a worker with the whole library in it posts. */
  ownWorker(): Promise<{ summary: readonly { text: string }[]; png: string }> {
    const own = new Worker(new URL("./own-worker.ts", import.meta.url), { type: "module" });
    return new Promise((resolve, reject) => {
      own.onmessage = ({ data }) => resolve(data);
      own.onerror = reject;
      own.postMessage(new URL("/models/solu-1l-novels", location.href).href);
    });
  },
  async abortTrain(): Promise<Aborted> {
    const cfg = parseConfig({ n_layers: 1, d_model: 16, d_head: 8, n_ctx: 16, d_vocab: 50, act_fn: "gelu" });
    const data = Tensor.leaf({
      dtype: "int32",
      shape: [8, 16],
      data: Int32Array.from({ length: 128 }, (_, i) => i % 50),
    });
    return aborted((step, signal) =>
      train(
        new HookedTransformer(cfg, initWeights(cfg)),
        { data, batchSize: 2, steps: 200 },
        { signal, onProgress: step },
      ),
    );
  },
};
export type Running = typeof running;
Object.assign(globalThis, { running });
