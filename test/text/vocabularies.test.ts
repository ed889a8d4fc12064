/**
 * Tokenizers whose vocabulary is not in a `tokenizer.json`, compared with transformers 5.18 and the SentencePiece library.
 * The fixtures were made by scripts/hugging-face/vocabulary_fixtures.py.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { loadTokenizer } from "../../src/lens/from-pretrained.ts";
import { memoryFiles } from "../../src/load/index.ts";
import { GlassformerError } from "../../src/tensor/errors.ts";
import { bytesOfToken } from "../../src/text/byte-level.ts";
import { Tokenizer } from "../../src/text/tokenizer.ts";
import { type GgufVocabulary, tokenizerOfGguf } from "../../src/text/vocabularies/gguf.ts";

const fixture = (name: string) => new URL(`vocabularies/${name}`, import.meta.url);
const read = (name: string) => JSON.parse(readFileSync(fixture(name), "utf8"));

interface Row {
  readonly name: string;
  readonly files: Record<string, unknown>;
  readonly named: Record<"bos" | "eos" | "pad", [string | null, number | null]>;
  readonly size: number;
  readonly ids: number[][];
  readonly decoded: string[];
}
const classes: { texts: string[]; rows: Row[] } = read("classes.json");
const own: { texts: string[]; rows: { model: string; ids: number[][]; decoded: string[] }[] } =
  read("sentencepiece.json");

/** "@name.model" stands for that file. */
function inMemory(contents: Record<string, unknown>) {
  const entries = Object.entries(contents).map(([path, content]): [string, string | Uint8Array] => {
    if (content instanceof Uint8Array) return [path, content];
    if (typeof content !== "string") return [path, JSON.stringify(content)];
    return [path, content.startsWith("@") ? readFileSync(fixture(content.slice(1))) : content];
  });
  return memoryFiles("folder", Object.fromEntries(entries));
}

const load = (contents: Record<string, unknown>) => loadTokenizer("folder", { files: inMemory(contents) });

/** Fails with the first text whose tokens differ. */
function expectTokens(tokenizer: Tokenizer, texts: readonly string[], expected: readonly number[][]) {
  texts.forEach((text, i) => {
    const tokens = (ids: readonly number[]) => ids.map((id) => tokenizer.idToToken(id) ?? id);
    expect({ text, tokens: tokens(tokenizer.encode(text)) }).toEqual({ text, tokens: tokens(expected[i]) });
    expect(tokenizer.encode(text)).toEqual(expected[i]);
  });
}

describe("a vocabulary with what its class has around it gives transformers' tokens and texts", () => {
  it.each(classes.rows)("$name", async ({ files, named, size, ids, decoded }) => {
    const tokenizer = await load(files);
    expectTokens(tokenizer, classes.texts, ids);
    expect(ids.map((row) => tokenizer.decode(row))).toEqual(decoded);
    expect(tokenizer.vocabSize).toBe(size);
    expect(tokenizer.notes).toEqual([]);
    for (const role of ["bos", "eos", "pad"] as const) {
      expect([role, tokenizer[`${role}Token`] ?? null, tokenizer[`${role}TokenId`] ?? null]).toEqual([
        role,
        ...named[role],
      ]);
    }
  });

  it.each(classes.rows)("$name, saved as a tokenizer.json", async ({ files, ids }) => {
    const tokenizer = await load(files);
    const saved = Tokenizer.fromJson(JSON.parse(JSON.stringify(tokenizer.files.get("tokenizer.json"))));
    expectTokens(saved, classes.texts, ids);
  });
});

describe("a tokenizer.model without a class is read as the SentencePiece library does", () => {
  it.each(own.rows)("$model", async ({ model, ids, decoded }) => {
    const tokenizer = await load({ "config.json": {}, "tokenizer.model": `@${model}.model` });
    // With user-defined symbols, spaces at the end of a text stay.
    const compared = own.texts.flatMap((text, i) => (model === "symbols" && / $/.test(text) ? [] : [i]));
    expect(compared.length).toBeGreaterThan(30);
    expectTokens(
      tokenizer,
      compared.map((i) => own.texts[i]),
      compared.map((i) => ids[i]),
    );
    // The library writes an unknown piece as " ⁇ "; we and transformers, by its name.
    const surface = (text: string) => text.replaceAll("<unk>", " ⁇ ");
    expect(ids.map((row) => surface(tokenizer.decode(row)))).toEqual(decoded);
    expect(tokenizer.notes).toEqual([expect.stringContaining("No file names the tokenizer's class")]);
  });
});

