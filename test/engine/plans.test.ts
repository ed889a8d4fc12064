/**
 * What runs, as plans in text: the seed's job, each activation on the real tokens of a padded batch, a sweep and
 * a training step. One more step, or a step on more rows than it needs, shows here.
 */
import { expect, test } from "vitest";
import { Tensor } from "../../src/graph/tensor.ts";
import { measureDiffuseMlp } from "../../src/measures/diffuse-mlp.ts";
import { sweep, zero } from "../../src/measures/sweep.ts";
import type { ActivationName } from "../../src/models/config/config.ts";
import { activations } from "../../src/models/parts/activation.ts";
import { HookedTransformer, initWeights, parseConfig, train } from "../../src/node.ts";
import { RecordingEngine } from "./recording.ts";

const SMALL = { n_layers: 1, d_model: 8, n_heads: 2, d_head: 4, d_mlp: 16, n_ctx: 8, d_vocab: 64, seed: 1 };

function small(fields: Record<string, unknown>): { model: HookedTransformer; engine: RecordingEngine } {
  const engine = new RecordingEngine();
  const cfg = parseConfig({ ...SMALL, normalization_type: null, act_fn: "relu", ...fields });
  return { engine, model: new HookedTransformer(cfg, initWeights(cfg), { engine }) };
}

function tokens(batch: number, pos: number): Tensor {
  const data = Int32Array.from({ length: batch * pos }, (_, i) => i % SMALL.d_vocab);
  return Tensor.leaf({ dtype: "int32", shape: [batch, pos], data }, ["batch", "pos"]);
}

