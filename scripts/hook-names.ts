/** docs/hook-names.md, from the graphs that the models build. */
import { Tensor } from "../src/graph/tensor.ts";
import { getActName } from "../src/models/act-name.ts";
import { parseConfig } from "../src/models/config/parse.ts";
import { forward } from "../src/models/forward.ts";
import { initWeights } from "../src/models/weights/init.ts";
import { Weights } from "../src/models/weights/weights.ts";
import { zeros } from "../src/tensor/array.ts";

/** What each value is. The script stops at a hook point without a line here. */
const meanings: Readonly<Record<string, string>> = {
  hook_embed: "the tokens' rows of `W_E`, normed with `postEmbeddingLn`",
  hook_pos_embed: "the positions' rows of `W_pos`",
  "embed.hook_embed": "as `hook_embed`",
  "embed.hook_pos_embed": "as `hook_pos_embed`",
  "embed.hook_token_type_embed": "the rows of `W_token_type`: which of two texts a token belongs to",
  "embed.ln.hook_scale":
    "`sqrt(var + eps)` of the tokens' rows of `W_E`, in BERT of the sum of the embeddings; the norm divides by the hooked value",
  "embed.ln.hook_normalized": "the norm's result",
  hook_full_embed: "the norm of all embeddings together",
  "blocks.{l}.hook_resid_pre": "the residual stream before the block",
  "blocks.{l}.hook_attn_in": "`hook_resid_pre`, once for each head",
  "blocks.{l}.hook_q_input": "what each head's queries are made from, before `ln1`",
  "blocks.{l}.hook_k_input": "what each head's keys are made from, before `ln1`",
  "blocks.{l}.hook_v_input": "what each head's values are made from, before `ln1`",
  "blocks.{l}.ln1.hook_scale": "`sqrt(var + eps)` of the residual stream; the norm divides by the hooked value",
  "blocks.{l}.ln1.hook_normalized": "the norm's result",
  "blocks.{l}.attn.hook_q": "queries, `x W_Q + b_Q`",
  "blocks.{l}.attn.hook_k": "keys, `x W_K + b_K`",
  "blocks.{l}.attn.hook_v": "values, `x W_V + b_V`",
  "blocks.{l}.attn.q_norm.hook_scale":
    "`sqrt(mean(q²) + eps)` of each head's query; the norm divides by the hooked value. TransformerLens has one row for each position's head: `[batch · pos · head 1]`",
  "blocks.{l}.attn.q_norm.hook_normalized": "queries, normed, before the norm's weight",
  "blocks.{l}.attn.k_norm.hook_scale": "the same of keys",
  "blocks.{l}.attn.k_norm.hook_normalized": "the same of keys",
  "blocks.{l}.attn.hook_rot_q": "queries, rotated by their positions",
  "blocks.{l}.attn.hook_rot_k": "keys, rotated by their positions",
  "blocks.{l}.attn.hook_attn_scores": "`q·k / attn_scale`, with what ALiBi adds, -inf where the mask is",
  "blocks.{l}.attn.hook_pattern":
    "the softmax of the scores over `key`; with `attentionSinks` without the sink's share",
  "blocks.{l}.attn.hook_z": "the values, mixed by the pattern",
  "blocks.{l}.attn.hook_result":
    "what each head adds to the stream, `z W_O`, without `b_O`; with `ln1_post`, what each adds to its input",
  "blocks.{l}.ln1_post.hook_scale":
    "`sqrt(mean(x²) + eps)` of what attention writes; the norm divides by the hooked value",
  "blocks.{l}.ln1_post.hook_normalized": "what attention writes, normed, before the norm's weight",
  "blocks.{l}.hook_attn_out": "what attention adds to the stream, with `b_O`",
  "blocks.{l}.hook_resid_mid": "the residual stream between attention and MLP",
  "blocks.{l}.hook_mlp_in": "`hook_resid_mid`, for the MLP only",
  "blocks.{l}.ln2.hook_scale": "as of `ln1`",
  "blocks.{l}.ln2.hook_normalized": "the norm's result",
  "blocks.{l}.mlp.hook_in": "what the MLP itself reads: the norm's result, with its weight",
  "blocks.{l}.mlp.hook_out": "what the MLP itself writes, before `ln2_post` where there is one",
  "blocks.{l}.mlp.hook_pre": "`x W_in + b_in`; in a gated MLP `x W_gate`",
  "blocks.{l}.mlp.hook_pre_linear": "`x W_in`, which the gate multiplies",
  "blocks.{l}.mlp.hook_mid": "`solu(pre)`, before the inner norm",
  "blocks.{l}.mlp.ln.hook_scale": "`sqrt(var + eps)` of the neurons; the inner norm divides by the hooked value",
  "blocks.{l}.mlp.ln.hook_normalized": "the inner norm's result",
  "blocks.{l}.mlp.hook_post": "the neurons, as they multiply `W_out`",
  "blocks.{l}.mlp.hook_expert_weights":
    "`softmax(x W_gate)` over the experts, before any is chosen; with `softmaxAfterTopk` that of the chosen ones, 0 elsewhere",
  "blocks.{l}.mlp.hook_expert_indices": "which experts each position has, int32, the one with the largest weight first",
  "blocks.{l}.mlp.experts.{i}.hook_gate": "`x W_gate` of that expert, 0 at positions that have not chosen it",
  "blocks.{l}.mlp.experts.{i}.hook_pre": "`x W_in` of that expert, which the gate multiplies, likewise",
  "blocks.{l}.mlp.experts.{i}.hook_post": "that expert's neurons, as they multiply its `W_out`, likewise",
  "blocks.{l}.mlp.hook_shared_weight": "`sigmoid(x W_shared)`, how much of the shared expert is written",
  "blocks.{l}.mlp.shared_expert.hook_gate": "`x W_gate` of the expert that every position has",
  "blocks.{l}.mlp.shared_expert.hook_pre": "`x W_in` of it",
  "blocks.{l}.mlp.shared_expert.hook_post": "its neurons",
  "blocks.{l}.ln2_post.hook_scale": "as of `ln1_post`, of what the MLP writes",
  "blocks.{l}.ln2_post.hook_normalized": "what the MLP writes, normed, before the norm's weight",
  "blocks.{l}.hook_mlp_out": "what the MLP adds to the stream, with `b_out`",
  "blocks.{l}.hook_resid_post": "the residual stream after the block",
  "blocks.{l}.hook_normalized_resid_post":
    "the norm of `hook_resid_post`: the residual stream that the next block reads",
  "ln_final.hook_scale": "as of `ln1`, of the last residual stream",
  "ln_final.hook_normalized": "what the unembedding reads",
  "mlm_head.ln.hook_scale": "`sqrt(var + eps)` of `gelu(x W + b)`, the head for masked tokens",
  "mlm_head.ln.hook_normalized": "what the unembedding reads",
};