interface GgufRow {
  readonly architecture: string;
  readonly model: string;
  readonly says: {
    readonly tokens: string[];
    readonly scores?: number[];
    readonly token_type?: number[];
    readonly merges?: string[];
    readonly pre_tokenizer_type?: string;
  };
  readonly ids: number[][];
  readonly decoded: string[];
}
const gguf: { texts: string[]; rows: GgufRow[] } = read("gguf.json");
const ofGguf = ({ architecture, model, says }: GgufRow, more: Partial<GgufVocabulary> = {}) =>
  tokenizerOfGguf({
    architecture,
    model,
    pre: says.pre_tokenizer_type,
    tokens: says.tokens,
    scores: says.scores,
    tokenTypes: says.token_type,
    merges: says.merges,
    addBosToken: false,
    addEosToken: false,
    ...more,
  });

describe("the tokenizer that a GGUF file describes gives transformers' tokens and texts", () => {
  it.each(gguf.rows.map((row): [string, GgufRow] => [`${row.architecture} ${row.says.pre_tokenizer_type ?? ""}`, row]))(
    "%s",
    (_, row) => {
      const tokenizer = ofGguf(row);
      // transformers adds Gemma's <mask>, which the file does not have.
      const compared = row.ids.flatMap((ids, i) => (ids.some((id) => id >= row.says.tokens.length) ? [] : [i]));
      expect(compared.length).toBeGreaterThan(gguf.texts.length - 2);
      expectTokens(
        tokenizer,
        compared.map((i) => gguf.texts[i]),
        compared.map((i) => row.ids[i]),
      );
      expect(compared.map((i) => tokenizer.decode(row.ids[i]))).toEqual(compared.map((i) => row.decoded[i]));
      expect(tokenizer.notes).toEqual([]);
    },
  );

  const llama = gguf.rows.find(({ architecture }) => architecture === "llama")!;
  const byte = gguf.rows.find(({ model }) => model === "gpt2")!;

  it("with BOS, EOS and padding by their ids, and BOS before a text as the file says or llama.cpp does", () => {
    const ids = { bosTokenId: 1, eosTokenId: 2, paddingTokenId: 0 };
    const tokenizer = ofGguf(llama, { ...ids, addBosToken: true });
    expect([tokenizer.bosToken, tokenizer.eosToken, tokenizer.padToken]).toEqual(["<s>", "</s>", "<unk>"]);
    expect(tokenizer.encode("")).toEqual([1]);
    expect(ofGguf(llama, { ...ids, addBosToken: undefined }).encode("")).toEqual([1]);
    expect(ofGguf(llama, { ...ids, addEosToken: true }).encode("")).toEqual([2]);
    expect(ofGguf(byte, { ...ids, addBosToken: undefined }).encode("")).toEqual([]);
    expect(ofGguf(byte, { ...ids, pre: "llama-bpe", addBosToken: undefined }).encode("")).toEqual([1]);
  });

  it("without a space before a text if add_space_prefix is false", () => {
    const [first] = ofGguf(llama, { addSpacePrefix: false }).encode("the");
    expect(ofGguf(llama).encode("the")[0]).not.toBe(first);
    expect(ofGguf(llama, { addSpacePrefix: false }).decode([first]).startsWith(" ")).toBe(false);
  });

  it("with a note if it does not say how texts are split into words", () => {
    expect(ofGguf(byte, { pre: undefined }).notes).toEqual([expect.stringContaining("split as GPT-2's are")]);
    expect(ofGguf(byte, { pre: undefined }).encode("I'm 123")).toEqual(ofGguf(byte).encode("I'm 123"));
  });

  it.each<[string, Partial<GgufVocabulary>, RegExp]>([
    ["a kind that is not known", { model: "rwkv" }, /of the kind "rwkv", but only gpt2, llama, t5 can be read/],
    ["an unknown way to split texts", { pre: "klingon" }, /llama\.cpp calls "klingon", which is not known here/],
    ["no merges", { merges: undefined }, /no tokenizer\.ggml\.merges/],
    ["too few types", { tokenTypes: [1] }, /500 tokens, but 1 entries in tokenizer\.ggml\.token_type/],
    ["a BOS that does not exist", { bosTokenId: 500 }, /bos_token_id of the GGUF file is 500, but it has 500 tokens/],
    ["merges of what are not tokens", { merges: ["q qq"] }, /needs the token "qq", which the vocabulary lacks/],
  ])("is refused with %s", (_, more, message) => {
    expect(() => ofGguf(byte, more)).toThrow(GlassformerError);
    expect(() => ofGguf(byte, more)).toThrow(message);
  });
});

