/**
 * Every component of Hugging Face's library held against the Python library (tokenizers 0.23.2). The fixtures were made by
 * scripts/hugging-face/tokenizer_fixtures.py.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { GlassformerError, InputError } from "../../src/tensor/errors.ts";
import { Tokenizer } from "../../src/text/tokenizer.ts";

const read = (name: string) => JSON.parse(readFileSync(new URL(`hugging-face/${name}`, import.meta.url), "utf8"));
const all = read("components.json");
const random: {
  normalizer: object;
  pre_tokenizer: object;
  added_tokens: object[];
  texts: string[];
  ids: Ids[] | null;
}[] = read("random.json");

type Ids = number[] | null;
type Json = Record<string, unknown>;

/** A tokenizer.json of some parts. */
const fileOf = (model: Json, parts: Json = {}): Json => ({ version: "1.0", added_tokens: [], model, ...parts });

/** The result of a call; null if it refuses, because the library fails there. */
function orRefused<T>(call: () => T): T | null {
  try {
    return call();
  } catch (error) {
    if (error instanceof GlassformerError) return null;
    throw error;
  }
}

const idsOf = (tokenizer: Tokenizer, texts: readonly string[]): Ids[] =>
  texts.map((text) => orRefused(() => tokenizer.encode(text)));

/** Shown in a test's name. */
const brief = (value: unknown) => JSON.stringify(value).slice(0, 150);

/** Fails with the first text whose ids differ. */
function expectIds(tokenizer: Tokenizer, texts: readonly string[], expected: readonly Ids[]) {
  idsOf(tokenizer, texts).forEach((ids, i) => {
    if (expected[i] === null) return; // the library breaks down: there is nothing to be equal to
    const tokens = (row: Ids) => row?.map((id) => tokenizer.idToToken(id)) ?? null;
    expect({ text: texts[i], tokens: tokens(ids) }).toEqual({ text: texts[i], tokens: tokens(expected[i]) });
    expect(ids).toEqual(expected[i]);
  });
}

describe("normalizers and pre-tokenizers split like Hugging Face's library", () => {
  it.each<[string, { part: string; component: unknown; ids: Ids[] }]>(
    all.cuts.map((cut: { part: string; component: unknown }) => [`${cut.part} ${brief(cut.component)}`, cut]),
  )("%s", (_, { part, component, ids }) => {
    const [normalizer, pre] = part === "both" ? (component as Json[]) : [];
    const parts = part === "both" ? { normalizer, pre_tokenizer: pre } : { [part]: component };
    expectIds(Tokenizer.fromJson(fileOf(all.spelling, parts)), all.texts, ids);
  });
});

describe("models", () => {
  const pre_tokenizer = { type: "WhitespaceSplit" };
  it.each<[string, { model: Json; ids: Ids[] | null; decoded: (string | null)[] }]>(
    all.models.map((entry: { name: string }) => [entry.name, entry]),
  )("%s", (_, { model, ids, decoded }) => {
    const json = fileOf(model, { pre_tokenizer });
    if (ids === null) {
      expect(() => Tokenizer.fromJson(json)).toThrow(GlassformerError);
      return;
    }
    const tokenizer = Tokenizer.fromJson(json);
    expectIds(tokenizer, all.modelTexts, ids);
    expect(ids.map((row) => row && tokenizer.decode(row))).toEqual(decoded);
    ids.forEach((row, i) => {
      if (row === null) expect(() => tokenizer.encode(all.modelTexts[i])).toThrow(InputError);
    });
  });
});

describe("decoders", () => {
  it.each<[string, { decoder: Json; decoded: (string | null)[] }]>(
    all.decoders.map((entry: { decoder: Json }) => [brief(entry.decoder), entry]),
  )("%s", (_, { decoder, decoded }) => {
    const tokenizer = Tokenizer.fromJson(fileOf(all.decoderModel, { decoder }));
    all.sequences.forEach((row: number[], i: number) => {
      const text = orRefused(() => tokenizer.decode(row));
      expect({ row, text }).toEqual({ row, text: decoded[i] });
    });
  });
});

describe("added tokens", () => {
  it.each<[string, Json & { ids: Ids[] | null; decoded: string[] }]>(
    all.added.map((entry: Json) => [brief([entry.normalizer, entry.pre_tokenizer, entry.tokens]), entry]),
  )("%s", (_, { tokens, normalizer, pre_tokenizer, ids, decoded }) => {
    const json = fileOf(all.spelling, { normalizer, pre_tokenizer, added_tokens: tokens });
    if (ids === null) {
      expect(() => Tokenizer.fromJson(json)).toThrow(GlassformerError);
      return;
    }
    const tokenizer = Tokenizer.fromJson(json);
    expectIds(tokenizer, all.texts.slice(0, ids.length), ids);
    expect(ids.map((row) => row !== null && tokenizer.decode(row, { skipSpecialTokens: true }))).toEqual(decoded);
  });
});

describe("post-processors", () => {
  const model = { type: "WordLevel", vocab: { "[UNK]": 0, a: 1, b: 2 }, unk_token: "[UNK]" };
  it.each<[string, { post: Json; ids: Ids[]; bare: Ids }]>(
    all.post.map((entry: { post: Json }) => [brief(entry.post), entry]),
  )("%s", (_, { post, ids, bare }) => {
    const parts = { pre_tokenizer: { type: "WhitespaceSplit" }, post_processor: post };
    const tokenizer = Tokenizer.fromJson(fileOf(model, parts));
    expect(idsOf(tokenizer, ["a b x", ""])).toEqual(ids);
    expect(tokenizer.encode("a b x", { addSpecialTokens: false })).toEqual(bare);
  });
});

describe("a file that Hugging Face's library does not read is refused", () => {
  it.each<[string, { file: unknown; read: boolean }]>(all.wrong.map((entry: { name: string }) => [entry.name, entry]))(
    "%s",
    (_, entry) => {
      expect(entry.read).toBe(false);
      expect(() => Tokenizer.fromJson(entry.file)).toThrow(GlassformerError);
    },
  );

  it.each<[string, { file: unknown }]>(all.refused.map((entry: { name: string }) => [entry.name, entry]))(
    "and one that it reads but we do not: %s",
    (_, entry) => expect(() => Tokenizer.fromJson(entry.file)).toThrow(GlassformerError),
  );

  it.each<string>(all.unread)("and so is the regular expression %s", (pattern) => {
    const pre_tokenizer = { type: "Split", pattern: { Regex: pattern }, behavior: "Isolated", invert: false };
    expect(() => Tokenizer.fromJson(fileOf(all.spelling, { pre_tokenizer }))).toThrow(GlassformerError);
  });
});

it("random pipelines give Hugging Face's ids", () => {
  expect(random.length).toBeGreaterThan(500);
  for (const { normalizer, pre_tokenizer, added_tokens, texts, ids } of random) {
    const json = fileOf(all.spelling, { normalizer, pre_tokenizer, added_tokens });
    // Without ids the library breaks down, or answers by chance.
    if (ids === null) orRefused(() => Tokenizer.fromJson(json));
    else expectIds(Tokenizer.fromJson(json), texts, ids);
  }
});
