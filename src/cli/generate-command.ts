/** `glassformer generate`: continues a prompt, and shows each token as it is made. */
import { GENERATION_OPTIONS } from "../lens/generate.ts";
import type { OptionRecords } from "../options/records.ts";
import { command } from "./command.ts";
import { GrowingText } from "./growing-text.ts";
import { MODEL_OPTION, OPENING_OPTIONS, openedWith } from "./model-options.ts";
import { bytes, ProgressBar } from "./progress-bar.ts";

const { maxNewTokens, ...DRAWING } = GENERATION_OPTIONS;

const OPTIONS = {
  model: MODEL_OPTION,
  prompt: { type: "prompt", description: "the text to continue", default: "It is a truth universally acknowledged" },
  maxNewTokens: { ...maxNewTokens, default: 50 },
  ...DRAWING,
  ...OPENING_OPTIONS,
} as const satisfies OptionRecords;

export const generateCommand = command({
  name: "generate",
  group: "A first look:",
  summary: "Continue a text, token by token",
  description:
    "Continues a prompt until the end of the text or --max-new-tokens, and shows each token as it is made. The prompt is repeated first, so that what is printed is the whole text.",
  argument: { name: "text", description: "the same as --prompt", option: "prompt", is: "text" },
  options: OPTIONS,
  examples: ['generate "She opened the letter and" --temperature 0.8 --top-p 0.9'],
  async run(values, { terminal, read }) {
    const { maxNewTokens, temperature, topK, topP, freqPenalty, seed } = values;
    const prompt = `${(await read()).prompt ?? values.prompt}`;
    const { HookedTransformer } = await import("../node.ts");
    const bar = new ProgressBar(terminal.stderr);
    const model = await HookedTransformer.fromPretrained(values.model, {
      ...(await openedWith(values)),
      onProgress: ({ file, done, total }) => bar.update(file, done, total, bytes),
    }).finally(() => bar.clear());
    const how = { maxNewTokens, temperature, topK, topP, freqPenalty, seed };
    const ids: number[] = Array.from(model.toTokens(prompt, { truncate: false }).data);
    const steps = model.generateStream([ids], how);
    // Nothing is printed before the first step, which refuses a prompt that is too long.
    const shown = new GrowingText(terminal, () => model.text!.decode(ids, { skipSpecialTokens: true }));
    for (let step = await steps.next(); !step.done; step = await steps.next()) {
      shown.begin();
      ids.push(step.value.tokens[0]);
      shown.more();
    }
    shown.end();
  },
});
