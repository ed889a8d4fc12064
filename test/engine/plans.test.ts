/**
 * What runs, as plans in text: the seed's job, each activation on the real tokens of a padded batch, a sweep, a training
 * step. A step more, or one on more rows than it needs, shows here.
 */
import { expect, test } from "vitest";
import { measureDiffuseMlp } from "../../src/analyses/diffuse-mlp/measure.ts";
import { Tensor } from "../../src/graph/tensor.ts";
import { sweep, zero } from "../../src/lens/sweep.ts";
import type { ActivationName } from "../../src/models/config.ts";
import { activations } from "../../src/models/parts/activation.ts";
import { HookedTransformer, initWeights, parseConfig, train } from "../../src/node.ts";
import { RecordingEngine } from "./recording.ts";

const SMALL = { n_layers: 1, d_model: 8, n_heads: 2, d_head: 4, d_mlp: 16, n_ctx: 8, d_vocab: 10, seed: 1 };

function small(fields: Record<string, unknown>): { model: HookedTransformer; engine: RecordingEngine } {
  const engine = new RecordingEngine();
  const cfg = parseConfig({ ...SMALL, normalization_type: null, act_fn: "relu", ...fields });
  return { engine, model: new HookedTransformer(cfg, initWeights(cfg), { engine }) };
}

function tokens(batch: number, pos: number): Tensor {
  const data = Int32Array.from({ length: batch * pos }, (_, i) => i % SMALL.d_vocab);
  return Tensor.leaf({ dtype: "int32", shape: [batch, pos], data }, ["batch", "pos"]);
}