test("the seed's job: the model once, then again from the ablated neurons, on the selected rows", async () => {
  const engine = new RecordingEngine();
  const model = await HookedTransformer.fromPretrained("solu-1l-novels", { engine });
  await measureDiffuseMlp(model, { prompts: ["It was the best of times", "Call me Ishmael."] });
  expect(engine.plans).toHaveLength(1);
  expect(engine.plans[0]).toMatchInlineSnapshot(`
    "v0 = embed.W_E: float32 rank 2, 1048576 numbers
    v1 = feed: int32 rank 2, 18 numbers
    v2 = gather(v0, v1, axis=-2): float32 rank 3, 4608 numbers
    v3 = pos_embed.W_pos: float32 rank 2, 65536 numbers
    v4 = feed: int32 rank 2, 18 numbers
    v5 = gather(v3, v4, axis=-2): float32 rank 3, 4608 numbers
    v6 = add(v2, v5): float32 rank 3, 4608 numbers
    v7 = mean(v6, axes=[-1], keepdims=true): float32 rank 3, 18 numbers
    v8 = sub(v6, v7): float32 rank 3, 4608 numbers
    v9 = mul(v8, v8): float32 rank 3, 4608 numbers
    v10 = mean(v9, axes=[-1], keepdims=true): float32 rank 3, 18 numbers
    v11 = 0.000009999999747378752: float32 rank 0, 1 number
    v12 = add(v10, v11): float32 rank 3, 18 numbers
    v13 = sqrt(v12): float32 rank 3, 18 numbers
    v14 = div(v8, v13): float32 rank 3, 4608 numbers
    v15 = mergeAxes(permute(blocks.0.attn.W_Q, perm=[-3,-1,-2]), axis=-3, count=2): float32 rank 2, 65536 numbers
    v16 = mergeAxes(blocks.0.attn.b_Q, axis=-2, count=2): float32 rank 1, 256 numbers
    v17 = linear(v14, v15, v16): float32 rank 3, 4608 numbers
    v18 = splitAxis(v17, axis=-1, sizes=[4,64]): float32 rank 4, 4608 numbers
    v19 = mergeAxes(permute(blocks.0.attn.W_K, perm=[-3,-1,-2]), axis=-3, count=2): float32 rank 2, 65536 numbers
    v20 = mergeAxes(blocks.0.attn.b_K, axis=-2, count=2): float32 rank 1, 256 numbers
    v21 = linear(v14, v19, v20): float32 rank 3, 4608 numbers
    v22 = splitAxis(v21, axis=-1, sizes=[4,64]): float32 rank 4, 4608 numbers
    v23 = permute(v18, perm=[-4,-2,-3,-1]): float32 rank 4, 4608 numbers
    v24 = permute(v22, perm=[-4,-2,-3,-1]): float32 rank 4, 4608 numbers
    v25 = permute(v24, perm=[-4,-3,-1,-2]): float32 rank 4, 4608 numbers
    v26 = matmul(v23, v25): float32 rank 4, 648 numbers
    v27 = 8: float32 rank 0, 1 number
    v28 = div(v26, v27): float32 rank 4, 648 numbers
    v29 = feed: bool rank 2, 81 numbers
    v30 = -Infinity: float32 rank 0, 1 number
    v31 = where(v29, v28, v30): float32 rank 4, 648 numbers
    v32 = softmax(v31): float32 rank 4, 648 numbers
    v33 = mergeAxes(permute(blocks.0.attn.W_V, perm=[-3,-1,-2]), axis=-3, count=2): float32 rank 2, 65536 numbers
    v34 = mergeAxes(blocks.0.attn.b_V, axis=-2, count=2): float32 rank 1, 256 numbers
    v35 = linear(v14, v33, v34): float32 rank 3, 4608 numbers
    v36 = splitAxis(v35, axis=-1, sizes=[4,64]): float32 rank 4, 4608 numbers
    v37 = permute(v36, perm=[-4,-2,-3,-1]): float32 rank 4, 4608 numbers
    v38 = matmul(v32, v37): float32 rank 4, 4608 numbers
    v39 = permute(v38, perm=[-4,-2,-3,-1]): float32 rank 4, 4608 numbers
    v40 = mergeAxes(v39, axis=-2, count=2): float32 rank 3, 4608 numbers
    v41 = mergeAxes(blocks.0.attn.W_O, axis=-3, count=2): float32 rank 2, 65536 numbers
    v42 = matmul(v40, v41): float32 rank 3, 4608 numbers
    v43 = blocks.0.attn.b_O: float32 rank 1, 256 numbers
    v44 = add(v42, v43): float32 rank 3, 4608 numbers
    v45 = add(v6, v44): float32 rank 3, 4608 numbers
    v46 = mean(v45, axes=[-1], keepdims=true): float32 rank 3, 18 numbers
    v47 = sub(v45, v46): float32 rank 3, 4608 numbers
    v48 = mul(v47, v47): float32 rank 3, 4608 numbers
    v49 = mean(v48, axes=[-1], keepdims=true): float32 rank 3, 18 numbers
    v50 = add(v49, v11): float32 rank 3, 18 numbers
    v51 = sqrt(v50): float32 rank 3, 18 numbers
    v52 = div(v47, v51): float32 rank 3, 4608 numbers
    v53 = blocks.0.mlp.W_in: float32 rank 2, 262144 numbers
    v54 = matmul(v52, v53): float32 rank 3, 18432 numbers
    v55 = blocks.0.mlp.b_in: float32 rank 1, 1024 numbers
    v56 = add(v54, v55): float32 rank 3, 18432 numbers
    v57 = softmax(v56): float32 rank 3, 18432 numbers
    v58 = mul(v56, v57): float32 rank 3, 18432 numbers
    v59 = feed: int32 rank 2, 32 numbers
    v60 = gatherRows(v58, v59, axes=2): float32 rank 2, 16384 numbers
    v61 = max(v60, axes=[-1], keepdims=false): float32 rank 1, 16 numbers
    v62 = mean(v60, axes=[-1], keepdims=false): float32 rank 1, 16 numbers
    v63 = sub(v61, v62): float32 rank 1, 16 numbers
    v64 = argmax(v60, axis=-1): int32 rank 1, 16 numbers
    v65 = feed: int32 rank 2, 28 numbers
    v66 = gatherRows(v45, v65, axes=2): float32 rank 2, 3584 numbers
    v67 = mean(v58, axes=[-1], keepdims=true): float32 rank 3, 18 numbers
    v68 = sub(v58, v67): float32 rank 3, 18432 numbers
    v69 = mul(v68, v68): float32 rank 3, 18432 numbers
    v70 = mean(v69, axes=[-1], keepdims=true): float32 rank 3, 18 numbers
    v71 = add(v70, v11): float32 rank 3, 18 numbers
    v72 = sqrt(v71): float32 rank 3, 18 numbers
    v73 = div(v68, v72): float32 rank 3, 18432 numbers
    v74 = gatherRows(v73, v65, axes=2): float32 rank 2, 14336 numbers
    v75 = gatherRows(v58, v65, axes=2): float32 rank 2, 14336 numbers
    v76 = feed: float32 rank 0, 1 number
    v77 = mul(v75, v76): float32 rank 2, 14336 numbers
    v78 = mean(v77, axes=[-1], keepdims=true): float32 rank 2, 14 numbers
    v79 = sub(v77, v78): float32 rank 2, 14336 numbers
    v80 = mul(v79, v79): float32 rank 2, 14336 numbers
    v81 = mean(v80, axes=[-1], keepdims=true): float32 rank 2, 14 numbers
    v82 = add(v81, v11): float32 rank 2, 14 numbers
    v83 = sqrt(v82): float32 rank 2, 14 numbers
    v84 = div(v79, v83): float32 rank 2, 14336 numbers
    v85 = blocks.0.mlp.W_out: float32 rank 2, 262144 numbers
    v86, v87 = joinedRows(v74, v84, v85, op="matmul", count=2): float32 rank 2, 3584 numbers; float32 rank 2, 3584 numbers
    v88 = blocks.0.mlp.b_out: float32 rank 1, 256 numbers
    v89 = add(v86, v88): float32 rank 2, 3584 numbers
    v90 = add(v66, v89): float32 rank 2, 3584 numbers
    v91 = mean(v90, axes=[-1], keepdims=true): float32 rank 2, 14 numbers
    v92 = sub(v90, v91): float32 rank 2, 3584 numbers
    v93 = mul(v92, v92): float32 rank 2, 3584 numbers
    v94 = mean(v93, axes=[-1], keepdims=true): float32 rank 2, 14 numbers
    v95 = add(v94, v11): float32 rank 2, 14 numbers
    v96 = sqrt(v95): float32 rank 2, 14 numbers
    v97 = div(v92, v96): float32 rank 2, 3584 numbers
    v98 = add(v87, v88): float32 rank 2, 3584 numbers
    v99 = add(v66, v98): float32 rank 2, 3584 numbers
    v100 = mean(v99, axes=[-1], keepdims=true): float32 rank 2, 14 numbers
    v101 = sub(v99, v100): float32 rank 2, 3584 numbers
    v102 = mul(v101, v101): float32 rank 2, 3584 numbers
    v103 = mean(v102, axes=[-1], keepdims=true): float32 rank 2, 14 numbers
    v104 = add(v103, v11): float32 rank 2, 14 numbers
    v105 = sqrt(v104): float32 rank 2, 14 numbers
    v106 = div(v101, v105): float32 rank 2, 3584 numbers
    v107 = permute(unembed.W_U, perm=[-1,-2]): float32 rank 2, 1048576 numbers
    v108 = unembed.b_U: float32 rank 1, 4096 numbers
    v109, v110 = joinedRows(v97, v106, v107, v108, op="linear", count=2): float32 rank 2, 57344 numbers; float32 rank 2, 57344 numbers
    v111 = feed: int32 rank 1, 14 numbers
    v112 = crossEntropy(v109, v111): float32 rank 1, 14 numbers
    v113 = pick(v109, v111): float32 rank 1, 14 numbers
    v114 = crossEntropy(v110, v111): float32 rank 1, 14 numbers
    v115 = pick(v110, v111): float32 rank 1, 14 numbers
    v116 = unembed.W_U: float32 rank 2, 1048576 numbers
    v117 = gather(v116, v111, axis=-1): float32 rank 2, 3584 numbers
    v118 = matmul(v85, v117): float32 rank 2, 14336 numbers
    v119 = permute(v118, perm=[-1,-2]): float32 rank 2, 14336 numbers
    v120 = div(v119, v96): float32 rank 2, 14336 numbers
    v121 = unsqueeze(blocks.0.mlp.b_out, axis=-2): float32 rank 2, 256 numbers
    v122 = matmul(v121, v117): float32 rank 2, 14 numbers
    v123 = permute(v122, perm=[-1,-2]): float32 rank 2, 14 numbers
    v124 = div(v123, v96): float32 rank 2, 14 numbers
    v125 = gatherRows(v73, v59, axes=2): float32 rank 2, 16384 numbers
    v126 = max(v125, axes=[-1], keepdims=false): float32 rank 1, 16 numbers
    v127 = mean(v125, axes=[-1], keepdims=false): float32 rank 1, 16 numbers
    v128 = sub(v126, v127): float32 rank 1, 16 numbers
    v129 = gatherRows(v72, v59, axes=2): float32 rank 2, 16 numbers
    return v63, v64, v112, v113, v114, v115, v74, v120, v124, v128, v129"
  `);
});

/** The plan of the logits of four rows out of 24, from the last selection of rows on: what comes before is attention. */
function fromRowsOn(activation: ActivationName): string {
  const { engine, model } = small({ act_fn: activation });
  const rows = Tensor.leaf({ dtype: "int32", shape: [4, 2], data: Int32Array.of(0, 1, 0, 7, 1, 4, 2, 2) });
  engine.run([model.graph(tokens(3, 8)).output.gatherRows(rows)]);
  const lines = engine.plans[0].split("\n");
  return lines.slice(lines.findLastIndex((line) => line.includes("gatherRows"))).join("\n");
}