describe("a vocabulary that cannot be read is refused in a sentence:", () => {
  const model = readFileSync(fixture("llama.model"));
  /** A message of a few pieces and one number of its trainer's specification. */
  const withTrainer = (field: number, value: number) =>
    Uint8Array.of(
      0x0a,
      3,
      0x0a,
      1,
      0x61,
      0x12,
      field > 15 ? 3 : 2,
      ...(field > 15 ? [((field & 15) << 3) | 0x80, field >> 4] : [field << 3]),
      value,
    );
  it.each<[string, Record<string, unknown>, RegExp]>([
    [
      "a tokenizer.model that is text",
      { "tokenizer.model": "not a model" },
      /tokenizer\.model is not a SentencePiece model/,
    ],
    [
      "one that is cut off",
      { "tokenizer.model": model.subarray(0, 5000) },
      /is not a SentencePiece model, or is damaged/,
    ],
    ["an empty one", { "tokenizer.model": "" }, /has no pieces/],
    ["one of words", { "tokenizer.model": withTrainer(3, 3) }, /of the type "word", but only unigram and bpe/],
    ["one with spaces after words", { "tokenizer.model": withTrainer(24, 1) }, /treat_whitespace_as_suffix/],
    [
      "one whose unknown token does not exist",
      { "tokenizer.model": withTrainer(40, 9) },
      /has the id 9, but it has 1 pieces/,
    ],
    ["BERT's without [CLS]", { "vocab.txt": "[UNK]\na\n[SEP]\n" }, /vocabulary lacks "\[CLS\]"/],
    ["ranks that are not in base64", { "qwen.tiktoken": "IQ== 0\n*** 1\n" }, /has the line "\*\*\* 1"/],
    ["merges of what are not tokens", { "vocab.json": { a: 0 }, "merges.txt": "a b\n" }, /needs the token "b"/],
    [
      "a setting of the wrong kind",
      { "vocab.txt": "a", "tokenizer_config.json": { do_lower_case: 1 } },
      /"do_lower_case" of a tokenizer_config\.json must be true or false/,
    ],
    [
      "too many extra ids",
      { "vocab.txt": "a", "tokenizer_config.json": { extra_ids: 1e9 } },
      /"extra_ids".*whole number up to 10000/,
    ],
  ])("%s", async (_, files, message) => {
    await expect(load(files)).rejects.toThrow(GlassformerError);
    await expect(load(files)).rejects.toThrow(message);
  });
});

it("Qwen's own file of ranks is byte-level BPE with its special tokens after it", async () => {
  const byte = gguf.rows.find(({ says }) => says.pre_tokenizer_type === "qwen2")!;
  // The same vocabulary: without the special tokens, and with ranks in the order of the merges.
  const ranked = byte.says.tokens.slice(4);
  const ranks = ranked
    .map((token, rank) => `${Buffer.from(bytesOfToken(token)).toString("base64")} ${rank}\n`)
    .join("");
  const tokenizer = await load({ "qwen.tiktoken": ranks, "config.json": { model_type: "qwen" } });
  gguf.texts.forEach((text, i) => {
    if (/<|[^\0-\x7f]/.test(text)) return; // special tokens, and what NFC changes
    expect([text, tokenizer.encode(text)]).toEqual([text, byte.ids[i].map((id) => id - 4)]);
  });
  expect(tokenizer.tokenToId("<|endoftext|>")).toBe(496);
  expect(tokenizer.encode("<|im_end|>")).toEqual([498]);
  expect(tokenizer.eosTokenId).toBe(496);
});

describe("a long text takes a time linear in its length, and has the tokens of its parts", () => {
  // Characters of many kinds, in words, so that no part depends on the next one.
  const part = "The whale\u0301 ﬁsh，大きな 🙂🚀 x\u200dy Ünïcödé 123 ".replaceAll("  ", " ");
  it.each(classes.rows.filter(({ name }) => ["Llama", "Gemma", "T5", "XGLM", "BERT", "OPT"].includes(name)))(
    "$name",
    async ({ files }) => {
      const tokenizer = await load(files);
      const of = (times: number) => tokenizer.encode(`${part.repeat(times)}end`, { addSpecialTokens: false });
      const [one, two] = [of(1), of(2)];
      const more = two.length - one.length;
      const start = performance.now();
      const many = of(4000);
      // It takes about a second; a quadratic time would be minutes.
      expect(performance.now() - start).toBeLessThan(30_000);
      expect(many.length).toBe(one.length + 3999 * more);
    },
    60_000,
  );
});