test("the seed's job: the model once, and from the ablated neurons on once more, on the rows that are looked at", async () => {
  const engine = new RecordingEngine();
  const model = await HookedTransformer.fromPretrained("solu-1l-novels", { engine });
  await measureDiffuseMlp(model, ["It was the best of times", "Call me Ishmael."], {});
  expect(engine.plans).toHaveLength(1);
  expect(engine.plans[0]).toMatchInlineSnapshot(`
    "v0 = embed.W_E: float32 rank 2, 1048576 numbers
    v1 = feed: int32 rank 2, 18 numbers
    v2 = gather(v0, v1, axis=-2): float32 rank 3, 4608 numbers
    v3 = pos_embed.W_pos: float32 rank 2, 65536 numbers
    v4 = feed: int32 rank 2, 18 numbers
    v5 = gather(v3, v4, axis=-2): float32 rank 3, 4608 numbers
    v6 = add(v2, v5): float32 rank 3, 4608 numbers
    v7 = feed: bool rank 2, 81 numbers
    v8 = mean(v6, axes=[-1], keepdims=true): float32 rank 3, 18 numbers
    v9 = sub(v6, v8): float32 rank 3, 4608 numbers
    v10 = mul(v9, v9): float32 rank 3, 4608 numbers
    v11 = mean(v10, axes=[-1], keepdims=true): float32 rank 3, 18 numbers
    v12 = 0.000009999999747378752: float32 rank 0, 1 number
    v13 = add(v11, v12): float32 rank 3, 18 numbers
    v14 = sqrt(v13): float32 rank 3, 18 numbers
    v15 = div(v9, v14): float32 rank 3, 4608 numbers
    v16 = mergeAxes(permute(blocks.0.attn.W_Q, perm=[-3,-1,-2]), axis=-3, count=2): float32 rank 2, 65536 numbers
    v17 = mergeAxes(blocks.0.attn.b_Q, axis=-2, count=2): float32 rank 1, 256 numbers
    v18 = linear(v15, v16, v17): float32 rank 3, 4608 numbers
    v19 = splitAxis(v18, axis=-1, sizes=[4,64]): float32 rank 4, 4608 numbers
    v20 = permute(v19, perm=[-4,-2,-3,-1]): float32 rank 4, 4608 numbers
    v21 = mergeAxes(permute(blocks.0.attn.W_K, perm=[-3,-1,-2]), axis=-3, count=2): float32 rank 2, 65536 numbers
    v22 = mergeAxes(blocks.0.attn.b_K, axis=-2, count=2): float32 rank 1, 256 numbers
    v23 = linear(v15, v21, v22): float32 rank 3, 4608 numbers
    v24 = splitAxis(v23, axis=-1, sizes=[4,64]): float32 rank 4, 4608 numbers
    v25 = permute(v24, perm=[-4,-2,-3,-1]): float32 rank 4, 4608 numbers
    v26 = permute(v25, perm=[-4,-3,-1,-2]): float32 rank 4, 4608 numbers
    v27 = matmul(v20, v26): float32 rank 4, 648 numbers
    v28 = 8: float32 rank 0, 1 number
    v29 = div(v27, v28): float32 rank 4, 648 numbers
    v30 = -Infinity: float32 rank 0, 1 number
    v31 = where(v7, v29, v30): float32 rank 4, 648 numbers
    v32 = softmax(v31): float32 rank 4, 648 numbers
    v33 = mergeAxes(permute(blocks.0.attn.W_V, perm=[-3,-1,-2]), axis=-3, count=2): float32 rank 2, 65536 numbers
    v34 = mergeAxes(blocks.0.attn.b_V, axis=-2, count=2): float32 rank 1, 256 numbers
    v35 = linear(v15, v33, v34): float32 rank 3, 4608 numbers
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
    v50 = add(v49, v12): float32 rank 3, 18 numbers
    v51 = sqrt(v50): float32 rank 3, 18 numbers
    v52 = div(v47, v51): float32 rank 3, 4608 numbers
    v53 = blocks.0.mlp.W_in: float32 rank 2, 262144 numbers
    v54 = matmul(v52, v53): float32 rank 3, 18432 numbers
    v55 = blocks.0.mlp.b_in: float32 rank 1, 1024 numbers
    v56 = add(v54, v55): float32 rank 3, 18432 numbers
    v57 = softmax(v56): float32 rank 3, 18432 numbers
    v58 = mul(v56, v57): float32 rank 3, 18432 numbers
    v59 = feed: int32 rank 2, 32 numbers
    v60 = gatherRows(v58, v59): float32 rank 2, 16384 numbers
    v61 = max(v60, axes=[-1], keepdims=false): float32 rank 1, 16 numbers
    v62 = mean(v60, axes=[-1], keepdims=false): float32 rank 1, 16 numbers
    v63 = sub(v61, v62): float32 rank 1, 16 numbers
    v64 = equal(v60, v60): bool rank 2, 16384 numbers
    v65 = Infinity: float32 rank 0, 1 number
    v66 = where(v64, v60, v65): float32 rank 2, 16384 numbers
    v67 = argmax(v66, axis=-1): int32 rank 1, 16 numbers
    v68 = feed: int32 rank 2, 28 numbers
    v69 = gatherRows(v45, v68): float32 rank 2, 3584 numbers
    v70 = mean(v58, axes=[-1], keepdims=true): float32 rank 3, 18 numbers
    v71 = sub(v58, v70): float32 rank 3, 18432 numbers
    v72 = mul(v71, v71): float32 rank 3, 18432 numbers
    v73 = mean(v72, axes=[-1], keepdims=true): float32 rank 3, 18 numbers
    v74 = add(v73, v12): float32 rank 3, 18 numbers
    v75 = sqrt(v74): float32 rank 3, 18 numbers
    v76 = div(v71, v75): float32 rank 3, 18432 numbers
    v77 = gatherRows(v76, v68): float32 rank 2, 14336 numbers
    v78 = blocks.0.mlp.W_out: float32 rank 2, 262144 numbers
    v79 = matmul(v77, v78): float32 rank 2, 3584 numbers
    v80 = blocks.0.mlp.b_out: float32 rank 1, 256 numbers
    v81 = add(v79, v80): float32 rank 2, 3584 numbers
    v82 = add(v69, v81): float32 rank 2, 3584 numbers
    v83 = mean(v82, axes=[-1], keepdims=true): float32 rank 2, 14 numbers
    v84 = sub(v82, v83): float32 rank 2, 3584 numbers
    v85 = mul(v84, v84): float32 rank 2, 3584 numbers
    v86 = mean(v85, axes=[-1], keepdims=true): float32 rank 2, 14 numbers
    v87 = add(v86, v12): float32 rank 2, 14 numbers
    v88 = sqrt(v87): float32 rank 2, 14 numbers
    v89 = div(v84, v88): float32 rank 2, 3584 numbers
    v90 = unembed.W_U: float32 rank 2, 1048576 numbers
    v91 = permute(unembed.W_U, perm=[-1,-2]): float32 rank 2, 1048576 numbers
    v92 = unembed.b_U: float32 rank 1, 4096 numbers
    v93 = linear(v89, v91, v92): float32 rank 2, 57344 numbers
    v94 = logSumExp(v93, axes=[-1], keepdims=false): float32 rank 1, 14 numbers
    v95 = feed: int32 rank 1, 14 numbers
    v96 = pick(v93, v95): float32 rank 1, 14 numbers
    v97 = sub(v94, v96): float32 rank 1, 14 numbers
    v98 = gatherRows(v58, v68): float32 rank 2, 14336 numbers
    v99 = feed: float32 rank 0, 1 number
    v100 = mul(v98, v99): float32 rank 2, 14336 numbers
    v101 = mean(v100, axes=[-1], keepdims=true): float32 rank 2, 14 numbers
    v102 = sub(v100, v101): float32 rank 2, 14336 numbers
    v103 = mul(v102, v102): float32 rank 2, 14336 numbers
    v104 = mean(v103, axes=[-1], keepdims=true): float32 rank 2, 14 numbers
    v105 = add(v104, v12): float32 rank 2, 14 numbers
    v106 = sqrt(v105): float32 rank 2, 14 numbers
    v107 = div(v102, v106): float32 rank 2, 14336 numbers
    v108 = matmul(v107, v78): float32 rank 2, 3584 numbers
    v109 = add(v108, v80): float32 rank 2, 3584 numbers
    v110 = add(v69, v109): float32 rank 2, 3584 numbers
    v111 = mean(v110, axes=[-1], keepdims=true): float32 rank 2, 14 numbers
    v112 = sub(v110, v111): float32 rank 2, 3584 numbers
    v113 = mul(v112, v112): float32 rank 2, 3584 numbers
    v114 = mean(v113, axes=[-1], keepdims=true): float32 rank 2, 14 numbers
    v115 = add(v114, v12): float32 rank 2, 14 numbers
    v116 = sqrt(v115): float32 rank 2, 14 numbers
    v117 = div(v112, v116): float32 rank 2, 3584 numbers
    v118 = linear(v117, v91, v92): float32 rank 2, 57344 numbers
    v119 = logSumExp(v118, axes=[-1], keepdims=false): float32 rank 1, 14 numbers
    v120 = pick(v118, v95): float32 rank 1, 14 numbers
    v121 = sub(v119, v120): float32 rank 1, 14 numbers
    v122 = gather(v90, v95, axis=-1): float32 rank 2, 3584 numbers
    v123 = matmul(v78, v122): float32 rank 2, 14336 numbers
    v124 = permute(v123, perm=[-1,-2]): float32 rank 2, 14336 numbers
    v125 = div(v124, v88): float32 rank 2, 14336 numbers
    v126 = unsqueeze(blocks.0.mlp.b_out, axis=-2): float32 rank 2, 256 numbers
    v127 = matmul(v126, v122): float32 rank 2, 14 numbers
    v128 = permute(v127, perm=[-1,-2]): float32 rank 2, 14 numbers
    v129 = div(v128, v88): float32 rank 2, 14 numbers
    v130 = gatherRows(v76, v59): float32 rank 2, 16384 numbers
    v131 = max(v130, axes=[-1], keepdims=false): float32 rank 1, 16 numbers
    v132 = mean(v130, axes=[-1], keepdims=false): float32 rank 1, 16 numbers
    v133 = sub(v131, v132): float32 rank 1, 16 numbers
    v134 = gatherRows(v75, v59): float32 rank 2, 16 numbers
    return v63, v67, v97, v96, v121, v120, v77, v125, v129, v133, v134"
  `);
});

/** The plan of the logits of three rows out of 24, from the last selection of rows on: what comes before is attention. */
function fromRowsOn(activation: ActivationName): string {
  const { engine, model } = small({ act_fn: activation });
  const rows = Tensor.leaf({ dtype: "int32", shape: [3, 2], data: Int32Array.of(0, 1, 0, 7, 1, 4) });
  engine.run([model.graph(tokens(3, 8)).output.gatherRows(rows)]);
  const lines = engine.plans[0].split("\n");
  return lines.slice(lines.findLastIndex((line) => line.includes("gatherRows"))).join("\n");
}

