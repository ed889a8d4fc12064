/**
 * Granite: as Llama, with embeddings, scores, what attention and MLP write, and logits each multiplied with a number. All but that
 * of scores is done to the weights when they are read.
 */
import { FLAG } from "../../tensor/kinds.ts";
import { FACTOR } from "../config/bounds.ts";
import { linear, optional, optionalBiases, same, scaled } from "./checkpoint.ts";
import { huggingFace } from "./hugging-face.ts";
import {
  LLAMA_BUFFERS,
  LLAMA_FIELDS,
  LLAMA_MLP,
  LLAMA_PROJECTIONS,
  llamaConfig,
  llamaMlpBiases,
  llamaSources,
} from "./llama.ts";

export const granite = huggingFace({
  name: "granite",
  called: "Granite",
  architecture: "GraniteForCausalLM",
  embedding: "model.embed_tokens.weight",
  unembedding: "lm_head.weight",
  tied: false,
  fields: {
    ...LLAMA_FIELDS,
    attention_bias: FLAG,
    mlp_bias: FLAG,
    embedding_multiplier: FACTOR,
    attention_multiplier: FACTOR,
    residual_multiplier: FACTOR,
    logits_scaling: FACTOR,
  },
  config: (json) => ({
    ...llamaConfig(json, "Granite"),
    gated_mlp_biases: json.or("mlp_bias", false),
    attn_scale: 1 / json.or("attention_multiplier", 1),
  }),
  sources(_config, _has, json) {
    const factor = json.or("residual_multiplier", 1);
    const written = (part: string, x: string, name: string) => ({
      [`blocks.{l}.${part}.W_${x}`]: scaled(linear(`${name}.weight`), factor),
      [`blocks.{l}.${part}.b_${x}`]: optional(scaled(same(`${name}.bias`), factor)),
    });
    return {
      ...llamaSources(),
      ...optionalBiases("blocks.{l}.attn", LLAMA_PROJECTIONS),
      ...llamaMlpBiases(),
      ...written("attn", "O", LLAMA_PROJECTIONS.O),
      ...written("mlp", "out", LLAMA_MLP.out),
    };
  },
  scales: (json) => ({
    embedding: json.or("embedding_multiplier", 1),
    logits: 1 / json.or("logits_scaling", 1),
  }),
  buffers: LLAMA_BUFFERS,
});
