/** All commands, in the order in which the help lists them. */
import { ANALYSES, analysisCalled } from "../analyses/index.ts";
import { analysisCommand } from "./analysis-command.ts";
import type { CommandRecord } from "./command.ts";
import { completionCommand } from "./completion-command.ts";
import { generateCommand } from "./generate-command.ts";
import { mergeCommand } from "./merge-command.ts";
import { modelsCommand } from "./models-command.ts";
import { queryCommand } from "./query-command.ts";
import { queueCommand } from "./queue-command.ts";
import { scanCommand } from "./scan-command.ts";
import { serveCommand } from "./serve-command.ts";
import { tokensCommand } from "./tokens-command.ts";
import { trainCommand } from "./train-command.ts";
import { trainDictionaryCommand } from "./train-dictionary-command.ts";
import { workerCommand } from "./worker-command.ts";

export const COMMANDS: readonly CommandRecord[] = [
  analysisCommand(analysisCalled("look"), "A first look:"),
  tokensCommand,
  generateCommand,
  serveCommand,
  ...ANALYSES.filter(({ name }) => name !== "look").map((one) => analysisCommand(one, "Questions about a model:")),
  scanCommand,
  mergeCommand,
  queryCommand,
  workerCommand,
  queueCommand,
  trainCommand,
  trainDictionaryCommand,
  modelsCommand,
  completionCommand(() => COMMANDS),
];
