/** The jobs whose growth is measured: what they do, and how many multiplications they have to do. */
import type { Tensor } from "../src/graph/tensor.ts";
import { measureAttributionPatching } from "../src/measures/attribution-patching.ts";
import { measureDiffuseMlp } from "../src/measures/diffuse-mlp.ts";
import { getActPatchResidPre } from "../src/measures/patching.ts";
import type { HookedTransformer } from "../src/node.ts";
import { gpt2Like, randomTokens } from "./models.ts";
import { multiplications, residPreByPos } from "./reached.ts";

/** What is doubled. */
export interface Sizes {
  readonly prompts: number;
  readonly length: number;
  readonly layers: number;
  readonly width: number;
  readonly vocabulary: number;
}

interface Job {
  /** Makes the inputs, and returns the work on them. */
  readonly prepare: (model: HookedTransformer, sizes: Sizes) => Promise<() => Promise<unknown>>;
  /** Multiplications that the result needs, biases and norms aside. */
  readonly needs: (sizes: Sizes) => number;
}

const NEW_TOKENS = 16;
const D_HEAD = 32;

export const configOf = ({ length, layers, width, vocabulary }: Sizes) =>
  gpt2Like({
    n_layers: layers,
    d_model: width,
    n_heads: width / D_HEAD,
    d_head: D_HEAD,
    d_mlp: 4 * width,
    n_ctx: length + NEW_TOKENS,
    d_vocab: vocabulary,
    model_name: "random weights",
  });

const metric = (logits: Tensor) => logits.at({ pos: -1 }).at({ d_vocab: 1 }).mean();
const tokensOf = (model: HookedTransformer, { prompts, length }: Sizes) => randomTokens(model.cfg, prompts, length);

/** A block's products for rows of a stream, each of which attends to as many keys. */
const block = (rows: number, keys: number, width: number) => rows * (12 * width ** 2 + 2 * keys * width);
const passed = ({ prompts, length, layers, width }: Sizes) => layers * block(prompts * length, length, width);
const unembedded = (rows: number, { width, vocabulary }: Sizes) => rows * width * vocabulary;
const forward = (sizes: Sizes) => passed(sizes) + unembedded(sizes.prompts * sizes.length, sizes);

/** The products of a sweep over layers and positions, and the attention of every row that it changes. */
function swept(sizes: Sizes): number {
  const { prompts, length, width } = sizes;
  const products = residPreByPos(configOf(sizes), length);
  const attending = products.filter(([, , , weight]) => /^o\d/.test(weight ?? ""));
  const rows = attending.reduce((sum, [count]) => sum + count, 0);
  return prompts * (multiplications(products) + rows * 2 * length * width);
}

export const JOBS = {
  forward: {
    prepare: async (model, sizes) => onTokens(model, sizes, (tokens) => model.forward(tokens)),
    needs: forward,
  },
  runWithCache: {
    prepare: async (model, sizes) => onTokens(model, sizes, (tokens) => model.runWithCache(tokens)),
    needs: forward,
  },
  sweep: {
    prepare: async (model, sizes) => {
      const tokens = tokensOf(model, sizes);
      const [, cache] = await model.runWithCache(tokens, { namesFilter: (name) => name.endsWith("resid_pre") });
      return () => getActPatchResidPre(model, tokens, cache, metric);
    },
    needs: swept,
  },
  attribution: {
    prepare: async (model, sizes) =>
      onTokens(model, sizes, (tokens) =>
        measureAttributionPatching(model, {
          corrupted: tokens,
          clean: tokens,
          metric,
          sites: ["resid_pre", "z", "mlp_out"],
        }),
      ),
    // Two passes, and back through one; of the vocabulary the metric reads one column.
    needs: (sizes) => 3 * passed(sizes),
  },
  generation: {
    prepare: async (model, sizes) =>
      onTokens(model, sizes, (tokens) =>
        model.generate(tokens, { maxNewTokens: NEW_TOKENS, doSample: false, stopAtEos: false }),
      ),
    needs: (sizes) => {
      const { prompts, length, layers, width } = sizes;
      const steps = NEW_TOKENS * (layers * block(prompts, length, width) + unembedded(prompts, sizes));
      return passed(sizes) + steps;
    },
  },
  "diffuse-mlp": {
    prepare: async (model, sizes) => {
      const ids = Array.from(tokensOf(model, sizes).data);
      const prompts = Array.from({ length: sizes.prompts }, (_, i) =>
        ids.slice(i * sizes.length, (i + 1) * sizes.length),
      );
      return () => measureDiffuseMlp(model, { prompts });
    },
    // One pass, its last MLP's output and its predictions again for the ablated rows, and what each neuron adds to a logit.
    needs: (sizes) => {
      const rows = sizes.prompts * sizes.length;
      return forward(sizes) + unembedded(rows, sizes) + 8 * rows * sizes.width ** 2;
    },
  },
} as const satisfies Record<string, Job>;

async function onTokens(model: HookedTransformer, sizes: Sizes, work: (tokens: Tensor) => Promise<unknown>) {
  const tokens = tokensOf(model, sizes);
  return () => work(tokens);
}

export type JobName = keyof typeof JOBS;