test("relu on selected rows", () => {
  expect(fromRowsOn("relu")).toMatchInlineSnapshot(`
    "v34 = gatherRows(v33, v7): float32 rank 3, 24 numbers
    v35 = mergeAxes(v34, axis=-2, count=2): float32 rank 2, 24 numbers
    v36 = mergeAxes(blocks.0.attn.W_O, axis=-3, count=2): float32 rank 2, 64 numbers
    v37 = matmul(v35, v36): float32 rank 2, 24 numbers
    v38 = blocks.0.attn.b_O: float32 rank 1, 8 numbers
    v39 = add(v37, v38): float32 rank 2, 24 numbers
    v40 = add(v8, v39): float32 rank 2, 24 numbers
    v41 = blocks.0.mlp.W_in: float32 rank 2, 128 numbers
    v42 = matmul(v40, v41): float32 rank 2, 48 numbers
    v43 = blocks.0.mlp.b_in: float32 rank 1, 16 numbers
    v44 = add(v42, v43): float32 rank 2, 48 numbers
    v45 = relu(v44): float32 rank 2, 48 numbers
    v46 = blocks.0.mlp.W_out: float32 rank 2, 128 numbers
    v47 = matmul(v45, v46): float32 rank 2, 24 numbers
    v48 = blocks.0.mlp.b_out: float32 rank 1, 8 numbers
    v49 = add(v47, v48): float32 rank 2, 24 numbers
    v50 = add(v40, v49): float32 rank 2, 24 numbers
    v51 = permute(unembed.W_U, perm=[-1,-2]): float32 rank 2, 80 numbers
    v52 = unembed.b_U: float32 rank 1, 10 numbers
    v53 = linear(v50, v51, v52): float32 rank 2, 30 numbers
    return v53"
  `);
});

test("silu on selected rows", () => {
  expect(fromRowsOn("silu")).toMatchInlineSnapshot(`
    "v34 = gatherRows(v33, v7): float32 rank 3, 24 numbers
    v35 = mergeAxes(v34, axis=-2, count=2): float32 rank 2, 24 numbers
    v36 = mergeAxes(blocks.0.attn.W_O, axis=-3, count=2): float32 rank 2, 64 numbers
    v37 = matmul(v35, v36): float32 rank 2, 24 numbers
    v38 = blocks.0.attn.b_O: float32 rank 1, 8 numbers
    v39 = add(v37, v38): float32 rank 2, 24 numbers
    v40 = add(v8, v39): float32 rank 2, 24 numbers
    v41 = blocks.0.mlp.W_in: float32 rank 2, 128 numbers
    v42 = matmul(v40, v41): float32 rank 2, 48 numbers
    v43 = blocks.0.mlp.b_in: float32 rank 1, 16 numbers
    v44 = add(v42, v43): float32 rank 2, 48 numbers
    v45 = sigmoid(v44): float32 rank 2, 48 numbers
    v46 = mul(v44, v45): float32 rank 2, 48 numbers
    v47 = blocks.0.mlp.W_out: float32 rank 2, 128 numbers
    v48 = matmul(v46, v47): float32 rank 2, 24 numbers
    v49 = blocks.0.mlp.b_out: float32 rank 1, 8 numbers
    v50 = add(v48, v49): float32 rank 2, 24 numbers
    v51 = add(v40, v50): float32 rank 2, 24 numbers
    v52 = permute(unembed.W_U, perm=[-1,-2]): float32 rank 2, 80 numbers
    v53 = unembed.b_U: float32 rank 1, 10 numbers
    v54 = linear(v51, v52, v53): float32 rank 2, 30 numbers
    return v54"
  `);
});

test("gelu on selected rows", () => {
  expect(fromRowsOn("gelu")).toMatchInlineSnapshot(`
    "v34 = gatherRows(v33, v7): float32 rank 3, 24 numbers
    v35 = mergeAxes(v34, axis=-2, count=2): float32 rank 2, 24 numbers
    v36 = mergeAxes(blocks.0.attn.W_O, axis=-3, count=2): float32 rank 2, 64 numbers
    v37 = matmul(v35, v36): float32 rank 2, 24 numbers
    v38 = blocks.0.attn.b_O: float32 rank 1, 8 numbers
    v39 = add(v37, v38): float32 rank 2, 24 numbers
    v40 = add(v8, v39): float32 rank 2, 24 numbers
    v41 = blocks.0.mlp.W_in: float32 rank 2, 128 numbers
    v42 = matmul(v40, v41): float32 rank 2, 48 numbers
    v43 = blocks.0.mlp.b_in: float32 rank 1, 16 numbers
    v44 = add(v42, v43): float32 rank 2, 48 numbers
    v45 = gelu(v44, approximate="none"): float32 rank 2, 48 numbers
    v46 = blocks.0.mlp.W_out: float32 rank 2, 128 numbers
    v47 = matmul(v45, v46): float32 rank 2, 24 numbers
    v48 = blocks.0.mlp.b_out: float32 rank 1, 8 numbers
    v49 = add(v47, v48): float32 rank 2, 24 numbers
    v50 = add(v40, v49): float32 rank 2, 24 numbers
    v51 = permute(unembed.W_U, perm=[-1,-2]): float32 rank 2, 80 numbers
    v52 = unembed.b_U: float32 rank 1, 10 numbers
    v53 = linear(v50, v51, v52): float32 rank 2, 30 numbers
    return v53"
  `);
});

