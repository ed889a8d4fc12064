/**
 * The files next to a `tokenizer.json`, compared with transformers 5.18's AutoTokenizer. The fixture was made by
 * scripts/hugging-face/auto_tokenizer_fixtures.py.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { loadTokenizer } from "../../src/lens/from-pretrained.ts";
import { memoryFiles } from "../../src/load/index.ts";

interface Folder {
  readonly name: string;
  readonly files: Record<string, unknown>;
  readonly named: Record<"bos" | "eos" | "pad", [string | null, number | null]>;
  readonly size: number;
  readonly texts: string[];
  readonly ids: number[][];
}
const folders: Folder[] = JSON.parse(readFileSync(new URL("hugging-face/auto.json", import.meta.url), "utf8"));

function inMemory(contents: Record<string, unknown>) {
  const all = Object.entries({ "config.json": { model_type: "gpt2" }, ...contents });
  return memoryFiles(
    "folder",
    Object.fromEntries(
      all.map(([path, content]) => [path, typeof content === "string" ? content : JSON.stringify(content)]),
    ),
  );
}

it.each(folders)("$name", async ({ files, named, size, texts, ids }) => {
  const tokenizer = await loadTokenizer("folder", { files: inMemory(files) });
  expect(texts.map((text) => tokenizer.encode(text))).toEqual(ids);
  expect(tokenizer.vocabSize).toBe(size);
  const { eosToken, eosTokenId, padToken, padTokenId, bosToken, bosTokenId } = tokenizer;
  expect([padToken ?? null, padTokenId ?? null]).toEqual(named.pad);
  // Where a class of transformers names a token by default, TokenRules does: `<|endoftext|>`.
  const usual = (token: string | undefined, id: number | undefined) => [
    token ?? "<|endoftext|>",
    id ?? tokenizer.tokenToId("<|endoftext|>"),
  ];
  if (named.bos[0] !== null) expect(usual(bosToken, bosTokenId)).toEqual(named.bos);
  if (named.eos[0] !== null) expect(usual(eosToken, eosTokenId)).toEqual(named.eos);
});

interface Classes {
  readonly texts: string[];
  readonly files: Record<string, object>;
  readonly rows: { readonly file: string; readonly class: string; readonly ids: number[][] }[];
}
const classes: Classes = JSON.parse(readFileSync(new URL("hugging-face/classes.json", import.meta.url), "utf8"));

describe("a transformers class that rebuilds its tokenizer gives the same ids, or a note says that it may not", () => {
  it.each(classes.rows)("$file as $class", async ({ file, class: tokenizer_class, ids }) => {
    const contents = { "tokenizer.json": classes.files[file], "tokenizer_config.json": { tokenizer_class } };
    const tokenizer = await loadTokenizer("folder", { files: inMemory(contents) });
    const same = JSON.stringify(classes.texts.map((text) => tokenizer.encode(text))) === JSON.stringify(ids);
    if (!same) expect(tokenizer.notes).toEqual([expect.stringContaining(tokenizer_class)]);
    if (tokenizer_class.startsWith("GPT2") && file === "byte") expect(tokenizer.notes).toEqual([]);
  });
});

it("a named token that the vocabulary lacks is noted, because AutoTokenizer would add it", async () => {
  const contents = { "tokenizer.json": classes.files.byte, "tokenizer_config.json": { pad_token: "<none>" } };
  const tokenizer = await loadTokenizer("folder", { files: inMemory(contents) });
  expect(tokenizer.padTokenId).toBe(undefined);
  expect(tokenizer.notes).toEqual([expect.stringContaining('pad_token "<none>" is not in the vocabulary')]);
});
