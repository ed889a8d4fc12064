/** All commands, in the order in which the help lists them. */
import { ANALYSES } from "../analyses/index.ts";
import { analysisCommand } from "./analysis-command.ts";
import type { CommandRecord } from "./command.ts";
import { completionCommand } from "./completion-command.ts";
import { generateCommand } from "./generate-command.ts";
import { modelsCommand } from "./models-command.ts";
import { tokensCommand } from "./tokens-command.ts";
import { trainCommand } from "./train-command.ts";

export const COMMANDS: readonly CommandRecord[] = [
  tokensCommand,
  generateCommand,
  ...ANALYSES.map(analysisCommand),
  trainCommand,
  modelsCommand,
  completionCommand(() => COMMANDS),
];
