import { describe, expect, it } from "vitest";
import { ndarray } from "../../src/tensor/array.ts";
import { ShapeError } from "../../src/tensor/errors.ts";
import { type AttentionMaskOptions, attentionMask } from "../../src/text/attention-mask.ts";
import { rules } from "./bundled.ts";

const PAD = 2;
const BOS = 1;

function mask(rows: number[][], options: Partial<AttentionMaskOptions>): number[][] {
  const pos = rows[0].length;
  const tokens = ndarray("int32", [rows.length, pos], Int32Array.from(rows.flat()));
  const out = attentionMask(tokens, {
    paddingSide: "right",
    prependBos: true,
    padTokenId: PAD,
    bosTokenId: BOS,
    ...options,
  });
  expect(out.dtype).toBe("bool");
  expect(out.shape).toEqual([rows.length, pos]);
  return rows.map((_, i) => Array.from(out.data.slice(i * pos, (i + 1) * pos)));
}

describe("the attention mask", () => {
  it("masks the run of padding at the end, but no padding token inside the text", () => {
    const rows = [
      [BOS, 7, PAD, 8, PAD, PAD],
      [BOS, 7, 8, 9, 9, 9],
    ];
    expect(mask(rows, {})).toEqual([
      [1, 1, 1, 1, 0, 0],
      [1, 1, 1, 1, 1, 1],
    ]);
  });

  it("masks the run of padding at the beginning if padding is on the left", () => {
    expect(mask([[PAD, PAD, BOS, PAD, 7]], { paddingSide: "left" })).toEqual([[0, 0, 1, 1, 1]]);
  });

  it("keeps the last of the leading run if BOS is also the padding token", () => {
    const row = [PAD, PAD, PAD, 7];
    const same = { paddingSide: "left", bosTokenId: PAD } as const;
    expect(mask([row], same)).toEqual([[0, 0, 1, 1]]);
    expect(mask([row], { ...same, prependBos: false })).toEqual([[0, 0, 0, 1]]);
    expect(mask([[7, 8, 9, 9]], same)).toEqual([[1, 1, 1, 1]]);
  });

  it("keeps the BOS of a row that has nothing else, on the right", () => {
    const same = { bosTokenId: PAD };
    expect(
      mask(
        [
          [PAD, PAD, PAD],
          [PAD, 7, PAD],
        ],
        same,
      ),
    ).toEqual([
      [1, 0, 0],
      [1, 1, 0],
    ]);
    expect(mask([[PAD, PAD]], { ...same, prependBos: false })).toEqual([[0, 0]]);
  });

  it("is all true if there is no padding token", () => {
    expect(mask([[1, 2, 2]], { padTokenId: undefined, bosTokenId: undefined })).toEqual([[1, 1, 1]]);
  });

  it("matches the padding of toTokens", () => {
    const prompts = ["I am happy.", "I"];
    for (const paddingSide of ["right", "left"] as const) {
      const { data, shape } = rules.attentionMask(rules.toTokens(prompts, { paddingSide }), { paddingSide });
      expect(shape).toEqual([2, 5]);
      expect(Array.from(data.subarray(0, 5))).toEqual([1, 1, 1, 1, 1]);
      expect(Array.from(data.subarray(5))).toEqual(paddingSide === "right" ? [1, 1, 0, 0, 0] : [0, 0, 0, 1, 1]);
    }
  });

  it("needs two axes", () => {
    const tokens = ndarray("int32", [2], Int32Array.of(1, 2));
    expect(() => rules.attentionMask(tokens)).toThrow(ShapeError);
  });
});
