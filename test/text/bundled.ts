/** The bundled model's tokenizer, and the notebook's prompts with TransformerLens' tokens for them. */
import { readFileSync } from "node:fs";
import { TokenRules } from "../../src/text/token-rules.ts";
import { Tokenizer } from "../../src/text/tokenizer.ts";

const read = (path: string) => JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));

export const bundled = Tokenizer.fromJson(read("../../models/solu-1l-novels/tokenizer.json"));
export const rules = new TokenRules({ tokenizer: bundled, nCtx: 256 });

export const seedPrompts: { prompt: string; tokens: number[]; str_tokens: string[] }[] =
  read("../goldens/seed_run.json").prompts;

/** Texts with the results of Hugging Face's Python library. */
export interface ExpectedText {
  readonly text: string;
  readonly ids: number[];
  readonly offsets: [number, number][];
  readonly decoded: string;
  readonly without_special: string;
}
export const expected: {
  tiny: { vocab_size: number; ids: Record<string, number>; texts: ExpectedText[] };
  "solu-1l-novels": { vocab_size: number; texts: ExpectedText[] };
} = read("./expected-by-huggingface.json");
