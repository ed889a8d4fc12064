import { describe, expect, test } from "vitest";
import {
  ArgumentError,
  InputError,
  lmCrossEntropyLoss,
  type ModelInput,
  ShapeError,
  sampleLogits,
  tensor,
} from "../../src/node.ts";
import { smallModel } from "./small-model.ts";

const model = smallModel();
const hole = [1, 2];
delete hole[0];

/** Not a token id, but as an int32 it would be another one. */
const NO_IDS: readonly unknown[] = [
  2 ** 32 + 5,
  -1,
  1.5,
  Number.NaN,
  Infinity,
  "5",
  "",
  5n,
  true,
  null,
  undefined,
  {},
  [],
];

describe.each(NO_IDS.map((id) => [typeof id === "bigint" ? "5n" : String(JSON.stringify(id) ?? id), id]))(
  "as a token id, %s is refused",
  (_, id) => {
    test.each([
      ["a run", () => model.forward([1, id] as never)],
      ["a run of rows", () => model.forward([[1, id]] as never)],
      ["toString", async () => model.toString([1, id] as never)],
      ["toStrTokens", async () => model.toStrTokens([1, id] as never)],
      ["toSingleStrToken", async () => model.toSingleStrToken(id as never)],
      ["getTokenPosition", async () => model.getTokenPosition(1, [1, id] as never)],
      ["residual directions", async () => model.tokensToResidualDirections([1, id] as never)],
      [
        "the end of a generation",
        async () => {
          if (id === undefined || Array.isArray(id)) throw new InputError("means something else there");
          await model.generate([1], { eosTokenId: [1, id] as never });
        },
      ],
      ["tokens seen", async () => sampleLogits(new Float32Array(6), [1, id] as never, {}, Math.random)],
    ])("by %s", async (_of, call) => {
      await expect(call()).rejects.toThrow(InputError);
    });
  },
);

test("rows of other kinds, ragged, empty and with holes are refused, and typed arrays of whole numbers are read", async () => {
  const bad: readonly unknown[] = [[], [[]], [[], []], [[1], 2], [1, [2]], hole, new Array(5), {}, 5, null, undefined];
  for (const input of [...bad, Symbol("x"), () => [1], new Float32Array([1.5]), new BigInt64Array([1n])]) {
    await expect(model.forward(input as ModelInput), String(typeof input)).rejects.toThrow(InputError);
  }
  await expect(model.forward([[1, 2], [1]])).rejects.toThrow(ShapeError);
  await expect(model.forward(tensor([1, 2]) as never)).rejects.toThrow(ShapeError);
  const expected = [...(await model.forward([[1, 2]])).data];
  for (const input of [
    new Uint8Array([1, 2]),
    new Int32Array([1, 2]),
    new Float32Array([1, 2]),
    [new Uint16Array([1, 2])],
  ]) {
    expect([...(await model.forward(input as never)).data]).toEqual(expected);
  }
});

test("texts are strings", async () => {
  for (const input of [
    ["a", 5],
    ["a", null],
    ["a", ["b"]],
  ]) {
    await expect(model.forward(input as never)).rejects.toThrow(InputError);
    expect(() => model.toTokens(input as never)).toThrow(InputError);
  }
});

test("an attention mask holds 0 and 1 or true and false, a row for each prompt", async () => {
  const run = (attentionMask: unknown, input: ModelInput = [[1, 2]]) =>
    model.forward(input, { attentionMask } as never);
  for (const mask of [[[Number.NaN, 1]], [[2, 1]], [["1", 1]], [[null, 1]], 5, "11", {}, [1, 1], [[1], 1]]) {
    await expect(run(mask), JSON.stringify(mask)).rejects.toThrow(ArgumentError);
  }
  for (const mask of [
    [],
    [[1]],
    [[1, 1, 1]],
    [
      [1, 1],
      [1, 1],
    ],
    [[1, 1], [1]],
  ]) {
    await expect(run(mask), JSON.stringify(mask)).rejects.toThrow(ShapeError);
  }
  expect((await run([[false, true]])).data).toEqual((await run([[0, 1]])).data);
  const stream = await model.forward([[1, 2]], { stopAtLayer: 1 });
  const masked = await model.forward([[1, 2]], { attentionMask: [[0, 1]] });
  const first = await model.forward([[1, 2]], { attentionMask: [[0, 1]], stopAtLayer: 1 });
  const rest = await model.forward(first, { attentionMask: [[0, 1]], startAtLayer: 1 });
  expect([...rest.data].map((x, i) => Math.abs(x - masked.data[i])).every((x) => x < 1e-4)).toBe(true);
  await expect(model.forward(stream, { attentionMask: [[1]], startAtLayer: 1 })).rejects.toThrow(ShapeError);
});

test("a loss needs logits and tokens that fit, ids in the vocabulary, and some position that counts", async () => {
  const logits = await model.forward([[1, 2, 3]]);
  const tokens = (ids: number[][]) => tensor(ids, { dtype: "int32" });
  expect(() => lmCrossEntropyLoss(logits, tokens([[1, 2, 9]]))).toThrow(InputError);
  expect(() => lmCrossEntropyLoss(logits, tokens([[1, 2]]))).toThrow(ShapeError);
  expect(() => lmCrossEntropyLoss(logits, [[1, 2, 3]] as never)).toThrow(ArgumentError);
  expect(() => lmCrossEntropyLoss(logits, tokens([[1, 2, 3]]), { attentionMask: [[1, 0, 1]] as never })).toThrow(
    /none/,
  );
  await expect(model.forward([[1, 2]], { attentionMask: [[1, 0]], returnType: "loss" })).rejects.toThrow(/none/);
});
