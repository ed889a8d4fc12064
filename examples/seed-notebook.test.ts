import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { seedNotebook } from "./seed-notebook.ts";

const golden = JSON.parse(readFileSync(new URL("../test/goldens/seed_run.json", import.meta.url), "utf8"));

/** The largest difference. */
function apart(found: readonly number[], expected: readonly number[]): number {
  expect(found.length).toBe(expected.length);
  return Math.max(...found.map((x, i) => Math.abs(x - expected[i])));
}

describe("the seed's notebook, line by line", () => {
  let run: Awaited<ReturnType<typeof seedNotebook>>;
  beforeAll(async () => {
    run = await seedNotebook();
  });
  const all = (key: string): number[] => golden.prompts.flatMap((p: Record<string, number[]>) => p[key]);

  it("has TransformerLens' losses and outlier scores", () => {
    const losses = golden.prompts.map((p: { loss: number }) => p.loss);
    expect(
      apart(
        run.results.map((r) => r.originalLoss),
        losses,
      ),
    ).toBeLessThan(1e-5);
    expect(
      apart(
        run.positions.map((p) => p.outlier),
        all("outlier_pre"),
      ),
    ).toBeLessThan(2e-6); // attention is refactored with another library's singular vectors
  });

  it("gets the same ablated losses in one run per prompt as in one run per position", () => {
    expect(apart(run.ablated.flat(), all("ablation_loss"))).toBeLessThan(1e-5);
    run.slow.forEach((losses, prompt) => {
      expect(apart(losses, run.ablated[prompt])).toBeLessThan(1e-5);
    });
  });

  it("finds the same ten positions in the same order, and the ratios of their outlier scores", () => {
    expect(run.topK).toEqual(golden.top10_flat);
    const ratios = run.topK.map((i) => all("outlier_post")[i] / all("outlier_pre")[i]);
    for (const [i, { ratio }] of run.compared.entries()) expect(ratio / ratios[i]).toBeCloseTo(1, 4);
  });

  it("draws the same pictures as the notebook's helpers", async () => {
    for (const picture of Object.values(run.pictures)) expect(await picture.svg()).toMatch(/^<svg /);
  });
});
