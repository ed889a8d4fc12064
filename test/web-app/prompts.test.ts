/** The page's prompts as a list. */
import { describe, expect, test } from "vitest";
import { linesOf, prompts, promptsOf, splitInLines, withNewPrompt, withoutPrompt } from "../../src/web-app/prompts.ts";

const three = prompts(["a", "b", "c"], 1);

describe("the page's prompts", () => {
  test("have one that is current", () => {
    expect(three).toEqual({ promptsBefore: ["a"], prompt: "b", promptsAfter: ["c"] });
    expect(promptsOf(three)).toEqual(["a", "b", "c"]);
  });

  test("get an empty one after the current", () => {
    expect(withNewPrompt(three)).toEqual(prompts(["a", "b", "", "c"], 2));
  });

  test("keep the current one when another is removed", () => {
    expect(withoutPrompt(three, 0)).toEqual(prompts(["b", "c"], 0));
    expect(withoutPrompt(three, 2)).toEqual(prompts(["a", "b"], 1));
  });

  test("take the next one when the current is removed, or the one before if it was the last", () => {
    expect(withoutPrompt(three, 1)).toEqual(prompts(["a", "c"], 1));
    expect(withoutPrompt(prompts(["a", "b", "c"], 2), 2)).toEqual(prompts(["a", "b"], 1));
  });

  test("take the lines of the current one as prompts, without empty ones", () => {
    const pasted = { ...three, prompt: "one\r\n\n  two \n" };
    expect(linesOf(pasted.prompt)).toEqual(["one", "  two "]);
    expect(splitInLines(pasted)).toEqual(prompts(["a", "one", "  two ", "c"], 1));
  });
});