test("relu on selected rows", () => {
  expect(fromRowsOn("relu")).toMatchInlineSnapshot(`
    "v34 = gatherRows(v33, v7, axes=2): float32 rank 3, 32 numbers
    v35 = mergeAxes(v34, axis=-2, count=2): float32 rank 2, 32 numbers
    v36 = mergeAxes(blocks.0.attn.W_O, axis=-3, count=2): float32 rank 2, 64 numbers
    v37 = matmul(v35, v36): float32 rank 2, 32 numbers
    v38 = blocks.0.attn.b_O: float32 rank 1, 8 numbers
    v39 = add(v37, v38): float32 rank 2, 32 numbers
    v40 = add(v8, v39): float32 rank 2, 32 numbers
    v41 = blocks.0.mlp.W_in: float32 rank 2, 128 numbers
    v42 = matmul(v40, v41): float32 rank 2, 64 numbers
    v43 = blocks.0.mlp.b_in: float32 rank 1, 16 numbers
    v44 = add(v42, v43): float32 rank 2, 64 numbers
    v45 = relu(v44): float32 rank 2, 64 numbers
    v46 = blocks.0.mlp.W_out: float32 rank 2, 128 numbers
    v47 = matmul(v45, v46): float32 rank 2, 32 numbers
    v48 = blocks.0.mlp.b_out: float32 rank 1, 8 numbers
    v49 = add(v47, v48): float32 rank 2, 32 numbers
    v50 = add(v40, v49): float32 rank 2, 32 numbers
    v51 = permute(unembed.W_U, perm=[-1,-2]): float32 rank 2, 512 numbers
    v52 = unembed.b_U: float32 rank 1, 64 numbers
    v53 = linear(v50, v51, v52): float32 rank 2, 256 numbers
    return v53"
  `);
});

test("silu on selected rows", () => {
  expect(fromRowsOn("silu")).toMatchInlineSnapshot(`
    "v34 = gatherRows(v33, v7, axes=2): float32 rank 3, 32 numbers
    v35 = mergeAxes(v34, axis=-2, count=2): float32 rank 2, 32 numbers
    v36 = mergeAxes(blocks.0.attn.W_O, axis=-3, count=2): float32 rank 2, 64 numbers
    v37 = matmul(v35, v36): float32 rank 2, 32 numbers
    v38 = blocks.0.attn.b_O: float32 rank 1, 8 numbers
    v39 = add(v37, v38): float32 rank 2, 32 numbers
    v40 = add(v8, v39): float32 rank 2, 32 numbers
    v41 = blocks.0.mlp.W_in: float32 rank 2, 128 numbers
    v42 = matmul(v40, v41): float32 rank 2, 64 numbers
    v43 = blocks.0.mlp.b_in: float32 rank 1, 16 numbers
    v44 = add(v42, v43): float32 rank 2, 64 numbers
    v45 = sigmoid(v44): float32 rank 2, 64 numbers
    v46 = mul(v44, v45): float32 rank 2, 64 numbers
    v47 = blocks.0.mlp.W_out: float32 rank 2, 128 numbers
    v48 = matmul(v46, v47): float32 rank 2, 32 numbers
    v49 = blocks.0.mlp.b_out: float32 rank 1, 8 numbers
    v50 = add(v48, v49): float32 rank 2, 32 numbers
    v51 = add(v40, v50): float32 rank 2, 32 numbers
    v52 = permute(unembed.W_U, perm=[-1,-2]): float32 rank 2, 512 numbers
    v53 = unembed.b_U: float32 rank 1, 64 numbers
    v54 = linear(v51, v52, v53): float32 rank 2, 256 numbers
    return v54"
  `);
});

test("gelu on selected rows", () => {
  expect(fromRowsOn("gelu")).toMatchInlineSnapshot(`
    "v34 = gatherRows(v33, v7, axes=2): float32 rank 3, 32 numbers
    v35 = mergeAxes(v34, axis=-2, count=2): float32 rank 2, 32 numbers
    v36 = mergeAxes(blocks.0.attn.W_O, axis=-3, count=2): float32 rank 2, 64 numbers
    v37 = matmul(v35, v36): float32 rank 2, 32 numbers
    v38 = blocks.0.attn.b_O: float32 rank 1, 8 numbers
    v39 = add(v37, v38): float32 rank 2, 32 numbers
    v40 = add(v8, v39): float32 rank 2, 32 numbers
    v41 = blocks.0.mlp.W_in: float32 rank 2, 128 numbers
    v42 = matmul(v40, v41): float32 rank 2, 64 numbers
    v43 = blocks.0.mlp.b_in: float32 rank 1, 16 numbers
    v44 = add(v42, v43): float32 rank 2, 64 numbers
    v45 = gelu(v44, approximate="none"): float32 rank 2, 64 numbers
    v46 = blocks.0.mlp.W_out: float32 rank 2, 128 numbers
    v47 = matmul(v45, v46): float32 rank 2, 32 numbers
    v48 = blocks.0.mlp.b_out: float32 rank 1, 8 numbers
    v49 = add(v47, v48): float32 rank 2, 32 numbers
    v50 = add(v40, v49): float32 rank 2, 32 numbers
    v51 = permute(unembed.W_U, perm=[-1,-2]): float32 rank 2, 512 numbers
    v52 = unembed.b_U: float32 rank 1, 64 numbers
    v53 = linear(v50, v51, v52): float32 rank 2, 256 numbers
    return v53"
  `);
});

test("gelu_new on selected rows", () => {
  expect(fromRowsOn("gelu_new")).toMatchInlineSnapshot(`
    "v34 = gatherRows(v33, v7, axes=2): float32 rank 3, 32 numbers
    v35 = mergeAxes(v34, axis=-2, count=2): float32 rank 2, 32 numbers
    v36 = mergeAxes(blocks.0.attn.W_O, axis=-3, count=2): float32 rank 2, 64 numbers
    v37 = matmul(v35, v36): float32 rank 2, 32 numbers
    v38 = blocks.0.attn.b_O: float32 rank 1, 8 numbers
    v39 = add(v37, v38): float32 rank 2, 32 numbers
    v40 = add(v8, v39): float32 rank 2, 32 numbers
    v41 = blocks.0.mlp.W_in: float32 rank 2, 128 numbers
    v42 = matmul(v40, v41): float32 rank 2, 64 numbers
    v43 = blocks.0.mlp.b_in: float32 rank 1, 16 numbers
    v44 = add(v42, v43): float32 rank 2, 64 numbers
    v45 = gelu(v44, approximate="tanh"): float32 rank 2, 64 numbers
    v46 = blocks.0.mlp.W_out: float32 rank 2, 128 numbers
    v47 = matmul(v45, v46): float32 rank 2, 32 numbers
    v48 = blocks.0.mlp.b_out: float32 rank 1, 8 numbers
    v49 = add(v47, v48): float32 rank 2, 32 numbers
    v50 = add(v40, v49): float32 rank 2, 32 numbers
    v51 = permute(unembed.W_U, perm=[-1,-2]): float32 rank 2, 512 numbers
    v52 = unembed.b_U: float32 rank 1, 64 numbers
    v53 = linear(v50, v51, v52): float32 rank 2, 256 numbers
    return v53"
  `);
});

