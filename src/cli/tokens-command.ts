/** `glassformer tokens`: how a model's tokenizer splits a text. */
import type { OptionRecords } from "../options/records.ts";
import { InputError } from "../tensor/errors.ts";
import { counted } from "../tensor/words.ts";
import { command } from "./command.ts";
import { MODEL_OPTION } from "./model-options.ts";
import { bytes, ProgressBar } from "./progress-bar.ts";
import { textOptions } from "./terminal.ts";
import { tokenRows, tokensText } from "./tokens-text.ts";

const OPTIONS = {
  model: MODEL_OPTION,
  prompt: { type: "prompt", description: "the text to split", default: "The old man smiled, and shook his head." },
  json: { type: "flag", description: "print the tokens as JSON" },
} as const satisfies OptionRecords;

export const tokensCommand = command({
  name: "tokens",
  group: "A first look:",
  summary: "Show the tokens of a text, and their ids",
  description:
    "Shows how a model's tokenizer splits a text: each token's position, id and text, with BOS where the model expects it. A token that is only some bytes of a character shows the whole character and which part of it the token is.",
  argument: { name: "text", description: "the same as --prompt", option: "prompt", is: "text" },
  options: OPTIONS,
  examples: ['tokens "The cat sat on the mat."', "tokens --model gpt2 --prompt - --json < essay.txt"],
  async run({ model, json, prompt: standard }, { terminal, read }) {
    const prompt = `${(await read()).prompt ?? standard}`;
    if (prompt === "") throw new InputError("The text is empty: give some letters.", { asked: prompt });
    await import("../node.ts");
    const { loadTokenRules } = await import("../lens/from-pretrained.ts");
    const bar = new ProgressBar(terminal.stderr);
    const rules = await loadTokenRules(model, {
      onProgress: ({ file, done, total }) => bar.update(file, done, total, bytes),
    }).finally(() => bar.clear());
    const rows = tokenRows(rules, prompt);
    if (json) {
      terminal.stdout.write(`${JSON.stringify({ model, count: rows.length, tokens: rows }, null, 2)}\n`);
      return;
    }
    const beyond =
      rows.length > rules.nCtx
        ? `, more than the ${rules.nCtx.toLocaleString("en")} that the model reads at a time`
        : "";
    const title = `${counted(rows.length, "token")} of ${model}${beyond}`;
    terminal.stdout.write(`${[title, "", ...tokensText(rows, textOptions(terminal))].join("\n")}\n`);
  },
});