test("gelu_new on selected rows", () => {
  expect(fromRowsOn("gelu_new")).toMatchInlineSnapshot(`
    "v34 = gatherRows(v33, v7): float32 rank 3, 24 numbers
    v35 = mergeAxes(v34, axis=-2, count=2): float32 rank 2, 24 numbers
    v36 = mergeAxes(blocks.0.attn.W_O, axis=-3, count=2): float32 rank 2, 64 numbers
    v37 = matmul(v35, v36): float32 rank 2, 24 numbers
    v38 = blocks.0.attn.b_O: float32 rank 1, 8 numbers
    v39 = add(v37, v38): float32 rank 2, 24 numbers
    v40 = add(v8, v39): float32 rank 2, 24 numbers
    v41 = blocks.0.mlp.W_in: float32 rank 2, 128 numbers
    v42 = matmul(v40, v41): float32 rank 2, 48 numbers
    v43 = blocks.0.mlp.b_in: float32 rank 1, 16 numbers
    v44 = add(v42, v43): float32 rank 2, 48 numbers
    v45 = gelu(v44, approximate="tanh"): float32 rank 2, 48 numbers
    v46 = blocks.0.mlp.W_out: float32 rank 2, 128 numbers
    v47 = matmul(v45, v46): float32 rank 2, 24 numbers
    v48 = blocks.0.mlp.b_out: float32 rank 1, 8 numbers
    v49 = add(v47, v48): float32 rank 2, 24 numbers
    v50 = add(v40, v49): float32 rank 2, 24 numbers
    v51 = permute(unembed.W_U, perm=[-1,-2]): float32 rank 2, 80 numbers
    v52 = unembed.b_U: float32 rank 1, 10 numbers
    v53 = linear(v50, v51, v52): float32 rank 2, 30 numbers
    return v53"
  `);
});

test("gelu_fast on selected rows", () => {
  expect(fromRowsOn("gelu_fast")).toMatchInlineSnapshot(`
    "v34 = gatherRows(v33, v7): float32 rank 3, 24 numbers
    v35 = mergeAxes(v34, axis=-2, count=2): float32 rank 2, 24 numbers
    v36 = mergeAxes(blocks.0.attn.W_O, axis=-3, count=2): float32 rank 2, 64 numbers
    v37 = matmul(v35, v36): float32 rank 2, 24 numbers
    v38 = blocks.0.attn.b_O: float32 rank 1, 8 numbers
    v39 = add(v37, v38): float32 rank 2, 24 numbers
    v40 = add(v8, v39): float32 rank 2, 24 numbers
    v41 = blocks.0.mlp.W_in: float32 rank 2, 128 numbers
    v42 = matmul(v40, v41): float32 rank 2, 48 numbers
    v43 = blocks.0.mlp.b_in: float32 rank 1, 16 numbers
    v44 = add(v42, v43): float32 rank 2, 48 numbers
    v45 = gelu(v44, approximate="tanh"): float32 rank 2, 48 numbers
    v46 = blocks.0.mlp.W_out: float32 rank 2, 128 numbers
    v47 = matmul(v45, v46): float32 rank 2, 24 numbers
    v48 = blocks.0.mlp.b_out: float32 rank 1, 8 numbers
    v49 = add(v47, v48): float32 rank 2, 24 numbers
    v50 = add(v40, v49): float32 rank 2, 24 numbers
    v51 = permute(unembed.W_U, perm=[-1,-2]): float32 rank 2, 80 numbers
    v52 = unembed.b_U: float32 rank 1, 10 numbers
    v53 = linear(v50, v51, v52): float32 rank 2, 30 numbers
    return v53"
  `);
});

test("gelu_pytorch_tanh on selected rows", () => {
  expect(fromRowsOn("gelu_pytorch_tanh")).toMatchInlineSnapshot(`
    "v34 = gatherRows(v33, v7): float32 rank 3, 24 numbers
    v35 = mergeAxes(v34, axis=-2, count=2): float32 rank 2, 24 numbers
    v36 = mergeAxes(blocks.0.attn.W_O, axis=-3, count=2): float32 rank 2, 64 numbers
    v37 = matmul(v35, v36): float32 rank 2, 24 numbers
    v38 = blocks.0.attn.b_O: float32 rank 1, 8 numbers
    v39 = add(v37, v38): float32 rank 2, 24 numbers
    v40 = add(v8, v39): float32 rank 2, 24 numbers
    v41 = blocks.0.mlp.W_in: float32 rank 2, 128 numbers
    v42 = matmul(v40, v41): float32 rank 2, 48 numbers
    v43 = blocks.0.mlp.b_in: float32 rank 1, 16 numbers
    v44 = add(v42, v43): float32 rank 2, 48 numbers
    v45 = gelu(v44, approximate="tanh"): float32 rank 2, 48 numbers
    v46 = blocks.0.mlp.W_out: float32 rank 2, 128 numbers
    v47 = matmul(v45, v46): float32 rank 2, 24 numbers
    v48 = blocks.0.mlp.b_out: float32 rank 1, 8 numbers
    v49 = add(v47, v48): float32 rank 2, 24 numbers
    v50 = add(v40, v49): float32 rank 2, 24 numbers
    v51 = permute(unembed.W_U, perm=[-1,-2]): float32 rank 2, 80 numbers
    v52 = unembed.b_U: float32 rank 1, 10 numbers
    v53 = linear(v50, v51, v52): float32 rank 2, 30 numbers
    return v53"
  `);
});

test("quick_gelu on selected rows", () => {
  expect(fromRowsOn("quick_gelu")).toMatchInlineSnapshot(`
    "v34 = gatherRows(v33, v7): float32 rank 3, 24 numbers
    v35 = mergeAxes(v34, axis=-2, count=2): float32 rank 2, 24 numbers
    v36 = mergeAxes(blocks.0.attn.W_O, axis=-3, count=2): float32 rank 2, 64 numbers
    v37 = matmul(v35, v36): float32 rank 2, 24 numbers
    v38 = blocks.0.attn.b_O: float32 rank 1, 8 numbers
    v39 = add(v37, v38): float32 rank 2, 24 numbers
    v40 = add(v8, v39): float32 rank 2, 24 numbers
    v41 = blocks.0.mlp.W_in: float32 rank 2, 128 numbers
    v42 = matmul(v40, v41): float32 rank 2, 48 numbers
    v43 = blocks.0.mlp.b_in: float32 rank 1, 16 numbers
    v44 = add(v42, v43): float32 rank 2, 48 numbers
    v45 = feed: float32 rank 0, 1 number
    v46 = mul(v44, v45): float32 rank 2, 48 numbers
    v47 = sigmoid(v46): float32 rank 2, 48 numbers
    v48 = mul(v44, v47): float32 rank 2, 48 numbers
    v49 = blocks.0.mlp.W_out: float32 rank 2, 128 numbers
    v50 = matmul(v48, v49): float32 rank 2, 24 numbers
    v51 = blocks.0.mlp.b_out: float32 rank 1, 8 numbers
    v52 = add(v50, v51): float32 rank 2, 24 numbers
    v53 = add(v40, v52): float32 rank 2, 24 numbers
    v54 = permute(unembed.W_U, perm=[-1,-2]): float32 rank 2, 80 numbers
    v55 = unembed.b_U: float32 rank 1, 10 numbers
    v56 = linear(v53, v54, v55): float32 rank 2, 30 numbers
    return v56"
  `);
});

