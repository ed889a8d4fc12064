import { describe, expect, it } from "vitest";
import { rowsOf } from "../../src/finding/table.ts";
import { measureTestPrompt } from "../../src/measures/test-prompt.ts";
import { HookedTransformer, testPrompt, testPromptText } from "../../src/node.ts";
import { command, widest } from "./command.ts";

const load = () => HookedTransformer.fromPretrained("solu-1l-novels");
const PROMPT = "The old man smiled, and shook his";

describe("testPrompt", () => {
  it("gives the same rank, logit and probability as sorting the model's logits", async () => {
    const model = await load();
    const { steps, prompt, answers } = await measureTestPrompt(model, { prompt: PROMPT, answers: "hand", top: 5 });
    const logits = Array.from((await model.forward(PROMPT, { logitsPos: -1 })).data);
    const order = logits.map((_, i) => i).sort((a, b) => logits[b] - logits[a]);
    const total = logits.reduce((sum, l) => sum + Math.exp(l), 0);
    expect(prompt).toEqual(model.toStrTokens(PROMPT));
    expect(answers).toEqual([[" hand"]]);
    expect(steps.length).toBe(1);
    const [answer] = steps[0].answers;
    expect(answer.id).toBe(model.toSingleToken(" hand"));
    expect(answer.rank).toBe(order.indexOf(answer.id));
    expect(answer.logit).toBeCloseTo(logits[answer.id], 4);
    expect(answer.prob).toBeCloseTo(Math.exp(logits[answer.id]) / total, 6);
    expect(steps[0].top.map((t) => t.id)).toEqual(order.slice(0, 5));
    expect(steps[0].top.map((t) => t.rank)).toEqual([0, 1, 2, 3, 4]);
  });

  it("follows the tokens of an answer, each after the previous ones", async () => {
    const model = await load();
    const { steps, answers } = await measureTestPrompt(model, { prompt: "My dear Miss", answers: "Elizabeth" });
    expect(answers[0].length).toBe(5);
    expect(steps.length).toBe(5);
    const whole = "My dear Miss Elizabeth";
    const loss = await model.forward(whole, { returnType: "loss", lossPerToken: true });
    const ids = model.toTokens(whole).data;
    steps.forEach((step, i) => {
      const at = ids.length - 5 + i;
      expect(step.answers[0].id).toBe(ids[at]);
      expect(-Math.log(step.answers[0].prob)).toBeCloseTo(loss.data[at - 1], 3);
    });
  });

  it("scores each of several answers as a whole, with the numbers that each has by itself", async () => {
    const model = await load();
    const several = ["head", "Elizabeth", "hand", "日"];
    const measured = await measureTestPrompt(model, { prompt: PROMPT, answers: several });
    const { steps, answers, wholes } = measured;
    expect(answers.map((a) => a.length)).toEqual([1, 5, 1, 3]);
    // A space that would be a token by itself is not part of an answer.
    expect(answers[3]).toEqual(["日¹⁄₃", "日²⁄₃", "日³⁄₃"]);
    expect(wholes.rows.map(({ answer }) => answer)).toEqual([" head", " Elizabeth", " hand", "日"]);
    expect(steps[0].answers.map(({ rank }) => rank)).toEqual(measured.where({ step: 0 }).rows.map(({ rank }) => rank));
    for (const [i, answer] of several.entries()) {
      const { rows: alone } = await measureTestPrompt(model, { prompt: PROMPT, answers: answer });
      const sum = alone.reduce((total, { prob }) => total + Math.log(prob), 0);
      const whole = wholes.rows[i];
      expect([whole.tokens, Math.log(whole.prob)]).toEqual([alone.length, expect.closeTo(whole.log_prob, 6)]);
      expect(whole.log_prob).toBeCloseTo(sum, 3);
      const { rows } = measured.where({ answer: whole.answer });
      expect(rows.map(({ rank }) => rank)).toEqual(alone.map(({ rank }) => rank));
    }
  });

  it("compares with what is predicted after BOS alone: the most probable answer, or a single one's first token", async () => {
    const model = await load();
    const bos = model.text!.bosTokenId!;
    const { data } = await (await model.forward([bos], { logitsPos: -1 })).softmax().compute();
    const { alone } = await measureTestPrompt(model, { prompt: PROMPT, answers: ["hand", "head"] });
    expect(alone!.prob).toBeCloseTo(data[model.toSingleToken(" head")], 6);
    const first = model.toTokens(" Elizabeth", { prependBos: false }).data[0];
    const single = await measureTestPrompt(model, { prompt: PROMPT, answers: "Elizabeth" });
    expect(single.alone!.prob).toBeCloseTo(data[first], 6);
    expect(single.alone!.rank).toBe(Array.from(data).filter((p) => p > data[first]).length);
  });

  it("uses an answer as it is if no space is wanted", async () => {
    const { answers } = await measureTestPrompt(await load(), { prompt: PROMPT, answers: "ing", asIs: true });
    expect(answers).toEqual([["ing"]]);
  });

  it("prints like TransformerLens", () => {
    const road = { id: 1, token: " road", logit: 14.244, prob: 0.03512, rank: 2 };
    const ground = { id: 2, token: " ground", logit: 14.51, prob: 0.0459, rank: 0 };
    const text = testPromptText({
      prompt: ["<|endoftext|>", "Why", " did"],
      answers: [[" road"]],
      steps: [{ answers: [road], top: [ground] }],
    });
    expect(text).toBe(
      [
        'Tokenized prompt: ["<|endoftext|>", "Why", " did"]',
        'Tokenized answer: [" road"]',
        "Performance on answer token:",
        "Rank: 2        Logit: 14.24 Prob:  3.51% Token: | road|",
        "Top 0th token. Logit: 14.51 Prob:  4.59% Token: | ground|",
        'Ranks of the answer tokens: [(" road", 2)]',
      ].join("\n"),
    );
  });

  it("accepts white space as an answer, a token like any other", async () => {
    const model = await load();
    for (const answer of ["\n", "\t", " ", "\n\n"]) {
      const asked = await measureTestPrompt(model, { prompt: PROMPT, answers: answer });
      expect(asked.answers[0]).toEqual(model.toStrTokens(answer, { prependBos: false }));
      expect(asked.steps).toEqual(
        (await measureTestPrompt(model, { prompt: PROMPT, answers: answer, asIs: true })).steps,
      );
    }
    const { stdout } = await command("test-prompt", "--prompt", PROMPT, "--answers", "\n");
    expect(stdout).toContain("“⏎” has rank");
  });

  it("refuses an empty answer, none, one that does not fit, and no top tokens", async () => {
    const model = await load();
    await expect(measureTestPrompt(model, { prompt: PROMPT, answers: "" })).rejects.toThrow("An answer is empty");
    await expect(measureTestPrompt(model, { prompt: PROMPT, answers: [] })).rejects.toThrow("There is no answer");
    await expect(measureTestPrompt(model, { prompt: PROMPT, answers: "head", top: 0 })).rejects.toThrow(
      /top must be a whole number from 1 to 4096, not 0/,
    );
    await expect(measureTestPrompt(model, { prompt: "a ".repeat(300), answers: "head" })).rejects.toThrow(
      "context holds only 256",
    );
    await expect(testPrompt(model, { prompt: "", answers: "head" })).rejects.toThrow("The prompt is empty");
  });
});