/** The same of points that only encoder-decoders have. */
const meaningsOfTwoStacks: Readonly<Record<string, string>> = {
  "encoder.{l}.attn.rel_pos_hook": "what distances add to the scores of all the encoder's layers (layer 0 only)",
  "decoder.{l}.attn.rel_pos_hook": "what distances add to the scores of all the decoder's layers (layer 0 only)",
  "decoder.{l}.hook_cross_attn_in": "`hook_resid_mid`, for the attention to the encoder only",
  "decoder.{l}.cross_attn.hook_q": "queries of the attention to the encoder, from `ln2` of the decoder's stream",
  "decoder.{l}.cross_attn.hook_k": "its keys, from the encoder's last stream after `encoder_final_ln`",
  "decoder.{l}.cross_attn.hook_v": "its values, from the same",
  "decoder.{l}.cross_attn.hook_attn_scores": "`q·k`, -inf where the encoder's input is padding",
  "decoder.{l}.cross_attn.hook_pattern": "the softmax of the scores over the encoder's positions",
  "decoder.{l}.cross_attn.hook_z": "the values, mixed by the pattern",
  "decoder.{l}.cross_attn.hook_result": "what each head adds to the decoder's stream",
  "decoder.{l}.hook_cross_attn_out": "what the attention to the encoder adds to the decoder's stream",
  "decoder.{l}.hook_resid_mid_cross": "the decoder's stream between that attention and the MLP",
  "decoder.{l}.ln3.hook_scale": "as of `ln1`; the MLP's norm",
  "decoder.{l}.ln3.hook_normalized": "the norm's result",
  "encoder_final_ln.hook_scale": "as of `ln1`, of the encoder's last stream",
  "encoder_final_ln.hook_normalized": "the norm's result, before its weight",
  "decoder_final_ln.hook_scale": "as of `ln1`, of the decoder's last stream",
  "decoder_final_ln.hook_normalized": "the norm's result, before its weight",
};

/** A configuration whose sizes distinguish the axes. */
const usual = {
  n_layers: 2,
  d_model: 12,
  n_ctx: 8,
  d_head: 6,
  n_heads: 4,
  d_mlp: 9,
  act_fn: "solu_ln",
  d_vocab: 17,
  eps: 1e-5,
  normalization_type: "LN",
  positional_embedding_type: "standard",
};

