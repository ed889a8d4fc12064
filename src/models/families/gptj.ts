/** GPT-J and CodeGen: rotary positions in neighbouring pairs; attention and MLP side by side, of one norm. */
import { ConfigError } from "../../tensor/errors.ts";
import { COUNT, FLAG, orNull } from "../../tensor/kinds.ts";
import { biases, layerNorm, matrices, rowsOf, type Sources, same } from "./checkpoint.ts";
import { type Fields, GPT_FIELDS, gpt, huggingFace } from "./hugging-face.ts";

const FIELDS = { ...GPT_FIELDS, rotary_dim: COUNT, rotary: FLAG, n_ctx: orNull(COUNT) };
const EMBEDDING = "transformer.wte.weight";
const at = "transformer.h.{l}";

function config(json: Fields): Record<string, unknown> {
  json.only("scale_attn_weights", true);
  json.only("rotary", true);
  const fields = gpt(json, "gelu_new");
  return {
    ...fields,
    parallel_attn_mlp: true,
    positional_embedding_type: "rotary",
    rotary_dim: json.or("rotary_dim", 64),
    rotary_adjacent_pairs: true,
  };
}

/** All but queries, keys and values. The MLP has the same norm as attention. */
function sources(): Sources {
  const mlp = { in: `${at}.mlp.fc_in`, out: `${at}.mlp.fc_out` };
  return {
    ...layerNorm("blocks.{l}.ln1", `${at}.ln_1`),
    ...matrices("blocks.{l}.attn", { O: `${at}.attn.out_proj` }),
    ...layerNorm("blocks.{l}.ln2", `${at}.ln_1`),
    ...matrices("blocks.{l}.mlp", mlp),
    ...biases("blocks.{l}.mlp", mlp),
    ...layerNorm("ln_final", "transformer.ln_f"),
    "unembed.b_U": same("lm_head.bias"),
  };
}

const buffers = /\.attn\.(bias|masked_bias|causal_mask|embed_positions)$/;

export const gptj = huggingFace({
  name: "gptj",
  called: "GPT-J",
  architecture: "GPTJForCausalLM",
  embedding: EMBEDDING,
  unembedding: "lm_head.weight",
  tied: false,
  fields: FIELDS,
  config,
  sources: () => ({
    ...sources(),
    ...matrices("blocks.{l}.attn", { Q: `${at}.attn.q_proj`, K: `${at}.attn.k_proj`, V: `${at}.attn.v_proj` }),
  }),
  buffers,
});

/** Its heads lie in four groups, for four devices: in each all queries, all values, all keys. */
const GROUPS = 4;

export const codegen = huggingFace({
  name: "codegen",
  called: "CodeGen",
  architecture: "CodeGenForCausalLM",
  embedding: EMBEDDING,
  unembedding: "lm_head.weight",
  tied: false,
  fields: FIELDS,
  config(json) {
    const heads = json.need("n_head");
    if (heads % GROUPS === 0) return config(json);
    throw new ConfigError(`n_head is ${heads}, but CodeGen's heads lie in ${GROUPS} groups of equal size.`, {
      asked: "n_head",
      found: heads,
    });
  },
  sources({ nHeads, dHead }) {
    const width = (nHeads / GROUPS) * dHead;
    const part = (which: number) =>
      rowsOf(`${at}.attn.qkv_proj.weight`, 3 * nHeads * dHead, (head, e) => {
        const i = head * dHead + e;
        return Math.floor(i / width) * 3 * width + which * width + (i % width);
      });
    return {
      ...sources(),
      "blocks.{l}.attn.W_Q": part(0),
      "blocks.{l}.attn.W_V": part(1),
      "blocks.{l}.attn.W_K": part(2),
    };
  },
  buffers,
});