test("solu on selected rows", () => {
  expect(fromRowsOn("solu")).toMatchInlineSnapshot(`
    "v34 = gatherRows(v33, v7): float32 rank 3, 24 numbers
    v35 = mergeAxes(v34, axis=-2, count=2): float32 rank 2, 24 numbers
    v36 = mergeAxes(blocks.0.attn.W_O, axis=-3, count=2): float32 rank 2, 64 numbers
    v37 = matmul(v35, v36): float32 rank 2, 24 numbers
    v38 = blocks.0.attn.b_O: float32 rank 1, 8 numbers
    v39 = add(v37, v38): float32 rank 2, 24 numbers
    v40 = add(v8, v39): float32 rank 2, 24 numbers
    v41 = blocks.0.mlp.W_in: float32 rank 2, 128 numbers
    v42 = matmul(v40, v41): float32 rank 2, 48 numbers
    v43 = blocks.0.mlp.b_in: float32 rank 1, 16 numbers
    v44 = add(v42, v43): float32 rank 2, 48 numbers
    v45 = softmax(v44): float32 rank 2, 48 numbers
    v46 = mul(v44, v45): float32 rank 2, 48 numbers
    v47 = blocks.0.mlp.W_out: float32 rank 2, 128 numbers
    v48 = matmul(v46, v47): float32 rank 2, 24 numbers
    v49 = blocks.0.mlp.b_out: float32 rank 1, 8 numbers
    v50 = add(v48, v49): float32 rank 2, 24 numbers
    v51 = add(v40, v50): float32 rank 2, 24 numbers
    v52 = permute(unembed.W_U, perm=[-1,-2]): float32 rank 2, 80 numbers
    v53 = unembed.b_U: float32 rank 1, 10 numbers
    v54 = linear(v51, v52, v53): float32 rank 2, 30 numbers
    return v54"
  `);
});