/** Kinds of models, which together have every hook point, and the conditions for having or lacking the points of each. */
const kinds: readonly { readonly config: object; readonly has?: string; readonly lacks?: string }[] = [
  { config: {} },
  { config: { positional_embedding_type: "rotary" }, has: "rotary positions", lacks: "learned positions" },
  {
    config: { normalization_type: "RMS", use_normalization_before_and_after: true },
    has: "`useNormalizationBeforeAndAfter`, or `normPlacement` is `output`",
  },
  { config: { norm_placement: "output" }, lacks: "`normPlacement` is not `output`" },
  { config: { use_qk_norm: true }, has: "`useQkNorm`" },
  { config: { positional_embedding_type: "alibi" }, lacks: "learned positions" },
  { config: { post_embedding_ln: true }, has: "`postEmbeddingLn`" },
  { config: { act_fn: "gelu" }, lacks: "`actFn` ends in `_ln`" },
  { config: { act_fn: "gelu", gated_mlp: true }, has: "`gatedMlp`" },
  {
    config: { act_fn: "gelu", gated_mlp: true, num_experts: 5, experts_per_token: 3 },
    has: "`numExperts`",
    lacks: "no `numExperts`",
  },
  {
    config: {
      ...{ act_fn: "gelu", gated_mlp: true, num_experts: 5, experts_per_token: 3 },
      ...{ expert_d_mlp: 7, shared_expert_d_mlp: 10 },
    },
    has: "`sharedExpertDMlp`",
  },
  { config: { parallel_attn_mlp: true }, lacks: "not `parallelAttnMlp`" },
  { config: { n_key_value_heads: 2 }, lacks: "heads have their own keys and values" },
  { config: { attn_only: true, act_fn: null, d_mlp: null }, lacks: "not `attnOnly`" },
  { config: { norm_placement: "after" }, has: "`normPlacement` is `after`", lacks: "`normPlacement` is `before`" },
  { config: { norm_after_embeddings: true, n_token_types: 2, mlm_head: true }, has: "BERT", lacks: "not BERT" },
  { config: { normalization_type: null }, lacks: "`normalizationType` is not null" },
];

/** The kind with two stacks of blocks. */
const twoStacks = {
  ...{ n_decoder_layers: 2, act_fn: "relu", normalization_type: "RMS", attention_dir: "bidirectional" },
  ...{ positional_embedding_type: "relative_positional_bias", relative_attention_num_buckets: 4 },
  relative_attention_max_distance: 8,
};

interface Point {
  readonly name: string;
  readonly axes: string;
  /** In a cache without a filter; the others are made only if a hook or a filter names them. */
  readonly always: boolean;
}

/** The hook points of a configuration's graph, in firing order, under names with `{l}` for the layer. */
function pointsOf(config: object): Map<string, Point> {
  const cfg = parseConfig({ ...usual, ...config });
  const weights = new Weights(cfg, initWeights(cfg));
  const tokens = Tensor.leaf(zeros("int32", [2, 3]), ["batch", "pos"]);
  const decoderTokens = Tensor.leaf(zeros("int32", [2, 5]), ["batch", "pos"]);
  const traced = (reads: boolean) =>
    forward(cfg, weights, { tokens, decoderTokens }, { reads: () => reads, hooks: () => false, usual: "values" })
      .points;
  const [all, usually] = [traced(true), traced(false)];
  const points = new Map<string, Point>();
  for (const [name, value] of all) {
    const key = name
      .replace(/^(blocks|encoder|decoder)\.\d+\./, "$1.{l}.")
      .replace(/\.experts\.\d+\./, ".experts.{i}.");
    const axes = value.shape.map((size, i) => (size === 1 ? "1" : value.axes[i])).join(" ");
    const known = points.get(key);
    if (known && known.axes !== axes)
      throw new Error(`${key} is [${known.axes}] in one layer and [${axes}] in another.`);
    points.set(key, { name: key, axes, always: usually.has(name) });
  }
  return points;
}

/** Every point of every kind: those that the first lacks come after the one that they follow. */
function everyPoint(each: readonly ReadonlyMap<string, Point>[]): Point[] {
  const all = [...each[0].values()];
  for (const points of each.slice(1)) {
    let at = -1;
    for (const point of points.values()) {
      const known = all.findIndex(({ name }) => name === point.name);
      if (known < 0) all.splice(++at, 0, point);
      else at = known;
    }
  }
  return all;
}

