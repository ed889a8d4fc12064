/** What Hugging Face's mixtures of experts have in common. */
import { listOf, WHOLE } from "../../tensor/kinds.ts";
import { EXPERTS, SIZE } from "../config/bounds.ts";
import { linear, matrices, type Sources } from "./checkpoint.ts";
import type { FieldKinds, Fields } from "./read-fields.ts";

/** How many experts there are, under either of transformers' names, and how many each position has. */
export const EXPERT_FIELDS: FieldKinds = {
  num_local_experts: EXPERTS,
  num_experts: EXPERTS,
  num_experts_per_tok: EXPERTS,
};

/** TransformerLens' fields of them. */
export function experts(json: Fields, count: number, perToken: number): Record<string, unknown> {
  return {
    num_experts: json.or("num_local_experts", json.or("num_experts", count)),
    experts_per_token: json.or("num_experts_per_tok", perToken),
  };
}

/** Which layers have experts, of Qwen's models, and how wide they are next to the MLPs of the others. */
export const SPARSE_FIELDS: FieldKinds = {
  decoder_sparse_step: SIZE,
  mlp_only_layers: listOf(WHOLE, "layers"),
  moe_intermediate_size: SIZE,
};

/** Our fields of them: one layer in every few, and those that are left out. */
export function sparse(json: Fields, width: number): Record<string, unknown> {
  const every = json.or("decoder_sparse_step", 1);
  const dense = json.or<readonly number[]>("mlp_only_layers", []);
  const layers = Array.from({ length: json.need("num_hidden_layers") }, (_, layer) => layer);
  const isDense = (layer: number) => dense.includes(layer) || (layer + 1) % every !== 0;
  return {
    expert_d_mlp: json.or("moe_intermediate_size", width),
    mlp_types: layers.some(isDense) ? layers.map((layer) => (isDense(layer) ? "dense" : "experts")) : null,
  };
}

/** Where a router's and its experts' weights are, as PyTorch's `Linear`s each. */
export function expertSources(
  count: number | null,
  router: string,
  expert: string,
  { gate, in: read, out }: Readonly<Record<"gate" | "in" | "out", string>>,
): Sources {
  const each = Array.from({ length: count ?? 0 }, (_, i) => {
    const at = `${expert}.${i}`;
    return matrices(`blocks.{l}.mlp.experts.${i}`, {
      ...{ gate: `${at}.${gate}`, in: `${at}.${read}`, out: `${at}.${out}` },
    });
  });
  return { "blocks.{l}.mlp.W_gate": linear(`${router}.weight`), ...Object.assign({}, ...each) };
}

/** The names of most families' projections in an MLP or an expert. */
export const GATED = { gate: "gate_proj", in: "up_proj", out: "down_proj" } as const;
