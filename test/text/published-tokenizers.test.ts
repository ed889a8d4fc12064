/** GPT-2's and GPT-NeoX's published tokenizers: their files cannot be shipped, so this only runs where they lie next to the project. */
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { TokenRules } from "../../src/text/token-rules.ts";
import { Tokenizer } from "../../src/text/tokenizer.ts";
import { seedPrompts } from "./bundled.ts";

const folder = new URL("../../../shared/tokenizers/", import.meta.url);
const here = existsSync(new URL("expected.json", folder));
const read = (name: string) => JSON.parse(readFileSync(new URL(name, folder), "utf8"));

describe.skipIf(!here)("published tokenizers (their files are not part of the project)", () => {
  const expected = here ? read("expected.json") : { texts: [] };
  const texts: string[] = expected.texts;

  describe.each(["gpt2", "gpt-neox-20b"])("%s", (name) => {
    const tokenizer = here ? Tokenizer.fromJson(read(`${name}.tokenizer.json`)) : undefined!;

    it("gives the same ids and texts as Hugging Face's library", () => {
      expect(texts.length).toBe(22);
      expect(texts.map((text) => tokenizer.encode(text, { addSpecialTokens: false }))).toEqual(expected[name]);
      const withSpecial: number[][] = expected[`${name}/with_special`];
      expect(texts.slice(0, withSpecial.length).map((text) => tokenizer.encode(text))).toEqual(withSpecial);
      const ids: number[][] = expected[name];
      expect(ids.map((row) => tokenizer.decode(row))).toEqual(expected[`${name}/decoded`]);
    });
  });

  it("GPT-2 knows SolidGoldMagikarp", () => {
    const gpt2 = new TokenRules({ tokenizer: Tokenizer.fromJson(read("gpt2.tokenizer.json"), {}), nCtx: 1024 });
    expect(gpt2.toSingleToken(" SolidGoldMagikarp")).toBe(43453);
    // No BOS of its own: TransformerLens falls back to <|endoftext|>.
    expect(Array.from(gpt2.toTokens("Hello").data)).toEqual([50256, 15496]);
  });

  describe("solu-1l's tokenizer with single digits, as it follows from GPT-NeoX's", () => {
    const tokenizer = here ? Tokenizer.fromJson(singleDigits(read("gpt-neox-20b.tokenizer.json"))) : undefined!;
    const rules = here ? new TokenRules({ tokenizer, nCtx: 1024 }) : undefined!;

    it("has 48262 tokens and makes no id beyond them, although its file says 50254 to 50276 for runs of spaces", () => {
      expect(tokenizer.vocabSize).toBe(48262);
      for (const text of texts) {
        for (const id of tokenizer.encode(text)) expect(id).toBeLessThan(48262);
        const ids = tokenizer.encode(text);
        expect(tokenizer.decode(ids)).toBe(text.normalize("NFC"));
      }
      expect(tokenizer.encode("a  b")).toEqual([tokenizer.tokenToId("a"), 48261, tokenizer.tokenToId("b")]);
    });

    it("reads what TransformerLens' own tests pin for solu-1l", () => {
      expect(Array.from(rules.toTokens("Hello, world!").data)).toEqual([1, 11765, 14, 1499, 3]);
      expect(Array.from(rules.toTokens("Hello, world!", { prependBos: false }).data)).toEqual([11765, 14, 1499, 3]);
      expect(
        rules.toString([
          [1, 11765],
          [43453, 28666],
        ]),
      ).toEqual(["<|BOS|>Hello", "Charlie Planet"]);
      expect(rules.toStrTokens(" SolidGoldMagikarp")).toEqual(["<|BOS|>", " Solid", "Gold", "Mag", "ik", "arp"]);
      expect(rules.toSingleToken("biomolecules")).toBe(31847);
      expect(rules.getTokenPosition(" some", "There were some biomolecules")).toBe(3);
      expect(rules.getTokenPosition(" some", "There were some biomolecules", "first", { prependBos: false })).toBe(2);
      expect(rules.toTokens("@ ".repeat(1025)).shape).toEqual([1, 1024]);
      expect(rules.toTokens("@ ".repeat(1025), { truncate: false }).shape).toEqual([1, 1027]);
    });

    it("gives as many tokens for each of the notebook's prompts as solu-1l's own", () => {
      const counts = JSON.parse(readFileSync(new URL("../goldens/seed_run.json", import.meta.url), "utf8"))
        .solu_1l_token_counts as number[];
      expect(seedPrompts.map(({ prompt }) => rules.toTokens(prompt).shape[1])).toEqual(counts);
    });
  });
});

/**
 * solu-1l's tokenizer from GPT-NeoX's: EOS, BOS and PAD in front, no token with two digits in a row, each digit a token, and
 * the runs of spaces at the end of the vocabulary while `added_tokens` goes on claiming GPT-NeoX's ids for them.
 */
function singleDigits(neox: {
  model: { vocab: Record<string, number>; merges: string[] };
  added_tokens: { id: number; content: string; special: boolean }[];
}): object {
  const special = ["<|EOS|>", "<|BOS|>", "<|PAD|>"];
  const words = Object.keys(neox.model.vocab)
    .sort((a, b) => neox.model.vocab[a] - neox.model.vocab[b])
    .filter((token) => !token.startsWith("<|") && !/[0-9]{2}/.test(token));
  const spaces = neox.added_tokens.filter((t) => !t.special);
  const vocab = Object.fromEntries(
    [...special, ...words, ...spaces.map((t) => t.content)].map((token, id) => [token, id]),
  );
  return {
    ...neox,
    added_tokens: [...special.map((content, id) => ({ ...neox.added_tokens[0], id, content })), ...spaces],
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Digits", individual_digits: true },
        { type: "ByteLevel", add_prefix_space: false, trim_offsets: true },
      ],
    },
    model: {
      ...neox.model,
      vocab,
      merges: neox.model.merges.filter((merge) =>
        [...merge.split(" "), merge.replace(" ", "")].every((t) => t in vocab),
      ),
    },
  };
}