test("gelu_fast on selected rows", () => {
  expect(fromRowsOn("gelu_fast")).toMatchInlineSnapshot(`
    "v34 = gatherRows(v33, v7, axes=2): float32 rank 3, 32 numbers
    v35 = mergeAxes(v34, axis=-2, count=2): float32 rank 2, 32 numbers
    v36 = mergeAxes(blocks.0.attn.W_O, axis=-3, count=2): float32 rank 2, 64 numbers
    v37 = matmul(v35, v36): float32 rank 2, 32 numbers
    v38 = blocks.0.attn.b_O: float32 rank 1, 8 numbers
    v39 = add(v37, v38): float32 rank 2, 32 numbers
    v40 = add(v8, v39): float32 rank 2, 32 numbers
    v41 = blocks.0.mlp.W_in: float32 rank 2, 128 numbers
    v42 = matmul(v40, v41): float32 rank 2, 64 numbers
    v43 = blocks.0.mlp.b_in: float32 rank 1, 16 numbers
    v44 = add(v42, v43): float32 rank 2, 64 numbers
    v45 = gelu(v44, approximate="tanh"): float32 rank 2, 64 numbers
    v46 = blocks.0.mlp.W_out: float32 rank 2, 128 numbers
    v47 = matmul(v45, v46): float32 rank 2, 32 numbers
    v48 = blocks.0.mlp.b_out: float32 rank 1, 8 numbers
    v49 = add(v47, v48): float32 rank 2, 32 numbers
    v50 = add(v40, v49): float32 rank 2, 32 numbers
    v51 = permute(unembed.W_U, perm=[-1,-2]): float32 rank 2, 512 numbers
    v52 = unembed.b_U: float32 rank 1, 64 numbers
    v53 = linear(v50, v51, v52): float32 rank 2, 256 numbers
    return v53"
  `);
});

test("gelu_pytorch_tanh on selected rows", () => {
  expect(fromRowsOn("gelu_pytorch_tanh")).toMatchInlineSnapshot(`
    "v34 = gatherRows(v33, v7, axes=2): float32 rank 3, 32 numbers
    v35 = mergeAxes(v34, axis=-2, count=2): float32 rank 2, 32 numbers
    v36 = mergeAxes(blocks.0.attn.W_O, axis=-3, count=2): float32 rank 2, 64 numbers
    v37 = matmul(v35, v36): float32 rank 2, 32 numbers
    v38 = blocks.0.attn.b_O: float32 rank 1, 8 numbers
    v39 = add(v37, v38): float32 rank 2, 32 numbers
    v40 = add(v8, v39): float32 rank 2, 32 numbers
    v41 = blocks.0.mlp.W_in: float32 rank 2, 128 numbers
    v42 = matmul(v40, v41): float32 rank 2, 64 numbers
    v43 = blocks.0.mlp.b_in: float32 rank 1, 16 numbers
    v44 = add(v42, v43): float32 rank 2, 64 numbers
    v45 = gelu(v44, approximate="tanh"): float32 rank 2, 64 numbers
    v46 = blocks.0.mlp.W_out: float32 rank 2, 128 numbers
    v47 = matmul(v45, v46): float32 rank 2, 32 numbers
    v48 = blocks.0.mlp.b_out: float32 rank 1, 8 numbers
    v49 = add(v47, v48): float32 rank 2, 32 numbers
    v50 = add(v40, v49): float32 rank 2, 32 numbers
    v51 = permute(unembed.W_U, perm=[-1,-2]): float32 rank 2, 512 numbers
    v52 = unembed.b_U: float32 rank 1, 64 numbers
    v53 = linear(v50, v51, v52): float32 rank 2, 256 numbers
    return v53"
  `);
});

test("quick_gelu on selected rows", () => {
  expect(fromRowsOn("quick_gelu")).toMatchInlineSnapshot(`
    "v34 = gatherRows(v33, v7, axes=2): float32 rank 3, 32 numbers
    v35 = mergeAxes(v34, axis=-2, count=2): float32 rank 2, 32 numbers
    v36 = mergeAxes(blocks.0.attn.W_O, axis=-3, count=2): float32 rank 2, 64 numbers
    v37 = matmul(v35, v36): float32 rank 2, 32 numbers
    v38 = blocks.0.attn.b_O: float32 rank 1, 8 numbers
    v39 = add(v37, v38): float32 rank 2, 32 numbers
    v40 = add(v8, v39): float32 rank 2, 32 numbers
    v41 = blocks.0.mlp.W_in: float32 rank 2, 128 numbers
    v42 = matmul(v40, v41): float32 rank 2, 64 numbers
    v43 = blocks.0.mlp.b_in: float32 rank 1, 16 numbers
    v44 = add(v42, v43): float32 rank 2, 64 numbers
    v45 = feed: float32 rank 0, 1 number
    v46 = mul(v44, v45): float32 rank 2, 64 numbers
    v47 = sigmoid(v46): float32 rank 2, 64 numbers
    v48 = mul(v44, v47): float32 rank 2, 64 numbers
    v49 = blocks.0.mlp.W_out: float32 rank 2, 128 numbers
    v50 = matmul(v48, v49): float32 rank 2, 32 numbers
    v51 = blocks.0.mlp.b_out: float32 rank 1, 8 numbers
    v52 = add(v50, v51): float32 rank 2, 32 numbers
    v53 = add(v40, v52): float32 rank 2, 32 numbers
    v54 = permute(unembed.W_U, perm=[-1,-2]): float32 rank 2, 512 numbers
    v55 = unembed.b_U: float32 rank 1, 64 numbers
    v56 = linear(v53, v54, v55): float32 rank 2, 256 numbers
    return v56"
  `);
});

test("solu on selected rows", () => {
  expect(fromRowsOn("solu")).toMatchInlineSnapshot(`
    "v34 = gatherRows(v33, v7, axes=2): float32 rank 3, 32 numbers
    v35 = mergeAxes(v34, axis=-2, count=2): float32 rank 2, 32 numbers
    v36 = mergeAxes(blocks.0.attn.W_O, axis=-3, count=2): float32 rank 2, 64 numbers
    v37 = matmul(v35, v36): float32 rank 2, 32 numbers
    v38 = blocks.0.attn.b_O: float32 rank 1, 8 numbers
    v39 = add(v37, v38): float32 rank 2, 32 numbers
    v40 = add(v8, v39): float32 rank 2, 32 numbers
    v41 = blocks.0.mlp.W_in: float32 rank 2, 128 numbers
    v42 = matmul(v40, v41): float32 rank 2, 64 numbers
    v43 = blocks.0.mlp.b_in: float32 rank 1, 16 numbers
    v44 = add(v42, v43): float32 rank 2, 64 numbers
    v45 = softmax(v44): float32 rank 2, 64 numbers
    v46 = mul(v44, v45): float32 rank 2, 64 numbers
    v47 = blocks.0.mlp.W_out: float32 rank 2, 128 numbers
    v48 = matmul(v46, v47): float32 rank 2, 32 numbers
    v49 = blocks.0.mlp.b_out: float32 rank 1, 8 numbers
    v50 = add(v48, v49): float32 rank 2, 32 numbers
    v51 = add(v40, v50): float32 rank 2, 32 numbers
    v52 = permute(unembed.W_U, perm=[-1,-2]): float32 rank 2, 512 numbers
    v53 = unembed.b_U: float32 rank 1, 64 numbers
    v54 = linear(v51, v52, v53): float32 rank 2, 256 numbers
    return v54"
  `);
});

