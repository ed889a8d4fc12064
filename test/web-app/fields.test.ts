/** Options as fields of forms. */
import { beforeAll, describe, expect, test } from "vitest";
import { ANALYSES, HookedTransformer } from "../../src/node.ts";
import { fieldsOf } from "../../src/options/fields.ts";

let model: HookedTransformer;
beforeAll(async () => {
  model = await HookedTransformer.fromPretrained("gelu-3l-novels");
});

const field = (analysis: string, name: string) => {
  const { options } = ANALYSES.find((one) => one.name === analysis)!;
  return fieldsOf(options, model).find((one) => one.name === name);
};

describe("an option as a field", () => {
  test("has the range that it has for the model", () => {
    expect(field("singular-vectors", "layer")).toMatchObject({ type: "layer", least: -3, most: 2 });
    expect(field("singular-vectors", "head")).toMatchObject({ least: 0, most: 3 });
    expect(field("look", "top")).toMatchObject({ least: 1, most: model.cfg.dVocabOut, default: 10 });
  });

  test("says what it depends on, and what may be chosen", () => {
    expect(field("ablation", "by")).toMatchObject({ choices: ["zero", "mean", "resample"], default: "mean" });
    expect(field("ablation", "seed")?.only).toEqual([{ option: "by", is: ["resample"] }]);
    expect(field("ablation", "answer")).toMatchObject({ defaultText: "measure the loss" });
  });

  test("is left out if only code can give it", () => {
    expect(field("ablation", "memory")).toBeUndefined();
  });

  test("is data that a worker can send, in every analysis", () => {
    for (const { options } of ANALYSES) {
      const fields = fieldsOf(options, model);
      expect(structuredClone(fields)).toEqual(fields);
    }
  });
});
