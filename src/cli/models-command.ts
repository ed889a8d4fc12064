/** Lists the models that have a short name, or compares the ways of keeping a model's weights. */

import { bundledModel, bundledModels } from "../load/names.ts";
import { NOTEBOOK_PROMPTS } from "../measures/notebook-prompts.ts";
import { LISTED_BY_ARCHITECTURE } from "../models/families/aliases.ts";
import type { FileText, OptionRecords } from "../options/records.ts";
import { wrapText } from "../report/wrap-text.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { command } from "./command.ts";
import { checkText } from "./models-check.ts";
import { textOptions } from "./terminal.ts";

async function checked(model: string, file: FileText | undefined, json: boolean): Promise<string> {
  await import("../node.ts");
  const { dtypeCosts } = await import("../lens/dtype-costs.ts");
  const texts = file === undefined ? NOTEBOOK_PROMPTS : [file.text];
  const costs = await dtypeCosts(model, { texts });
  if (json) return `${JSON.stringify({ model, costs }, null, 2)}\n`;
  return checkText(model, costs, file === undefined ? `${NOTEBOOK_PROMPTS.length} short sentences` : file.name);
}

const OPTIONS = {
  check: { type: "flag", description: "measure what keeping the model's weights in fewer bits saves and costs" },
  text: {
    type: "file",
    description: "a text to predict in that check",
    defaultText: "35 short sentences",
    only: [{ option: "check", is: [true] }],
  },
  json: { type: "flag", description: "print the list, or the check, as JSON" },
} as const satisfies OptionRecords;

export const modelsCommand = command({
  name: "models",
  group: "Models:",
  summary: "List the models that have a short name",
  description:
    "Lists the models that come with glassformer and the models on the Hugging Face hub that have short names. " +
    "--model also takes a folder, or the id (org/name) of any other model of a supported kind.",
  argument: {
    name: "model",
    description: "the model to check: a folder, a Hugging Face id or its short name",
    is: "model",
  },
  options: OPTIONS,
  examples: ["models solu-1l --check"],
  async run({ check, json }, { terminal, read, args: [model] }) {
    const { stdout } = terminal;
    if (check) {
      stdout.write(await checked(model ?? bundledModel, (await read()).text, json));
      return;
    }
    if (model !== undefined) {
      throw new ArgumentError("models lists models, and takes none to list: to check one, add --check.", {
        asked: model,
        nearest: "--check",
      });
    }
    stdout.write(json ? listJson() : listText(textOptions(terminal).width));
  },
});

function listJson(): string {
  const hub = [...LISTED_BY_ARCHITECTURE].flatMap(([architecture, models]) =>
    [...models].map(([id, aliases]) => ({ id, aliases, architecture })),
  );
  const bundled = bundledModels.map((id) => ({ id, aliases: id === bundledModel ? ["bundled"] : [], bundled: true }));
  return `${JSON.stringify([...bundled, ...hub], null, 2)}\n`;
}

function listText(width: number): string {
  const named = (aliases: readonly string[]) => wrapText(aliases.join(", "), width, " ".repeat(6));
  const lines = [...LISTED_BY_ARCHITECTURE].flatMap(([architecture, models]) => [
    `\n${architecture}`,
    ...[...models].flatMap(([id, aliases]) => [`  ${id}`, ...(aliases.length > 0 ? named(aliases) : [])]),
  ]);
  const bundled = bundledModels.map((id) => `${id} (comes with glassformer)`);
  return `${[...bundled, ...lines].join("\n")}\n`;
}
