/** Where every head looks over a corpus: at the token before, at BOS, at the same token, after the same token; and how sharply. */
import { Tensor } from "../graph/tensor.ts";
import type { Model } from "../lens/model.ts";
import { getActName } from "../models/act-name.ts";
import { ndarray } from "../tensor/array.ts";
import type { ScanBatch } from "./batches.ts";
import { needCausal } from "./causal.ts";
import { headsFinding } from "./heads/finding.ts";
import { emptyHeads, type HeadsSummaries, LOOKS, type Look, MEASURES } from "./heads/summaries.ts";
import { type ModelScan, mostTokensFor, scan } from "./scan.ts";

export const headsScan = scan({
  name: "heads",
  question: "Where does each head look?",
  description:
    "For every head the mean attention to the token before, to BOS, to earlier places of the same token, and to what followed them (induction), and the entropy of its attention.",
  options: {},
  on(model, _options, { maxLength }) {
    needCausal(model);
    const { nLayers, nHeads } = model.cfg;
    const one: ModelScan<HeadsSummaries> = {
      mostTokens: Math.max(maxLength, mostTokensFor(nHeads * maxLength)),
      columns: [],
      empty: () => emptyHeads(nLayers * nHeads),
      async measure(batch, into) {
        const { masks, queries, entropy } = looksOf(model, batch);
        const leaf = (data: Float32Array, ...shape: number[]) =>
          Tensor.leaf(ndarray("float32", shape, data), ["batch", "one", "query", "key"].slice(0, shape.length));
        const [rows, pos] = batch.tokens.shape;
        const looks = LOOKS.map((look) => leaf(masks[look], rows, 1, pos, pos));
        const counted = leaf(queries, rows, 1, pos, 1);
        const graph = model.graph(batch.tokens);
        const values = Array.from({ length: nLayers }, (_, layer) => {
          const pattern = graph.at(getActName("pattern", layer)); // [batch head query key]
          // 0 log 0 is 0.
          const each = pattern
            .mul(pattern.maximum(2 ** -126).log())
            .neg()
            .mul(counted);
          return [...looks.map((mask) => pattern.mul(mask)), each].map((x) => x.sum([0, 2, 3]));
        });
        const computed = (await model.compute(values.flat())).map(({ data }) => data as Float32Array);
        for (let layer = 0; layer < nLayers; layer++) {
          for (let head = 0; head < nHeads; head++) {
            MEASURES.forEach((_, m) => {
              const index = (layer * nHeads + head) * MEASURES.length + m;
              into.sums.add(index, computed[layer * MEASURES.length + m][head]);
            });
          }
        }
        addUniform(masks, entropy, pos, into);
      },
      finding: (summaries, about) => headsFinding(model, summaries, about),
    };
    return one;
  },
});

type Masks = Readonly<Record<Look, Float32Array>>;

/** Which keys are of each kind, 1 in [batch query key]; which queries count; and how many keys each of these sees. */
function looksOf(model: Model, { rows, tokens }: ScanBatch) {
  const [, pos] = tokens.shape;
  const size = rows.length * pos * pos;
  const empty = () => new Float32Array(size);
  const masks: Masks = { previous: empty(), bos: empty(), duplicate: empty(), induction: empty() };
  const queries = new Float32Array(rows.length * pos);
  const entropy: number[] = [];
  rows.forEach(({ ids }, row) => {
    const hasBos = ids[0] === model.text?.bosTokenId;
    // The first token can only look at itself.
    for (let q = 1; q < ids.length; q++) {
      const at = (row * pos + q) * pos;
      queries[row * pos + q] = 1;
      entropy.push(Math.log(q + 1));
      masks.previous[at + q - 1] = 1;
      if (hasBos) masks.bos[at] = 1;
      for (let k = 0; k < q; k++) {
        if (ids[k] !== ids[q]) continue;
        masks.duplicate[at + k] = 1;
        masks.induction[at + k + 1] = 1;
      }
    }
  });
  return { masks, queries, entropy };
}

/** What attention would give that is the same on all keys that a query sees. */
function addUniform(masks: Masks, entropy: readonly number[], pos: number, { uniform, queries }: HeadsSummaries): void {
  LOOKS.forEach((look, m) => {
    const mask = masks[look];
    for (let at = 0; at < mask.length; at += pos) {
      const q = (at / pos) % pos;
      let keys = 0;
      for (let k = 0; k <= q; k++) keys += mask[at + k];
      if (keys === 0) continue;
      queries.add(m);
      uniform.add(m, keys / (q + 1));
    }
  });
  for (const one of entropy) {
    queries.add(LOOKS.length);
    uniform.add(LOOKS.length, one);
  }
}