test("solu_ln on selected rows", () => {
  expect(fromRowsOn("solu_ln")).toMatchInlineSnapshot(`
    "v34 = gatherRows(v33, v7, axes=2): float32 rank 3, 32 numbers
    v35 = mergeAxes(v34, axis=-2, count=2): float32 rank 2, 32 numbers
    v36 = mergeAxes(blocks.0.attn.W_O, axis=-3, count=2): float32 rank 2, 64 numbers
    v37 = matmul(v35, v36): float32 rank 2, 32 numbers
    v38 = blocks.0.attn.b_O: float32 rank 1, 8 numbers
    v39 = add(v37, v38): float32 rank 2, 32 numbers
    v40 = add(v8, v39): float32 rank 2, 32 numbers
    v41 = blocks.0.mlp.W_in: float32 rank 2, 128 numbers
    v42 = matmul(v40, v41): float32 rank 2, 64 numbers
    v43 = blocks.0.mlp.b_in: float32 rank 1, 16 numbers
    v44 = add(v42, v43): float32 rank 2, 64 numbers
    v45 = softmax(v44): float32 rank 2, 64 numbers
    v46 = mul(v44, v45): float32 rank 2, 64 numbers
    v47 = mean(v46, axes=[-1], keepdims=true): float32 rank 2, 4 numbers
    v48 = sub(v46, v47): float32 rank 2, 64 numbers
    v49 = mul(v48, v48): float32 rank 2, 64 numbers
    v50 = mean(v49, axes=[-1], keepdims=true): float32 rank 2, 4 numbers
    v51 = 0.000009999999747378752: float32 rank 0, 1 number
    v52 = add(v50, v51): float32 rank 2, 4 numbers
    v53 = sqrt(v52): float32 rank 2, 4 numbers
    v54 = div(v48, v53): float32 rank 2, 64 numbers
    v55 = blocks.0.mlp.W_out: float32 rank 2, 128 numbers
    v56 = matmul(v54, v55): float32 rank 2, 32 numbers
    v57 = blocks.0.mlp.b_out: float32 rank 1, 8 numbers
    v58 = add(v56, v57): float32 rank 2, 32 numbers
    v59 = add(v40, v58): float32 rank 2, 32 numbers
    v60 = permute(unembed.W_U, perm=[-1,-2]): float32 rank 2, 512 numbers
    v61 = unembed.b_U: float32 rank 1, 64 numbers
    v62 = linear(v59, v60, v61): float32 rank 2, 256 numbers
    return v62"
  `);
});

test("there is a plan above for each activation", () => {
  const known: readonly ActivationName[] = [
    "relu",
    "silu",
    "gelu",
    "gelu_new",
    "gelu_fast",
    "gelu_pytorch_tanh",
    "quick_gelu",
    "solu",
    "solu_ln",
  ];
  expect(Object.keys(activations).toSorted()).toEqual(known.toSorted());
});

test("a sweep: all cells of a layer go through the rest of the model as rows of one pass", async () => {
  const { engine, model } = small({ attn_only: true });
  const metric = (logits: Tensor) => logits.at({ pos: -1, d_vocab: 3 }).squeeze("batch");
  await sweep(model, tokens(1, 8), { site: "z", over: ["layer", "head", "pos"], edit: zero, metric });
  expect(engine.plans).toHaveLength(1);
  expect(engine.plans[0]).toMatchInlineSnapshot(`
    "v0 = embed.W_E: float32 rank 2, 512 numbers
    v1 = feed: int32 rank 2, 8 numbers
    v2 = gather(v0, v1, axis=-2): float32 rank 3, 64 numbers
    v3 = pos_embed.W_pos: float32 rank 2, 64 numbers
    v4 = feed: int32 rank 2, 8 numbers
    v5 = gather(v3, v4, axis=-2): float32 rank 3, 64 numbers
    v6 = add(v2, v5): float32 rank 3, 64 numbers
    v7 = feed: int32 rank 1, 1 number
    v8 = gather(v6, v7, axis=-2): float32 rank 3, 8 numbers
    v9 = feed: bool rank 5, 256 numbers
    v10 = gather(v9, v7, axis=-3): bool rank 5, 32 numbers
    v11 = feed: bool rank 2, 64 numbers
    v12 = gather(v11, v7, axis=-2): bool rank 2, 8 numbers
    v13 = mergeAxes(permute(blocks.0.attn.W_Q, perm=[-3,-1,-2]), axis=-3, count=2): float32 rank 2, 64 numbers
    v14 = mergeAxes(blocks.0.attn.b_Q, axis=-2, count=2): float32 rank 1, 8 numbers
    v15 = linear(v8, v13, v14): float32 rank 3, 8 numbers
    v16 = splitAxis(v15, axis=-1, sizes=[2,4]): float32 rank 4, 8 numbers
    v17 = mergeAxes(permute(blocks.0.attn.W_K, perm=[-3,-1,-2]), axis=-3, count=2): float32 rank 2, 64 numbers
    v18 = mergeAxes(blocks.0.attn.b_K, axis=-2, count=2): float32 rank 1, 8 numbers
    v19 = linear(v6, v17, v18): float32 rank 3, 64 numbers
    v20 = splitAxis(v19, axis=-1, sizes=[2,4]): float32 rank 4, 64 numbers
    v21 = permute(v16, perm=[-4,-2,-3,-1]): float32 rank 4, 8 numbers
    v22 = permute(v20, perm=[-4,-2,-3,-1]): float32 rank 4, 64 numbers
    v23 = permute(v22, perm=[-4,-3,-1,-2]): float32 rank 4, 64 numbers
    v24 = matmul(v21, v23): float32 rank 4, 16 numbers
    v25 = 2: float32 rank 0, 1 number
    v26 = div(v24, v25): float32 rank 4, 16 numbers
    v27 = -Infinity: float32 rank 0, 1 number
    v28 = where(v12, v26, v27): float32 rank 4, 16 numbers
    v29 = softmax(v28): float32 rank 4, 16 numbers
    v30 = mergeAxes(permute(blocks.0.attn.W_V, perm=[-3,-1,-2]), axis=-3, count=2): float32 rank 2, 64 numbers
    v31 = mergeAxes(blocks.0.attn.b_V, axis=-2, count=2): float32 rank 1, 8 numbers
    v32 = linear(v6, v30, v31): float32 rank 3, 64 numbers
    v33 = splitAxis(v32, axis=-1, sizes=[2,4]): float32 rank 4, 64 numbers
    v34 = permute(v33, perm=[-4,-2,-3,-1]): float32 rank 4, 64 numbers
    v35 = matmul(v29, v34): float32 rank 4, 8 numbers
    v36 = permute(v35, perm=[-4,-2,-3,-1]): float32 rank 4, 8 numbers
    v37 = 0: float32 rank 0, 1 number
    v38 = where(v10, v37, v36): float32 rank 5, 128 numbers
    v39 = mergeAxes(v38, axis=-2, count=2): float32 rank 4, 128 numbers
    v40 = mergeAxes(blocks.0.attn.W_O, axis=-3, count=2): float32 rank 2, 64 numbers
    v41 = matmul(v39, v40): float32 rank 4, 128 numbers
    v42 = blocks.0.attn.b_O: float32 rank 1, 8 numbers
    v43 = add(v41, v42): float32 rank 4, 128 numbers
    v44 = add(v8, v43): float32 rank 4, 128 numbers
    v45 = unembed.W_U: float32 rank 2, 512 numbers
    v46 = feed: int32 rank 1, 1 number
    v47 = gather(v45, v46, axis=-1): float32 rank 2, 8 numbers
    v48 = permute(v47, perm=[-1,-2]): float32 rank 2, 8 numbers
    v49 = mul(v44, v48): float32 rank 4, 128 numbers
    v50 = sum(v49, axes=[-1], keepdims=true): float32 rank 4, 16 numbers
    v51 = unembed.b_U: float32 rank 1, 64 numbers
    v52 = gather(v51, v46, axis=-1): float32 rank 1, 1 number
    v53 = add(v50, v52): float32 rank 4, 16 numbers
    v54 = feed: int32 rank 1, 1 number
    v55 = gather(v6, v54, axis=-2): float32 rank 3, 8 numbers
    v56 = gather(v11, v54, axis=-2): bool rank 2, 8 numbers
    v57 = linear(v55, v13, v14): float32 rank 3, 8 numbers
    v58 = splitAxis(v57, axis=-1, sizes=[2,4]): float32 rank 4, 8 numbers
    v59 = permute(v58, perm=[-4,-2,-3,-1]): float32 rank 4, 8 numbers
    v60 = matmul(v59, v23): float32 rank 4, 16 numbers
    v61 = div(v60, v25): float32 rank 4, 16 numbers
    v62 = where(v56, v61, v27): float32 rank 4, 16 numbers
    v63 = softmax(v62): float32 rank 4, 16 numbers
    v64 = matmul(v63, v34): float32 rank 4, 8 numbers
    v65 = permute(v64, perm=[-4,-2,-3,-1]): float32 rank 4, 8 numbers
    v66 = mergeAxes(v65, axis=-2, count=2): float32 rank 3, 8 numbers
    v67 = matmul(v66, v40): float32 rank 3, 8 numbers
    v68 = add(v67, v42): float32 rank 3, 8 numbers
    v69 = add(v55, v68): float32 rank 3, 8 numbers
    v70 = feed: int32 rank 1, 1 number
    v71 = gather(v45, v70, axis=-1): float32 rank 2, 8 numbers
    v72 = permute(v71, perm=[-1,-2]): float32 rank 2, 8 numbers
    v73 = mul(v69, v72): float32 rank 3, 8 numbers
    v74 = sum(v73, axes=[-1], keepdims=true): float32 rank 3, 1 number
    v75 = gather(v51, v70, axis=-1): float32 rank 1, 1 number
    v76 = add(v74, v75): float32 rank 3, 1 number
    return v53, v76, v6"
  `);
});