test("solu_ln on selected rows", () => {
  expect(fromRowsOn("solu_ln")).toMatchInlineSnapshot(`
    "v34 = gatherRows(v33, v7): float32 rank 3, 24 numbers
    v35 = mergeAxes(v34, axis=-2, count=2): float32 rank 2, 24 numbers
    v36 = mergeAxes(blocks.0.attn.W_O, axis=-3, count=2): float32 rank 2, 64 numbers
    v37 = matmul(v35, v36): float32 rank 2, 24 numbers
    v38 = blocks.0.attn.b_O: float32 rank 1, 8 numbers
    v39 = add(v37, v38): float32 rank 2, 24 numbers
    v40 = add(v8, v39): float32 rank 2, 24 numbers
    v41 = blocks.0.mlp.W_in: float32 rank 2, 128 numbers
    v42 = matmul(v40, v41): float32 rank 2, 48 numbers
    v43 = blocks.0.mlp.b_in: float32 rank 1, 16 numbers
    v44 = add(v42, v43): float32 rank 2, 48 numbers
    v45 = softmax(v44): float32 rank 2, 48 numbers
    v46 = mul(v44, v45): float32 rank 2, 48 numbers
    v47 = mean(v46, axes=[-1], keepdims=true): float32 rank 2, 3 numbers
    v48 = sub(v46, v47): float32 rank 2, 48 numbers
    v49 = mul(v48, v48): float32 rank 2, 48 numbers
    v50 = mean(v49, axes=[-1], keepdims=true): float32 rank 2, 3 numbers
    v51 = 0.000009999999747378752: float32 rank 0, 1 number
    v52 = add(v50, v51): float32 rank 2, 3 numbers
    v53 = sqrt(v52): float32 rank 2, 3 numbers
    v54 = div(v48, v53): float32 rank 2, 48 numbers
    v55 = blocks.0.mlp.W_out: float32 rank 2, 128 numbers
    v56 = matmul(v54, v55): float32 rank 2, 24 numbers
    v57 = blocks.0.mlp.b_out: float32 rank 1, 8 numbers
    v58 = add(v56, v57): float32 rank 2, 24 numbers
    v59 = add(v40, v58): float32 rank 2, 24 numbers
    v60 = permute(unembed.W_U, perm=[-1,-2]): float32 rank 2, 80 numbers
    v61 = unembed.b_U: float32 rank 1, 10 numbers
    v62 = linear(v59, v60, v61): float32 rank 2, 30 numbers
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
  expect(engine.plans).toHaveLength(2);
  expect(engine.plans[1]).toMatchInlineSnapshot(`
    "v0 = blocks.0.hook_resid_pre: float32 rank 3, 64 numbers
    v1 = feed: int32 rank 1, 1 number
    v2 = gather(v0, v1, axis=-2): float32 rank 3, 8 numbers
    v3 = feed: bool rank 5, 256 numbers
    v4 = gather(v3, v1, axis=-3): bool rank 5, 32 numbers
    v5 = 0: float32 rank 0, 1 number
    v6 = feed: bool rank 2, 64 numbers
    v7 = gather(v6, v1, axis=-2): bool rank 2, 8 numbers
    v8 = mergeAxes(permute(blocks.0.attn.W_Q, perm=[-3,-1,-2]), axis=-3, count=2): float32 rank 2, 64 numbers
    v9 = mergeAxes(blocks.0.attn.b_Q, axis=-2, count=2): float32 rank 1, 8 numbers
    v10 = linear(v2, v8, v9): float32 rank 3, 8 numbers
    v11 = splitAxis(v10, axis=-1, sizes=[2,4]): float32 rank 4, 8 numbers
    v12 = permute(v11, perm=[-4,-2,-3,-1]): float32 rank 4, 8 numbers
    v13 = mergeAxes(permute(blocks.0.attn.W_K, perm=[-3,-1,-2]), axis=-3, count=2): float32 rank 2, 64 numbers
    v14 = mergeAxes(blocks.0.attn.b_K, axis=-2, count=2): float32 rank 1, 8 numbers
    v15 = linear(v0, v13, v14): float32 rank 3, 64 numbers
    v16 = splitAxis(v15, axis=-1, sizes=[2,4]): float32 rank 4, 64 numbers
    v17 = permute(v16, perm=[-4,-2,-3,-1]): float32 rank 4, 64 numbers
    v18 = permute(v17, perm=[-4,-3,-1,-2]): float32 rank 4, 64 numbers
    v19 = matmul(v12, v18): float32 rank 4, 16 numbers
    v20 = 2: float32 rank 0, 1 number
    v21 = div(v19, v20): float32 rank 4, 16 numbers
    v22 = -Infinity: float32 rank 0, 1 number
    v23 = where(v7, v21, v22): float32 rank 4, 16 numbers
    v24 = softmax(v23): float32 rank 4, 16 numbers
    v25 = mergeAxes(permute(blocks.0.attn.W_V, perm=[-3,-1,-2]), axis=-3, count=2): float32 rank 2, 64 numbers
    v26 = mergeAxes(blocks.0.attn.b_V, axis=-2, count=2): float32 rank 1, 8 numbers
    v27 = linear(v0, v25, v26): float32 rank 3, 64 numbers
    v28 = splitAxis(v27, axis=-1, sizes=[2,4]): float32 rank 4, 64 numbers
    v29 = permute(v28, perm=[-4,-2,-3,-1]): float32 rank 4, 64 numbers
    v30 = matmul(v24, v29): float32 rank 4, 8 numbers
    v31 = permute(v30, perm=[-4,-2,-3,-1]): float32 rank 4, 8 numbers
    v32 = where(v4, v5, v31): float32 rank 5, 128 numbers
    v33 = mergeAxes(v32, axis=-2, count=2): float32 rank 4, 128 numbers
    v34 = mergeAxes(blocks.0.attn.W_O, axis=-3, count=2): float32 rank 2, 64 numbers
    v35 = matmul(v33, v34): float32 rank 4, 128 numbers
    v36 = blocks.0.attn.b_O: float32 rank 1, 8 numbers
    v37 = add(v35, v36): float32 rank 4, 128 numbers
    v38 = add(v2, v37): float32 rank 4, 128 numbers
    v39 = permute(unembed.W_U, perm=[-1,-2]): float32 rank 2, 80 numbers
    v40 = unembed.b_U: float32 rank 1, 10 numbers
    v41 = linear(v38, v39, v40): float32 rank 4, 160 numbers
    v42 = feed: int32 rank 1, 1 number
    v43 = gather(v41, v42, axis=-1): float32 rank 4, 16 numbers
    return v43"
  `);
});

test("a training step: forward, backward and the optimizer are one plan", async () => {
  const { engine, model } = small({ attn_only: true, n_heads: 1 });
  await train(model, { data: tokens(2, 8), batchSize: 2, steps: 1, optimizer: "sgd", lr: 0.1 });
  expect(engine.plans).toHaveLength(1);
  expect(engine.plans[0]).toMatchInlineSnapshot(`
    "v0 = embed.W_E: float32 rank 2, 80 numbers
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
    v13 = blocks.0.attn.b_Q: float32 rank 2, 4 numbers
    v14 = mergeAxes(v13, axis=-2, count=2): float32 rank 1, 4 numbers
    v15 = linear(v7, v12, v14): float32 rank 3, 56 numbers
    v16 = splitAxis(v15, axis=-1, sizes=[1,4]): float32 rank 4, 56 numbers
    v17 = permute(v16, perm=[-4,-2,-3,-1]): float32 rank 4, 56 numbers
    v18 = blocks.0.attn.W_K: float32 rank 3, 32 numbers
    v19 = permute(v18, perm=[-3,-1,-2]): float32 rank 3, 32 numbers
    v20 = mergeAxes(v19, axis=-3, count=2): float32 rank 2, 32 numbers
    v21 = blocks.0.attn.b_K: float32 rank 2, 4 numbers
    v22 = mergeAxes(v21, axis=-2, count=2): float32 rank 1, 4 numbers
    v23 = linear(v6, v20, v22): float32 rank 3, 64 numbers
    v24 = splitAxis(v23, axis=-1, sizes=[1,4]): float32 rank 4, 64 numbers
    v25 = permute(v24, perm=[-4,-2,-3,-1]): float32 rank 4, 64 numbers
    v26 = permute(v25, perm=[-4,-3,-1,-2]): float32 rank 4, 64 numbers
    v27 = matmul(v17, v26): float32 rank 4, 112 numbers
    v28 = 2: float32 rank 0, 1 number
    v29 = div(v27, v28): float32 rank 4, 112 numbers
    v30 = -Infinity: float32 rank 0, 1 number
    v31 = where(v9, v29, v30): float32 rank 4, 112 numbers
    v32 = softmax(v31): float32 rank 4, 112 numbers
    v33 = blocks.0.attn.W_V: float32 rank 3, 32 numbers
    v34 = permute(v33, perm=[-3,-1,-2]): float32 rank 3, 32 numbers
    v35 = mergeAxes(v34, axis=-3, count=2): float32 rank 2, 32 numbers
    v36 = blocks.0.attn.b_V: float32 rank 2, 4 numbers
    v37 = mergeAxes(v36, axis=-2, count=2): float32 rank 1, 4 numbers
    v38 = linear(v6, v35, v37): float32 rank 3, 64 numbers
    v39 = splitAxis(v38, axis=-1, sizes=[1,4]): float32 rank 4, 64 numbers
    v40 = permute(v39, perm=[-4,-2,-3,-1]): float32 rank 4, 64 numbers
    v41 = matmul(v32, v40): float32 rank 4, 56 numbers
    v42 = permute(v41, perm=[-4,-2,-3,-1]): float32 rank 4, 56 numbers
    v43 = mergeAxes(v42, axis=-2, count=2): float32 rank 3, 56 numbers
    v44 = blocks.0.attn.W_O: float32 rank 3, 32 numbers
    v45 = mergeAxes(v44, axis=-3, count=2): float32 rank 2, 32 numbers
    v46 = matmul(v43, v45): float32 rank 3, 112 numbers
    v47 = blocks.0.attn.b_O: float32 rank 1, 8 numbers
    v48 = add(v46, v47): float32 rank 3, 112 numbers
    v49 = add(v7, v48): float32 rank 3, 112 numbers
    v50 = unembed.W_U: float32 rank 2, 80 numbers
    v51 = permute(v50, perm=[-1,-2]): float32 rank 2, 80 numbers
    v52 = unembed.b_U: float32 rank 1, 10 numbers
    v53 = linear(v49, v51, v52): float32 rank 3, 140 numbers
    v54 = slice(v1, axis=-1, start=1, end=null): int32 rank 2, 14 numbers
    v55 = crossEntropy(v53, v54): float32 rank 2, 14 numbers
    v56 = mean(v55, axes=[-2,-1], keepdims=false): float32 rank 0, 1 number
    v57 = permute(v17, perm=[-4,-3,-1,-2]): float32 rank 4, 56 numbers
    v58 = softmax(v53): float32 rank 3, 140 numbers
    v59 = 1: float32 rank 0, 1 number
    v60 = unsqueeze(v59, axis=-1): float32 rank 1, 1 number
    v61 = unsqueeze(v60, axis=-1): float32 rank 2, 1 number
    v62 = feed: float32 rank 0, 1 number
    v63 = div(v61, v62): float32 rank 2, 1 number
    v64 = expandLike(v63, v55): float32 rank 2, 14 numbers
    v65 = unsqueeze(v64, axis=-1): float32 rank 3, 14 numbers
    v66 = mul(v58, v65): float32 rank 3, 140 numbers
    v67 = neg(v64): float32 rank 2, 14 numbers
    v68 = addAt(v66, v54, v67): float32 rank 3, 140 numbers
    v69 = matmul(v68, v51): float32 rank 3, 112 numbers
    v70 = permute(v45, perm=[-1,-2]): float32 rank 2, 32 numbers
    v71 = matmul(v69, v70): float32 rank 3, 56 numbers
    v72 = reshapeLike(v71, v42, axis=-2, count=2): float32 rank 4, 56 numbers
    v73 = permute(v72, perm=[-4,-2,-3,-1]): float32 rank 4, 56 numbers
    v74 = permute(v40, perm=[-4,-3,-1,-2]): float32 rank 4, 64 numbers
    v75 = matmul(v73, v74): float32 rank 4, 112 numbers
    v76 = mul(v75, v32): float32 rank 4, 112 numbers
    v77 = sum(v76, axes=[-1], keepdims=true): float32 rank 4, 14 numbers
    v78 = mul(v32, v77): float32 rank 4, 112 numbers
    v79 = sub(v76, v78): float32 rank 4, 112 numbers
    v80 = 0: float32 rank 0, 1 number
    v81 = where(v9, v79, v80): float32 rank 4, 112 numbers
    v82 = div(v81, v28): float32 rank 4, 112 numbers
    v83 = matmul(v57, v82): float32 rank 4, 64 numbers
    v84 = permute(v83, perm=[-4,-3,-1,-2]): float32 rank 4, 64 numbers
    v85 = permute(v84, perm=[-4,-2,-3,-1]): float32 rank 4, 64 numbers
    v86 = mergeAxes(v85, axis=-2, count=2): float32 rank 3, 64 numbers
    v87 = mergeAxes(v86, axis=-3, count=2): float32 rank 2, 64 numbers
    v88 = permute(v87, perm=[-1,-2]): float32 rank 2, 64 numbers
    v89 = mergeAxes(v6, axis=-3, count=2): float32 rank 2, 128 numbers
    v90 = matmul(v88, v89): float32 rank 2, 32 numbers
    v91 = reshapeLike(v90, v19, axis=-3, count=2): float32 rank 3, 32 numbers
    v92 = permute(v91, perm=[-3,-1,-2]): float32 rank 3, 32 numbers
    v93 = mul(v92, v92): float32 rank 3, 32 numbers
    v94 = sum(v93, axes=[-3,-2,-1], keepdims=false): float32 rank 0, 1 number
    v95 = mergeAxes(v43, axis=-3, count=2): float32 rank 2, 56 numbers
    v96 = permute(v95, perm=[-1,-2]): float32 rank 2, 56 numbers
    v97 = mergeAxes(v69, axis=-3, count=2): float32 rank 2, 112 numbers
    v98 = matmul(v96, v97): float32 rank 2, 32 numbers
    v99 = reshapeLike(v98, v44, axis=-3, count=2): float32 rank 3, 32 numbers
    v100 = mul(v99, v99): float32 rank 3, 32 numbers
    v101 = sum(v100, axes=[-3,-2,-1], keepdims=false): float32 rank 0, 1 number
    v102 = add(v94, v101): float32 rank 0, 1 number
    v103 = permute(v26, perm=[-4,-3,-1,-2]): float32 rank 4, 64 numbers
    v104 = matmul(v82, v103): float32 rank 4, 56 numbers
    v105 = permute(v104, perm=[-4,-2,-3,-1]): float32 rank 4, 56 numbers
    v106 = mergeAxes(v105, axis=-2, count=2): float32 rank 3, 56 numbers
    v107 = mergeAxes(v106, axis=-3, count=2): float32 rank 2, 56 numbers
    v108 = permute(v107, perm=[-1,-2]): float32 rank 2, 56 numbers
    v109 = mergeAxes(v7, axis=-3, count=2): float32 rank 2, 112 numbers
    v110 = matmul(v108, v109): float32 rank 2, 32 numbers
    v111 = reshapeLike(v110, v11, axis=-3, count=2): float32 rank 3, 32 numbers
    v112 = permute(v111, perm=[-3,-1,-2]): float32 rank 3, 32 numbers
    v113 = mul(v112, v112): float32 rank 3, 32 numbers
    v114 = sum(v113, axes=[-3,-2,-1], keepdims=false): float32 rank 0, 1 number
    v115 = add(v102, v114): float32 rank 0, 1 number
    v116 = permute(v32, perm=[-4,-3,-1,-2]): float32 rank 4, 112 numbers
    v117 = matmul(v116, v73): float32 rank 4, 64 numbers
    v118 = permute(v117, perm=[-4,-2,-3,-1]): float32 rank 4, 64 numbers
    v119 = mergeAxes(v118, axis=-2, count=2): float32 rank 3, 64 numbers
    v120 = mergeAxes(v119, axis=-3, count=2): float32 rank 2, 64 numbers
    v121 = permute(v120, perm=[-1,-2]): float32 rank 2, 64 numbers
    v122 = matmul(v121, v89): float32 rank 2, 32 numbers
    v123 = reshapeLike(v122, v34, axis=-3, count=2): float32 rank 3, 32 numbers
    v124 = permute(v123, perm=[-3,-1,-2]): float32 rank 3, 32 numbers
    v125 = mul(v124, v124): float32 rank 3, 32 numbers
    v126 = sum(v125, axes=[-3,-2,-1], keepdims=false): float32 rank 0, 1 number
    v127 = add(v115, v126): float32 rank 0, 1 number
    v128 = sum(v86, axes=[-3,-2], keepdims=false): float32 rank 1, 4 numbers
    v129 = reshapeLike(v128, v21, axis=-2, count=2): float32 rank 2, 4 numbers
    v130 = mul(v129, v129): float32 rank 2, 4 numbers
    v131 = sum(v130, axes=[-2,-1], keepdims=false): float32 rank 0, 1 number
    v132 = add(v127, v131): float32 rank 0, 1 number
    v133 = sum(v69, axes=[-3,-2], keepdims=false): float32 rank 1, 8 numbers
    v134 = mul(v133, v133): float32 rank 1, 8 numbers
    v135 = sum(v134, axes=[-1], keepdims=false): float32 rank 0, 1 number
    v136 = add(v132, v135): float32 rank 0, 1 number
    v137 = sum(v106, axes=[-3,-2], keepdims=false): float32 rank 1, 4 numbers
    v138 = reshapeLike(v137, v13, axis=-2, count=2): float32 rank 2, 4 numbers
    v139 = mul(v138, v138): float32 rank 2, 4 numbers
    v140 = sum(v139, axes=[-2,-1], keepdims=false): float32 rank 0, 1 number
    v141 = add(v136, v140): float32 rank 0, 1 number
    v142 = sum(v119, axes=[-3,-2], keepdims=false): float32 rank 1, 4 numbers
    v143 = reshapeLike(v142, v36, axis=-2, count=2): float32 rank 2, 4 numbers
    v144 = mul(v143, v143): float32 rank 2, 4 numbers
    v145 = sum(v144, axes=[-2,-1], keepdims=false): float32 rank 0, 1 number
    v146 = add(v141, v145): float32 rank 0, 1 number
    v147 = matmul(v119, v35): float32 rank 3, 128 numbers
    v148 = matmul(v86, v20): float32 rank 3, 128 numbers
    v149 = add(v147, v148): float32 rank 3, 128 numbers
    v150 = matmul(v106, v12): float32 rank 3, 112 numbers
    v151 = add(v69, v150): float32 rank 3, 112 numbers
    v152 = slice(v6, axis=-2, start=-1, end=null): float32 rank 3, 16 numbers
    v153 = expandLike(v80, v152): float32 rank 3, 16 numbers
    v154 = concat(v151, v153, axis=-2): float32 rank 3, 128 numbers
    v155 = add(v149, v154): float32 rank 3, 128 numbers
    v156 = scatterAddLike(v0, v1, v155): float32 rank 2, 80 numbers
    v157 = mul(v156, v156): float32 rank 2, 80 numbers
    v158 = sum(v157, axes=[-2,-1], keepdims=false): float32 rank 0, 1 number
    v159 = add(v146, v158): float32 rank 0, 1 number
    v160 = scatterAddLike(v3, v4, v155): float32 rank 2, 64 numbers
    v161 = mul(v160, v160): float32 rank 2, 64 numbers
    v162 = sum(v161, axes=[-2,-1], keepdims=false): float32 rank 0, 1 number
    v163 = add(v159, v162): float32 rank 0, 1 number
    v164 = mergeAxes(v68, axis=-3, count=2): float32 rank 2, 140 numbers
    v165 = permute(v164, perm=[-1,-2]): float32 rank 2, 140 numbers
    v166 = mergeAxes(v49, axis=-3, count=2): float32 rank 2, 112 numbers
    v167 = matmul(v165, v166): float32 rank 2, 80 numbers
    v168 = permute(v167, perm=[-1,-2]): float32 rank 2, 80 numbers
    v169 = mul(v168, v168): float32 rank 2, 80 numbers
    v170 = sum(v169, axes=[-2,-1], keepdims=false): float32 rank 0, 1 number
    v171 = add(v163, v170): float32 rank 0, 1 number
    v172 = sum(v68, axes=[-3,-2], keepdims=false): float32 rank 1, 10 numbers
    v173 = mul(v172, v172): float32 rank 1, 10 numbers
    v174 = sum(v173, axes=[-1], keepdims=false): float32 rank 0, 1 number
    v175 = add(v171, v174): float32 rank 0, 1 number
    v176 = sqrt(v175): float32 rank 0, 1 number
    v177 = feed: float32 rank 0, 1 number
    v178 = mul(v92, v177): float32 rank 3, 32 numbers
    v179 = sub(v18, v178): float32 rank 3, 32 numbers
    v180 = mul(v99, v177): float32 rank 3, 32 numbers
    v181 = sub(v44, v180): float32 rank 3, 32 numbers
    v182 = mul(v112, v177): float32 rank 3, 32 numbers
    v183 = sub(v10, v182): float32 rank 3, 32 numbers
    v184 = mul(v124, v177): float32 rank 3, 32 numbers
    v185 = sub(v33, v184): float32 rank 3, 32 numbers
    v186 = mul(v129, v177): float32 rank 2, 4 numbers
    v187 = sub(v21, v186): float32 rank 2, 4 numbers
    v188 = mul(v133, v177): float32 rank 1, 8 numbers
    v189 = sub(v47, v188): float32 rank 1, 8 numbers
    v190 = mul(v138, v177): float32 rank 2, 4 numbers
    v191 = sub(v13, v190): float32 rank 2, 4 numbers
    v192 = mul(v143, v177): float32 rank 2, 4 numbers
    v193 = sub(v36, v192): float32 rank 2, 4 numbers
    v194 = mul(v156, v177): float32 rank 2, 80 numbers
    v195 = sub(v0, v194): float32 rank 2, 80 numbers
    v196 = mul(v160, v177): float32 rank 2, 64 numbers
    v197 = sub(v3, v196): float32 rank 2, 64 numbers
    v198 = mul(v168, v177): float32 rank 2, 80 numbers
    v199 = sub(v50, v198): float32 rank 2, 80 numbers
    v200 = mul(v172, v177): float32 rank 1, 10 numbers
    v201 = sub(v52, v200): float32 rank 1, 10 numbers
    return v56, v176, v179, v181, v183, v185, v187, v189, v191, v193, v195, v197, v199, v201"
  `);
});
