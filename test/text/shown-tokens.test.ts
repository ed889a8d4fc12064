/** Tokens as a reader sees them: no half of a character, no byte, no space goes unseen. */
import { describe, expect, test } from "vitest";
import { Random } from "../../src/measures/statistics/random.ts";
import { TokenRules } from "../../src/text/token-rules.ts";
import { Tokenizer } from "../../src/text/tokenizer.ts";
import { rules as byteLevel } from "./bundled.ts";

const BYTES = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);

/** A SentencePiece vocabulary with bytes for the characters that it lacks, as Llama's. */
const byteFallback = new TokenRules({
  tokenizer: Tokenizer.fromJson({
    version: "1.0",
    normalizer: {
      type: "Sequence",
      normalizers: [
        { type: "Prepend", prepend: "▁" },
        { type: "Replace", pattern: { String: " " }, content: "▁" },
      ],
    },
    pre_tokenizer: null,
    post_processor: null,
    decoder: {
      type: "Sequence",
      decoders: [
        { type: "Replace", pattern: { String: "▁" }, content: " " },
        { type: "ByteFallback" },
        { type: "Fuse" },
        { type: "Strip", content: " ", start: 1, stop: 0 },
      ],
    },
    added_tokens: [],
    model: {
      type: "BPE",
      byte_fallback: true,
      fuse_unk: true,
      unk_token: "<unk>",
      vocab: Object.fromEntries(["<unk>", ...BYTES, "▁", "a", "b", "日", "▁a"].map((token, id) => [token, id])),
      merges: ["▁ a"],
    },
  }),
  nCtx: 1000,
});

const PART = /(.)([¹²³⁴])⁄([₂₃₄])/gsu;

/** What shown tokens say the text is, once each split character's parts are counted. */
function readBack(shown: readonly string[]): string {
  let open: { readonly character: string; readonly part: number; readonly parts: number } | undefined;
  return shown.join("").replace(PART, (_, character: string, raised: string, lowered: string) => {
    const [part, parts] = ["⁰¹²³⁴".indexOf(raised), "₀₁₂₃₄".indexOf(lowered)];
    expect([character, part, parts]).toEqual(
      open ? [open.character, open.part + 1, open.parts] : [character, 1, parts],
    );
    open = part === parts ? undefined : { character, part, parts };
    return part === 1 ? character : "";
  });
}

function randomText(random: Random): string {
  const ranges = [
    [0x20, 0x7e],
    [0xa0, 0x2fff],
    [0x3000, 0xd7ff],
    [0x1f300, 0x1faff],
    [0x10000, 0x10ffff],
  ];
  return Array.from({ length: 1 + random.integer(30) }, () => {
    const [from, to] = ranges[random.integer(ranges.length)];
    return String.fromCodePoint(from + random.integer(to - from + 1));
  })
    .join("")
    .replace(/[⁄▁]/g, "");
}

describe.each([
  ["a byte-level vocabulary", byteLevel, ""],
  ["a vocabulary with bytes for what it lacks", byteFallback, " "],
])("of %s", (_, rules, before) => {
  test("shown tokens have every character of random texts, and the parts of a split one are counted to their number", () => {
    const random = new Random(1);
    let split = 0;
    for (let i = 0; i < 300; i++) {
      const text = randomText(random);
      const ids = rules.tokenizer.encode(text, { addSpecialTokens: false });
      const shown = rules.shownTokens(ids);
      expect(shown).toHaveLength(ids.length);
      expect(readBack(shown)).toBe(text === "" ? "" : before + text);
      split += shown.filter((token) => token.search(PART) >= 0).length;
    }
    expect(split).toBeGreaterThan(1000);
  });

  test("a token that is part of a character shows its bytes; U+FFFD and empty texts never appear", () => {
    const shown = Array.from({ length: rules.tokenizer.largestId + 1 }, (_, id) => rules.shownTokens([id])[0]);
    expect(shown).toContain("\\xE6");
    expect(shown.filter((token) => token === "" || token.includes("\ufffd"))).toEqual([]);
  });
});

test("a split character is whole in each of its tokens, next to whole characters, and bytes that do not go on are bytes", () => {
  const shown = (text: string) => byteLevel.shownTokens(byteLevel.tokenizer.encode(text));
  expect(shown("日 she")).toEqual(["日¹⁄₃", "日²⁄₃", "日³⁄₃", " she"]);
  const [first, second] = byteLevel.tokenizer.encode("日");
  expect(byteLevel.shownTokens([first, second])).toEqual(["\\xE6", "\\x97"]);
  expect(byteLevel.shownTokens([second])).toEqual(["\\x97"]);
  expect(byteFallback.shownTokens(byteFallback.tokenizer.encode("a日é"))).toEqual([" a", "日", "é¹⁄₂", "é²⁄₂"]);
});

test("an id that the tokenizer lacks, but the model has, is shown as an id", () => {
  const { tokenizer } = byteLevel;
  const id = tokenizer.largestId + 1;
  const padded = new TokenRules({ tokenizer, nCtx: 8, dVocab: id + 1 });
  expect(padded.shownTokens([id])).toEqual([`[${id}]`]);
  expect(() => byteLevel.shownTokens([id])).toThrow(/outside the tokenizer's vocabulary/);
});
