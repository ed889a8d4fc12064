/** Lists the models that have a short name. */
import { Command } from "commander";
import { LISTED_BY_ARCHITECTURE } from "../models/families/aliases.ts";
import type { Terminal } from "./terminal.ts";

const BUNDLED = "solu-1l-novels";

export function modelsCommand({ stdout }: Pick<Terminal, "stdout">): Command {
  return new Command("models")
    .summary("List the models that have a short name")
    .description(
      "Lists the model that comes with glassformer and the models on the Hugging Face hub that have short names. " +
        "--model also takes a folder, or the id (org/name) of any other model of a supported kind.",
    )
    .option("--json", "print the list as JSON")
    .action(({ json }: { json?: boolean }) => {
      if (json) {
        const hub = [...LISTED_BY_ARCHITECTURE].flatMap(([architecture, models]) =>
          [...models].map(([id, aliases]) => ({ id, aliases, architecture })),
        );
        stdout.write(`${JSON.stringify([{ id: BUNDLED, aliases: ["bundled"], bundled: true }, ...hub], null, 2)}\n`);
        return;
      }
      const lines = [...LISTED_BY_ARCHITECTURE].flatMap(([architecture, models]) => [
        `\n${architecture}`,
        ...[...models].map(([id, aliases]) =>
          aliases.length > 0 ? `  ${id}\n      ${aliases.join(", ")}` : `  ${id}`,
        ),
      ]);
      stdout.write(`${BUNDLED} (comes with glassformer)\n${lines.join("\n")}\n`);
    });
}
