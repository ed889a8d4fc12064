/**
 * The notebook's question, asked again of features: where the MLP matters though no neuron stands out, does a feature of a sparse
 * autoencoder? At each position the largest neuron's share of what the MLP writes to the next token's logit stands next to the largest
 * feature's. Run it with
 *
 *     node --import tsx examples/features-or-neurons.ts
 *
 * Outside this repository, import from "glassformer".
 */
import { pathToFileURL } from "node:url";
import { median } from "simple-statistics";
import { HookedTransformer, measureDiffuseMlp, measureFeatures } from "../src/node.ts";

/** A position that predicts the next token. */
interface Position {
  /** The notebook's score: how much the MLP matters, over how far its largest neuron stands out. */
  readonly score: number;
  readonly feature: number;
  readonly neuron: number;
}

export async function featuresOrNeurons() {
  const model = await HookedTransformer.fromPretrained("solu-1l-novels");
  const diffuse = await measureDiffuseMlp(model); // the notebook's 35 prompts
  const positions: Position[] = [];
  for (const [prompt, { text }] of diffuse.prompts.entries()) {
    const { positions: found } = await measureFeatures(model, { prompt: text, removals: 2 });
    for (const { pos, feature_share: feature, neuron_share: neuron } of found.rows.slice(0, -1)) {
      const { score } = diffuse.at({ prompt, pos });
      if (score !== null && feature !== null && neuron !== null) positions.push({ score, feature, neuron });
    }
  }
  const diffusest = [...positions].sort((a, b) => b.score - a.score).slice(0, Math.round(positions.length / 10));
  return { all: summaryOf(positions), diffusest: summaryOf(diffusest) };
}

function summaryOf(positions: readonly Position[]) {
  return {
    positions: positions.length,
    feature: median(positions.map(({ feature }) => feature)),
    neuron: median(positions.map(({ neuron }) => neuron)),
    featureHasMore: positions.filter(({ feature, neuron }) => feature > neuron).length,
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  for (const [name, { positions, feature, neuron, featureHasMore }] of Object.entries(await featuresOrNeurons())) {
    const share = (x: number) => `${(100 * x).toFixed(1)} %`;
    console.log(
      `${name}: the largest feature has ${share(feature)}, the largest neuron ${share(neuron)}; the feature has more at ${featureHasMore} of ${positions} positions`,
    );
  }
}