/** The arguments of `getActName` for layer 0: one string if possible, or else several. */
function shorthand(name: string): string {
  const kind = name.split("hook_")[1];
  const part =
    /(ln1|ln2|ln1_post|ln2_post|mlp\.ln|attn\.[qk]_norm|mlp\.experts\.\{i\}|mlp\.shared_expert|mlp(?=\.hook_(?:expert|shared|in$|out$)))\.hook_/.exec(
      name,
    )?.[1];
  const arguments_: [string, number?, string?][] = name.startsWith("blocks.")
    ? [[`${kind}0${part ?? ""}`], part ? [kind, 0, part] : [kind, 0]]
    : [[kind]];
  const short = arguments_.find((args) => getActName(...args) === name.replace("{l}", "0"));
  if (!short && !name.startsWith("blocks.")) return "";
  if (!short) throw new Error(`${name} has no short form.`);
  const words = short.map((word) => JSON.stringify(word)).join(", ");
  return short.length === 1 ? words : `[${words}]`;
}

/** The page, in Markdown. */
export function hookNamesPage(): string {
  const each = kinds.map(({ config }) => pointsOf(config));
  const rows = everyPoint(each).map(({ name, axes, always }) => {
    const meaning = meanings[name];
    if (!meaning) throw new Error(`Describe ${name} in scripts/hook-names.ts.`);
    const conditions = each[0].has(name)
      ? kinds.flatMap(({ lacks }, i) => (lacks && !each[i].has(name) ? [lacks] : []))
      : [kinds.find(({ has }, i) => has && each[i].has(name))?.has];
    const where = [...new Set(conditions)].join(", ") || "every model";
    const short = shorthand(name);
    const cells = [`\`${name}\``, short && `\`${short}\``, `\`[${axes}]\``, meaning, where, always ? "" : "yes"];
    return `| ${cells.join(" | ")} |`;
  });
  const ofOneStack = new Set(everyPoint(each).map(({ name }) => name));
  const ofTwo = [...pointsOf(twoStacks).values()].filter(
    ({ name }) => !ofOneStack.has(name.replace(/^(encoder|decoder)\./, "blocks.")),
  );
  const further = ofTwo.map(({ name, axes, always }) => {
    const meaning = meaningsOfTwoStacks[name];
    if (!meaning) throw new Error(`Describe ${name} in scripts/hook-names.ts.`);
    return `| \`${name}\` | \`[${axes}]\` | ${meaning} | ${always ? "" : "yes"} |`;
  });
  return `<!-- Written by \`npm run docs\` from the models' own graphs. Change scripts/hook-names.ts, not this file. -->

# Hook points

Every value of a forward pass that can be read and changed, in the order in which it is made. The names are those of
TransformerLens 2; \`{l}\` is the layer's number and \`{i}\` an expert's, from 0. The short form, here for layer 0, is
what \`getActName\` takes: a string, which can be used wherever a name can, or name, layer and part, which a cache accepts
as a list. Editors complete full names, up to layer 23; after one, \`satisfies HookName\` (\`import type { HookName } from "glassformer"\`)
makes the compiler refuse what no model has. Without it, a wrong name is an error when it runs.

Axes: \`batch\` prompts, \`pos\` token positions, \`query\` and \`key\` positions that attend and are attended to,
\`head\` heads of a layer, \`d_head\` a head's dimensions, \`d_model\` the residual stream, \`d_mlp\` neurons of a
layer, \`expert\` and \`choice\` the experts of a layer and those that a position has chosen. \`1\` is an axis of size 1. If several heads share keys and values, \`kv_head\` replaces \`head\` in
\`hook_k\`, \`hook_v\`, \`k_norm\`, \`hook_rot_k\`, \`hook_k_input\` and \`hook_v_input\`.

Values marked "when asked for" cost something, so a run makes them only if a hook, a \`namesFilter\` or a graph's
\`at\` names them; there is no flag to set. A cache without a \`namesFilter\` does not have them.

Parts that [\`model.splice\`](splicing.md) puts in at a point add points of their own, named within it and before it.

| name | short | shape | what it is | which models | when asked for |
|---|---|---|---|---|---|
${rows.join("\n")}

## Encoder-decoders

In a [\`HookedEncoderDecoder\`](encoders.md) the points of blocks are those of \`encoder.{l}\` and of \`decoder.{l}\` instead of
\`blocks.{l}\`, \`hook_embed\` is the encoder's, and there are further ones:

| name | shape | what it is | when asked for |
|---|---|---|---|
${further.join("\n")}
`;
}
