import { beforeAll, describe, expect, it } from "vitest";
import { rowsOf } from "../../src/finding/table.ts";
import { HookedTransformer, look, measureLook, render } from "../../src/node.ts";
import { command, widest } from "./command.ts";

const PROMPT = "The old man smiled, and shook his";
let model: HookedTransformer;
beforeAll(async () => {
  model = await HookedTransformer.fromPretrained("solu-1l-novels");
});

describe("measureLook", () => {
  it("gives the model's own probabilities of the next tokens, with the text and after BOS alone", async () => {
    const { next, without } = await measureLook(model, { prompt: PROMPT, top: 3 });
    const probabilities = async (input: string | number[]) =>
      (await model.forward(input, { logitsPos: -1 })).softmax().compute();
    const [own, alone] = [await probabilities(PROMPT), await probabilities([model.text!.bosTokenId!])];
    const order = Array.from(own.data.keys()).sort((a, b) => own.data[b] - own.data[a]);
    expect(next.rows.map(({ id }) => id)).toEqual(order.slice(0, 3));
    expect(without).toBe("BOS");
    for (const { id, probability, alone: before } of next) {
      expect(probability).toBeCloseTo(own.data[id], 5);
      expect(before).toBeCloseTo(alone.data[id], 5);
    }
  });

  it("gives the loss of each token as its surprise, and none of the first", async () => {
    const { rows: tokens } = await measureLook(model, { prompt: PROMPT });
    const losses = await model.forward(PROMPT, { returnType: "loss", lossPerToken: true });
    expect(tokens[0].surprise).toBeNull();
    tokens.slice(1).forEach(({ surprise }, i) => {
      expect(surprise).toBeCloseTo(losses.data[i], 3);
    });
    // After BOS the text has not begun.
    expect(tokens[1].alone).toBeCloseTo(tokens[1].surprise!, 4);
  });

  it("attributes the logit of the token that it expects", async () => {
    const { attribution, next } = await measureLook(model, { prompt: PROMPT });
    expect([attribution.answer, attribution.wrong]).toEqual([next.rows[0].id, null]);
    const logits = await model.forward(PROMPT, { logitsPos: -1 });
    expect(attribution.logit).toBeCloseTo(logits.data[next.rows[0].id], 3);
  });
});

describe("look", () => {
  it("answers with the next token and its probability, compared with what it would be without the text", async () => {
    const found = await look(model, { prompt: PROMPT });
    const [{ text, figure }] = found.summary;
    const [{ probability, alone }] = rowsOf(found.tables, "next") as { probability: number; alone: number }[];
    expect(text).toMatch(
      /^It expects “ head” next, with a probability of \d+\.\d %: with BOS alone it would have 0\.\d+ %\.$/,
    );
    expect(figure).toEqual({ value: 100 * probability, unit: "%", comparedWith: ["BOS alone"] });
    expect(found.baselines.find(({ name }) => name === "BOS alone")?.value).toBe(100 * alone);
  });

  it("says so when the text does not make the token more probable", async () => {
    const { next } = await measureLook(model, { prompt: [model.text!.bosTokenId!, model.text!.bosTokenId!] });
    const found = await look(model, { prompt: [model.text!.bosTokenId!, model.text!.bosTokenId!] });
    const isMore = next.rows[0].probability > next.rows[0].alone;
    expect(found.summary[0].text.includes("no more than with BOS alone")).toBe(!isMore);
  });

  it("says nothing of surprise for a single token, before which there is no text", async () => {
    const found = await look(model, { prompt: "The" });
    expect(found.summary.map(({ text }) => text).join(" ")).not.toContain("surprise");
  });

  it("has a page with all five parts", async () => {
    const found = await look(model, { prompt: PROMPT });
    const html = await render(found, "html");
    for (const { title } of found.parts!) expect(html).toContain(title);
    expect(found.pictures.map(({ kind }) => kind)).toEqual(["bar", "tokens", "logit-lens", "attention", "bar"]);
  });
});

describe("glassformer look", () => {
  it("takes the text as it is, and answers in 24 lines of 80 columns", async () => {
    const { stdout } = await command("look", PROMPT);
    expect(stdout).toContain("␣head");
    expect(widest(stdout)).toBeLessThanOrEqual(80);
    expect(stdout.trimEnd().split("\n").length).toBeLessThanOrEqual(24);
  });
});
