/** Reading a configuration without the other families: what a page's worker does. Nothing here may import the list of models. */
import { describe, expect, test } from "vitest";
import { readersFor } from "../../src/models/families/readers-for.ts";

const json = {
  ...{ n_layers: 1, d_model: 8, n_ctx: 16, d_head: 4, n_heads: 2, d_mlp: 32, d_vocab: 50, act_fn: "solu_ln" },
  ...{ normalization_type: "LN", architecture: "neel", not_a_field: 3 },
};

describe("a field that TransformerLens does not read", () => {
  test("is passed over in a repository that it lists", async () => {
    const name = "NeelNanda/SoLU_1L512W_C4_Code";
    const { readConfig } = await readersFor(json, name);
    expect(readConfig(json, name)).toMatchObject({ nLayers: 1, dModel: 8 });
  });

  test.each(["someone/else", "a-folder"])("is refused in %s", async (name) => {
    const { readConfig } = await readersFor(json, name);
    expect(() => readConfig(json, name)).toThrow(/not_a_field/);
  });
});