describe("glassformer test-prompt", () => {
  it("runs without arguments, at 80 columns", async () => {
    const { stdout } = await command("test-prompt");
    expect(stdout).toContain("“ head” has rank 0");
    expect(widest(stdout)).toBeLessThanOrEqual(80);
  });

  it("accepts one answer of several tokens, and compares several as wholes", async () => {
    const { stdout } = await command("test-prompt", "--prompt", "My dear Miss", "--answers", "Elizabeth", "--json");
    const one = JSON.parse(stdout);
    expect(one.tables.map((t: { name: string }) => t.name)).toEqual(["answers", "top"]);
    expect(new Set(rowsOf(one.tables, "top").map(({ before }) => before)).size).toBe(5);
    const several = await command(
      "test-prompt",
      "--prompt",
      "My dear Miss",
      "--answers",
      "Elizabeth",
      "Jane",
      "--full",
    );
    expect(several.stdout).toContain("Of the 2 answers “ Jane” is the most probable: as a whole it has a");
    expect(several.stdout.replace(/\s+/g, " ")).toMatch(/“ Jane” leads “ Elizabeth” by [\d.]+ nats/);
    const asIs = await command("test-prompt", "--answers", "ing", "--as-is", "--json");
    expect(JSON.parse(asIs.stdout).settings.answers).toBe("ing");
  });
});
