/** The figures that models/solu-1l-novels/sae/README.md and docs/dictionaries.md give. */
import { expect, it } from "vitest";
import { featuresOrNeurons } from "./features-or-neurons.ts";

it("finds features that stand out where no neuron does", async () => {
  const { all, diffusest } = await featuresOrNeurons();
  expect(all).toMatchObject({ positions: 223, featureHasMore: 222 });
  expect(all.feature).toBeCloseTo(0.309, 2);
  expect(all.neuron).toBeCloseTo(0.054, 2);
  expect(diffusest).toMatchObject({ positions: 22, featureHasMore: 22 });
  expect(diffusest.feature).toBeCloseTo(0.191, 2);
  expect(diffusest.neuron).toBeCloseTo(0.039, 2);
});
