/** Lists the models that have a short name, or compares the ways of keeping a model's weights. */
import { Command } from "commander";
import { NOTEBOOK_PROMPTS } from "../measures/notebook-prompts.ts";
import { LISTED_BY_ARCHITECTURE } from "../models/families/aliases.ts";
import { wrapText } from "../report/wrap-text.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { readText } from "./input-files.ts";
import { checkText } from "./models-check.ts";
import { type Terminal, textOptions } from "./terminal.ts";

const BUNDLED = "solu-1l-novels";

interface ModelsFlags {
  readonly json?: boolean;
  readonly check?: boolean;
  readonly text?: string;
}

async function checked(model: string, file: string | undefined, json: boolean): Promise<string> {
  await import("../node.ts");
  const { dtypeCosts } = await import("../lens/dtype-costs.ts");
  const texts = file === undefined ? NOTEBOOK_PROMPTS : [(await readText(file)).text];
  const costs = await dtypeCosts(model, { texts });
  if (json) return `${JSON.stringify({ model, costs }, null, 2)}\n`;
  return checkText(model, costs, file === undefined ? `${NOTEBOOK_PROMPTS.length} short sentences` : file);
}

export function modelsCommand({ stdout }: Pick<Terminal, "stdout">): Command {
  return new Command("models")
    .summary("List the models that have a short name")
    .description(
      "Lists the model that comes with glassformer and the models on the Hugging Face hub that have short names. " +
        "--model also takes a folder, or the id (org/name) of any other model of a supported kind.",
    )
    .argument("[model]", "the model to check: a folder, a Hugging Face id or its short name")
    .option("--check", "measure what keeping the model's weights in fewer bits saves and costs")
    .option("--text <file>", 'a text to predict in that check; "-" for stdin (default: 35 short sentences)')
    .option("--json", "print the list, or the check, as JSON")
    .action(async (model: string | undefined, { json, check, text }: ModelsFlags) => {
      if (check) {
        stdout.write(await checked(model ?? BUNDLED, text, json === true));
        return;
      }
      if (model !== undefined || text !== undefined) {
        throw new ArgumentError(
          `models lists models, and takes ${model === undefined ? "no --text" : "none to list"}: to check one, add --check.`,
          { asked: model ?? text, nearest: "--check" },
        );
      }
      if (json) {
        const hub = [...LISTED_BY_ARCHITECTURE].flatMap(([architecture, models]) =>
          [...models].map(([id, aliases]) => ({ id, aliases, architecture })),
        );
        stdout.write(`${JSON.stringify([{ id: BUNDLED, aliases: ["bundled"], bundled: true }, ...hub], null, 2)}\n`);
        return;
      }
      const { width } = textOptions(stdout);
      const named = (aliases: readonly string[]) => wrapText(aliases.join(", "), width, " ".repeat(6));
      const lines = [...LISTED_BY_ARCHITECTURE].flatMap(([architecture, models]) => [
        `\n${architecture}`,
        ...[...models].flatMap(([id, aliases]) => [`  ${id}`, ...(aliases.length > 0 ? named(aliases) : [])]),
      ]);
      stdout.write(`${BUNDLED} (comes with glassformer)\n${lines.join("\n")}\n`);
    });
}
