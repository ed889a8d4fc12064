/** One rule for answers, whatever takes them. */
import { describe, expect, test } from "vitest";
import { answerIds, answerToken } from "../../src/measures/prompt.ts";
import { HookedTransformer } from "../../src/node.ts";

const model = await HookedTransformer.fromPretrained("solu-1l-novels");

describe("an answer", () => {
  const one = (answer: string) => answerToken(model, answer);
  test("that is a word without a space in front gets it, as words within a text have it", () => {
    expect(one("she")).toBe(model.toSingleToken(" she"));
    expect(one(" she")).toBe(model.toSingleToken(" she"));
    expect(answerIds(model, "Elizabeth")).toEqual(
      model.text!.tokenizer.encode(" Elizabeth", { addSpecialTokens: false }),
    );
  });

  test("gets none where only the word without it is a token, or the space would be a token by itself", () => {
    expect(one("\n")).toBe(model.toSingleToken("\n"));
    expect(model.text!.shownTokens(answerIds(model, "日"))).toEqual(["日¹⁄₃", "日²⁄₃", "日³⁄₃"]);
  });

  test("of several tokens is refused, with its tokens and the word that is one, if there is one", () => {
    expect(() => one("日")).toThrow(
      /^The answer “日” is 3 tokens for this model, “日¹⁄₃”, “日²⁄₃”, “日³⁄₃”, but must be one: choose a word that is one, or use test-prompt/,
    );
    const word = ["ing", "ed", "ly", "tion", "ness", "ment"].find((end) => answerIds(model, ` ${end}`).length > 1)!;
    expect(() => one(` ${word}`)).toThrow(`“${word}” without the space is one.`);
    expect(() => one("")).toThrow("An answer is empty");
  });
});