test("a training step: forward, backward and the optimizer are one plan", async () => {
  const { engine, model } = small({ attn_only: true, n_heads: 1 });
  await train(model, { data: tokens(2, 8), batchSize: 2, steps: 1, optimizer: "sgd", lr: 0.1 });
  expect(engine.plans).toHaveLength(1);
  expect(engine.plans[0]).toMatchInlineSnapshot(`
    "v0 = embed.W_E: float32 rank 2, 512 numbers
    v1 = feed: int32 rank 2, 16 numbers
    v2 = gather(v0, v1, axis=-2): float32 rank 3, 128 numbers
    v3 = pos_embed.W_pos: float32 rank 2, 64 numbers
    v4 = feed: int32 rank 2, 16 numbers
    v5 = gather(v3, v4, axis=-2): float32 rank 3, 128 numbers
    v6 = add(v2, v5): float32 rank 3, 128 numbers
    v7 = slice(v6, axis=-2, start=0, end=-1): float32 rank 3, 112 numbers
    v8 = feed: bool rank 2, 64 numbers
    v9 = slice(v8, axis=-2, start=0, end=-1): bool rank 2, 56 numbers
    v10 = blocks.0.attn.W_Q: float32 rank 3, 32 numbers
    v11 = permute(v10, perm=[-3,-1,-2]): float32 rank 3, 32 numbers
    v12 = mergeAxes(v11, axis=-3, count=2): float32 rank 2, 32 numbers
    v13 = permute(v12, perm=[-1,-2]): float32 rank 2, 32 numbers
    v14 = matmul(v7, v13): float32 rank 3, 56 numbers
    v15 = splitAxis(v14, axis=-1, sizes=[1,4]): float32 rank 4, 56 numbers
    v16 = blocks.0.attn.b_Q: float32 rank 2, 4 numbers
    v17 = add(v15, v16): float32 rank 4, 56 numbers
    v18 = blocks.0.attn.W_K: float32 rank 3, 32 numbers
    v19 = permute(v18, perm=[-3,-1,-2]): float32 rank 3, 32 numbers
    v20 = mergeAxes(v19, axis=-3, count=2): float32 rank 2, 32 numbers
    v21 = permute(v20, perm=[-1,-2]): float32 rank 2, 32 numbers
    v22 = matmul(v6, v21): float32 rank 3, 64 numbers
    v23 = splitAxis(v22, axis=-1, sizes=[1,4]): float32 rank 4, 64 numbers
    v24 = blocks.0.attn.b_K: float32 rank 2, 4 numbers
    v25 = add(v23, v24): float32 rank 4, 64 numbers
    v26 = permute(v17, perm=[-4,-2,-3,-1]): float32 rank 4, 56 numbers
    v27 = permute(v25, perm=[-4,-2,-3,-1]): float32 rank 4, 64 numbers
    v28 = permute(v27, perm=[-4,-3,-1,-2]): float32 rank 4, 64 numbers
    v29 = matmul(v26, v28): float32 rank 4, 112 numbers
    v30 = 2: float32 rank 0, 1 number
    v31 = div(v29, v30): float32 rank 4, 112 numbers
    v32 = -Infinity: float32 rank 0, 1 number
    v33 = where(v9, v31, v32): float32 rank 4, 112 numbers
    v34 = softmax(v33): float32 rank 4, 112 numbers
    v35 = blocks.0.attn.W_V: float32 rank 3, 32 numbers
    v36 = permute(v35, perm=[-3,-1,-2]): float32 rank 3, 32 numbers
    v37 = mergeAxes(v36, axis=-3, count=2): float32 rank 2, 32 numbers
    v38 = permute(v37, perm=[-1,-2]): float32 rank 2, 32 numbers
    v39 = matmul(v6, v38): float32 rank 3, 64 numbers
    v40 = splitAxis(v39, axis=-1, sizes=[1,4]): float32 rank 4, 64 numbers
    v41 = blocks.0.attn.b_V: float32 rank 2, 4 numbers
    v42 = add(v40, v41): float32 rank 4, 64 numbers
    v43 = permute(v42, perm=[-4,-2,-3,-1]): float32 rank 4, 64 numbers
    v44 = matmul(v34, v43): float32 rank 4, 56 numbers
    v45 = permute(v44, perm=[-4,-2,-3,-1]): float32 rank 4, 56 numbers
    v46 = mergeAxes(v45, axis=-2, count=2): float32 rank 3, 56 numbers
    v47 = blocks.0.attn.W_O: float32 rank 3, 32 numbers
    v48 = mergeAxes(v47, axis=-3, count=2): float32 rank 2, 32 numbers
    v49 = matmul(v46, v48): float32 rank 3, 112 numbers
    v50 = blocks.0.attn.b_O: float32 rank 1, 8 numbers
    v51 = add(v49, v50): float32 rank 3, 112 numbers
    v52 = add(v7, v51): float32 rank 3, 112 numbers
    v53 = unembed.W_U: float32 rank 2, 512 numbers
    v54 = matmul(v52, v53): float32 rank 3, 896 numbers
    v55 = unembed.b_U: float32 rank 1, 64 numbers
    v56 = add(v54, v55): float32 rank 3, 896 numbers
    v57 = slice(v1, axis=-1, start=1, end=null): int32 rank 2, 14 numbers
    v58 = crossEntropy(v56, v57): float32 rank 2, 14 numbers
    v59 = mean(v58, axes=[-2,-1], keepdims=false): float32 rank 0, 1 number
    v60 = softmax(v56): float32 rank 3, 896 numbers
    v61 = 1: float32 rank 0, 1 number
    v62 = unsqueeze(v61, axis=-1): float32 rank 1, 1 number
    v63 = unsqueeze(v62, axis=-1): float32 rank 2, 1 number
    v64 = feed: float32 rank 0, 1 number
    v65 = div(v63, v64): float32 rank 2, 1 number
    v66 = expandLike(v65, v58): float32 rank 2, 14 numbers
    v67 = unsqueeze(v66, axis=-1): float32 rank 3, 14 numbers
    v68 = mul(v60, v67): float32 rank 3, 896 numbers
    v69 = neg(v66): float32 rank 2, 14 numbers
    v70 = addAt(v68, v57, v69): float32 rank 3, 896 numbers
    v71 = permute(v53, perm=[-1,-2]): float32 rank 2, 512 numbers
    v72 = matmul(v70, v71): float32 rank 3, 112 numbers
    v73 = permute(v48, perm=[-1,-2]): float32 rank 2, 32 numbers
    v74 = matmul(v72, v73): float32 rank 3, 56 numbers
    v75 = splitAxis(v74, axis=-1, sizes=[1,4]): float32 rank 4, 56 numbers
    v76 = permute(v75, perm=[-4,-2,-3,-1]): float32 rank 4, 56 numbers
    v77 = permute(v43, perm=[-4,-3,-1,-2]): float32 rank 4, 64 numbers
    v78 = matmul(v76, v77): float32 rank 4, 112 numbers
    v79 = mul(v78, v34): float32 rank 4, 112 numbers
    v80 = sum(v79, axes=[-1], keepdims=true): float32 rank 4, 14 numbers
    v81 = mul(v34, v80): float32 rank 4, 112 numbers
    v82 = sub(v79, v81): float32 rank 4, 112 numbers
    v83 = 0: float32 rank 0, 1 number
    v84 = where(v9, v82, v83): float32 rank 4, 112 numbers
    v85 = div(v84, v30): float32 rank 4, 112 numbers
    v86 = permute(v85, perm=[-4,-3,-1,-2]): float32 rank 4, 112 numbers
    v87 = matmul(v86, v26): float32 rank 4, 64 numbers
    v88 = permute(v87, perm=[-4,-2,-3,-1]): float32 rank 4, 64 numbers
    v89 = mergeAxes(v88, axis=-2, count=2): float32 rank 3, 64 numbers
    v90 = mergeAxes(v89, axis=-3, count=2): float32 rank 2, 64 numbers
    v91 = permute(v90, perm=[-1,-2]): float32 rank 2, 64 numbers
    v92 = mergeAxes(v6, axis=-3, count=2): float32 rank 2, 128 numbers
    v93 = matmul(v91, v92): float32 rank 2, 32 numbers
    v94 = splitAxis(v93, axis=-2, sizes=[1,4]): float32 rank 3, 32 numbers
    v95 = permute(v94, perm=[-3,-1,-2]): float32 rank 3, 32 numbers
    v96 = mul(v95, v95): float32 rank 3, 32 numbers
    v97 = sum(v96, axes=[-3,-2,-1], keepdims=false): float32 rank 0, 1 number
    v98 = mergeAxes(v46, axis=-3, count=2): float32 rank 2, 56 numbers
    v99 = permute(v98, perm=[-1,-2]): float32 rank 2, 56 numbers
    v100 = mergeAxes(v72, axis=-3, count=2): float32 rank 2, 112 numbers
    v101 = matmul(v99, v100): float32 rank 2, 32 numbers
    v102 = splitAxis(v101, axis=-2, sizes=[1,4]): float32 rank 3, 32 numbers
    v103 = mul(v102, v102): float32 rank 3, 32 numbers
    v104 = sum(v103, axes=[-3,-2,-1], keepdims=false): float32 rank 0, 1 number
    v105 = add(v97, v104): float32 rank 0, 1 number
    v106 = matmul(v85, v27): float32 rank 4, 56 numbers
    v107 = permute(v106, perm=[-4,-2,-3,-1]): float32 rank 4, 56 numbers
    v108 = mergeAxes(v107, axis=-2, count=2): float32 rank 3, 56 numbers
    v109 = mergeAxes(v108, axis=-3, count=2): float32 rank 2, 56 numbers
    v110 = permute(v109, perm=[-1,-2]): float32 rank 2, 56 numbers
    v111 = mergeAxes(v7, axis=-3, count=2): float32 rank 2, 112 numbers
    v112 = matmul(v110, v111): float32 rank 2, 32 numbers
    v113 = splitAxis(v112, axis=-2, sizes=[1,4]): float32 rank 3, 32 numbers
    v114 = permute(v113, perm=[-3,-1,-2]): float32 rank 3, 32 numbers
    v115 = mul(v114, v114): float32 rank 3, 32 numbers
    v116 = sum(v115, axes=[-3,-2,-1], keepdims=false): float32 rank 0, 1 number
    v117 = add(v105, v116): float32 rank 0, 1 number
    v118 = permute(v34, perm=[-4,-3,-1,-2]): float32 rank 4, 112 numbers
    v119 = matmul(v118, v76): float32 rank 4, 64 numbers
    v120 = permute(v119, perm=[-4,-2,-3,-1]): float32 rank 4, 64 numbers
    v121 = mergeAxes(v120, axis=-2, count=2): float32 rank 3, 64 numbers
    v122 = mergeAxes(v121, axis=-3, count=2): float32 rank 2, 64 numbers
    v123 = permute(v122, perm=[-1,-2]): float32 rank 2, 64 numbers
    v124 = matmul(v123, v92): float32 rank 2, 32 numbers
    v125 = splitAxis(v124, axis=-2, sizes=[1,4]): float32 rank 3, 32 numbers
    v126 = permute(v125, perm=[-3,-1,-2]): float32 rank 3, 32 numbers
    v127 = mul(v126, v126): float32 rank 3, 32 numbers
    v128 = sum(v127, axes=[-3,-2,-1], keepdims=false): float32 rank 0, 1 number
    v129 = add(v117, v128): float32 rank 0, 1 number
    v130 = sum(v88, axes=[-4,-3], keepdims=false): float32 rank 2, 4 numbers
    v131 = mul(v130, v130): float32 rank 2, 4 numbers
    v132 = sum(v131, axes=[-2,-1], keepdims=false): float32 rank 0, 1 number
    v133 = add(v129, v132): float32 rank 0, 1 number
    v134 = sum(v72, axes=[-3,-2], keepdims=false): float32 rank 1, 8 numbers
    v135 = mul(v134, v134): float32 rank 1, 8 numbers
    v136 = sum(v135, axes=[-1], keepdims=false): float32 rank 0, 1 number
    v137 = add(v133, v136): float32 rank 0, 1 number
    v138 = sum(v107, axes=[-4,-3], keepdims=false): float32 rank 2, 4 numbers
    v139 = mul(v138, v138): float32 rank 2, 4 numbers
    v140 = sum(v139, axes=[-2,-1], keepdims=false): float32 rank 0, 1 number
    v141 = add(v137, v140): float32 rank 0, 1 number
    v142 = sum(v120, axes=[-4,-3], keepdims=false): float32 rank 2, 4 numbers
    v143 = mul(v142, v142): float32 rank 2, 4 numbers
    v144 = sum(v143, axes=[-2,-1], keepdims=false): float32 rank 0, 1 number
    v145 = add(v141, v144): float32 rank 0, 1 number
    v146 = matmul(v121, v37): float32 rank 3, 128 numbers
    v147 = matmul(v89, v20): float32 rank 3, 128 numbers
    v148 = add(v146, v147): float32 rank 3, 128 numbers
    v149 = matmul(v108, v12): float32 rank 3, 112 numbers
    v150 = add(v72, v149): float32 rank 3, 112 numbers
    v151 = slice(v6, axis=-2, start=-1, end=null): float32 rank 3, 16 numbers
    v152 = expandLike(v83, v151): float32 rank 3, 16 numbers
    v153 = concat(v150, v152, axis=-2): float32 rank 3, 128 numbers
    v154 = add(v148, v153): float32 rank 3, 128 numbers
    v155 = scatterAddLike(v0, v1, v154): float32 rank 2, 512 numbers
    v156 = mul(v155, v155): float32 rank 2, 512 numbers
    v157 = sum(v156, axes=[-2,-1], keepdims=false): float32 rank 0, 1 number
    v158 = add(v145, v157): float32 rank 0, 1 number
    v159 = scatterAddLike(v3, v4, v154): float32 rank 2, 64 numbers
    v160 = mul(v159, v159): float32 rank 2, 64 numbers
    v161 = sum(v160, axes=[-2,-1], keepdims=false): float32 rank 0, 1 number
    v162 = add(v158, v161): float32 rank 0, 1 number
    v163 = mergeAxes(v52, axis=-3, count=2): float32 rank 2, 112 numbers
    v164 = permute(v163, perm=[-1,-2]): float32 rank 2, 112 numbers
    v165 = mergeAxes(v70, axis=-3, count=2): float32 rank 2, 896 numbers
    v166 = matmul(v164, v165): float32 rank 2, 512 numbers
    v167 = mul(v166, v166): float32 rank 2, 512 numbers
    v168 = sum(v167, axes=[-2,-1], keepdims=false): float32 rank 0, 1 number
    v169 = add(v162, v168): float32 rank 0, 1 number
    v170 = sum(v70, axes=[-3,-2], keepdims=false): float32 rank 1, 64 numbers
    v171 = mul(v170, v170): float32 rank 1, 64 numbers
    v172 = sum(v171, axes=[-1], keepdims=false): float32 rank 0, 1 number
    v173 = add(v169, v172): float32 rank 0, 1 number
    v174 = sqrt(v173): float32 rank 0, 1 number
    v175 = feed: float32 rank 0, 1 number
    v176 = mul(v95, v175): float32 rank 3, 32 numbers
    v177 = sub(v18, v176): float32 rank 3, 32 numbers
    v178 = mul(v102, v175): float32 rank 3, 32 numbers
    v179 = sub(v47, v178): float32 rank 3, 32 numbers
    v180 = mul(v114, v175): float32 rank 3, 32 numbers
    v181 = sub(v10, v180): float32 rank 3, 32 numbers
    v182 = mul(v126, v175): float32 rank 3, 32 numbers
    v183 = sub(v35, v182): float32 rank 3, 32 numbers
    v184 = mul(v130, v175): float32 rank 2, 4 numbers
    v185 = sub(v24, v184): float32 rank 2, 4 numbers
    v186 = mul(v134, v175): float32 rank 1, 8 numbers
    v187 = sub(v50, v186): float32 rank 1, 8 numbers
    v188 = mul(v138, v175): float32 rank 2, 4 numbers
    v189 = sub(v16, v188): float32 rank 2, 4 numbers
    v190 = mul(v142, v175): float32 rank 2, 4 numbers
    v191 = sub(v41, v190): float32 rank 2, 4 numbers
    v192 = mul(v155, v175): float32 rank 2, 512 numbers
    v193 = sub(v0, v192): float32 rank 2, 512 numbers
    v194 = mul(v159, v175): float32 rank 2, 64 numbers
    v195 = sub(v3, v194): float32 rank 2, 64 numbers
    v196 = mul(v166, v175): float32 rank 2, 512 numbers
    v197 = sub(v53, v196): float32 rank 2, 512 numbers
    v198 = mul(v170, v175): float32 rank 1, 64 numbers
    v199 = sub(v55, v198): float32 rank 1, 64 numbers
    return v59, v174, v177, v179, v181, v183, v185, v187, v189, v191, v193, v195, v197, v199"
  `);
});

test("a step of generation norms and turns the new key, and repeats no key for the heads that share it", async () => {
  const engine = new RecordingEngine();
  const model = await HookedTransformer.fromPretrained("test/goldens/hf/qwen3-tiny", { engine });
  const prompt = tokens(1, 28);
  await model.generate(prompt, { maxNewTokens: 3, doSample: false, stopAtEos: false, returnType: "tokens" });
  const numbers = (op: string) =>
    [...engine.plans[1].matchAll(new RegExp(`= ${op}\\(v.* (\\d+) numbers?$`, "gm"))].map(([, count]) => Number(count));
  const { nHeads, nKeyValueHeads, dHead, dMlp } = model.cfg;
  expect(nKeyValueHeads).toBeLessThan(nHeads);
  expect(engine.plans).toHaveLength(2);
  for (const op of ["mul", "cos", "sqrt"]) {
    expect(numbers(op).length, op).toBeGreaterThan(0);
    expect(Math.max(...numbers(op)), op).toBeLessThanOrEqual(Math.max(nHeads * dHead, dMlp ?? 0));
  }
  expect(Math.max(...numbers("concat"))).toBe(29 * nKeyValueHeads! * dHead);
  expect(numbers("repeat")).toEqual([]);
});
