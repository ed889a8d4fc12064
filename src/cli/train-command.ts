/** `glassformer train`: texts or a task in, a folder with a model out, its loss shown as it falls. */
import { existsSync } from "node:fs";
import { basename } from "node:path";
import { Command } from "commander";
import { trainedSteps } from "../load/index.ts";
import { folderFiles } from "../load/node.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { folderCheckpoints } from "../training/node-checkpoints.ts";
import { guarded, writeGuarded } from "./interrupt.ts";
import { type OutputFile, outputFiles } from "./output-files.ts";
import { coloured, type Terminal, tell, textOptions } from "./terminal.ts";
import { addTrainOptions, type TrainFlags } from "./train-options.ts";
import {
  aboutFromHere,
  aboutOf,
  checkAbout,
  epochsOf,
  keptAbout,
  settingsOf,
  toldOf,
  trainingOf,
} from "./train-settings.ts";
import { clock, TrainingScreen } from "./training-screen.ts";

export function trainCommand(terminal: Terminal): Command {
  const command = new Command("train")
    .summary("Train a model, on text or on a task, and keep it for all of these.")
    .description(
      "Trains a transformer on texts or on a task, and keeps it in a folder that every other command opens. The loss is shown as it falls, beside what it would be without a model and beside the loss on what is held out. Ctrl-C keeps what is done.",
    )
    .argument("[file...]", 'texts: .txt, .jsonl, .parquet, by path or URL; "-" for stdin');
  return addTrainOptions(command)
    .addHelpText(
      "after",
      "\nExamples:\n  $ glassformer train novels.txt --out my-model\n  $ glassformer train --task modular-addition --out grokked --report curve.html\n  $ glassformer logit-lens --model my-model",
    )
    .action(async (files: readonly string[], flags: TrainFlags) => {
      const reports = await outputFiles(flags.report ?? [], "--report", flags.out, [
        ...files,
        ...(flags.config === undefined ? [] : [flags.config]),
      ]);
      await run(files, flags, reports, terminal);
    });
}

async function run(
  files: readonly string[],
  flags: TrainFlags,
  reports: readonly OutputFile[],
  terminal: Terminal,
): Promise<void> {
  const { stdout, stderr } = terminal;
  const begun = await checkOut(flags);
  const say = (line: string) => tell(stderr, line);
  const [{ setUp }, { train }, { lossCurve }, report] = await Promise.all([
    import("./train-setup.ts"),
    import("../training/train.ts"),
    import("../training/loss-curve.ts"),
    import("../report/index.ts"),
  ]);
  const { model, task, name } = await setUp(files, flags, { say });
  const options = trainingOf(name, task, flags);
  let about = aboutOf(task, options, flags);
  const finished = begun > 0 && begun === options.steps;
  if (begun > 0) {
    const before = await keptAbout(flags.out);
    const lines = checkAbout(name, before, about, flags);
    if (!finished) for (const line of lines) say(line);
    say(finished ? `step ${begun} is the last: nothing is left to do` : `going on from step ${begun}`);
    about = finished ? before : aboutFromHere(before, about);
  }

  const screen = new TrainingScreen(stderr, { chance: task.chances[0], color: coloured(stderr) });
  const start = performance.now();
  let seen = 0;
  const trained = await guarded(async ({ signal, listen }) => {
    signal.addEventListener("abort", () => screen.say("Stopping after this step, to keep it. Once more: at once."));
    const ended = await train(
      model,
      { ...options, about },
      {
        signal,
        onProgress: (progress) => {
          // Before the first step there is nothing to keep.
          if (seen === 0) listen();
          seen = progress.tokens;
          screen.update(progress);
        },
      },
    ).catch(async (error) => {
      const kept = signal.aborted ? await lastStep(flags.out) : 0;
      if (kept > 0) say(`Kept as step ${kept} of ${flags.out}. The same command with --resume goes on from there.`);
      throw error;
    });
    const elapsed = (performance.now() - start) / 1000;
    if (seen > 0) {
      const speed = Math.round(seen / elapsed).toLocaleString("en");
      say(`${seen.toLocaleString("en")} tokens in ${clock(elapsed)}, ${speed} a second`);
    }
    say(`Kept ${quoted(ended.checkpoint!)}. --model ${quoted(flags.out)} opens it.`);
    return ended;
  });
  const { losses, heldOut } = trained;
  const finding = lossCurve(trained.model, {
    ...{ losses, heldOut, chances: task.chances },
    epochs: epochsOf(task, losses.length, options.batchSize!),
    settings: toldOf(settingsOf(name, files, flags, task, options, losses.length), finished ? about : {}),
    name: basename(flags.out),
  });
  const failed: unknown[] = [];
  for (const { path, format } of reports) {
    await writeGuarded(path, await report.render(finding, format)).then(
      () => say(`Wrote ${path}`),
      (error) => failed.push(error),
    );
  }
  // Last, as whoever reads it may stop reading.
  stdout.write(await report.render(finding, flags.json ? "json" : "text", { text: textOptions(stdout) }));
  if (failed.length > 0) throw failed[0];
}

/** A path as a shell takes it. */
const quoted = (path: string): string => (/^[\w./~-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`);

/**
 * Steps done in the folder that checkpoints go to.
 * @throws ArgumentError if it cannot be written to, is a model's own folder, or holds another training
 */
async function checkOut({ out, resume }: TrainFlags): Promise<number> {
  await folderCheckpoints(out).check();
  const paths = await filesIn(out);
  if (paths.includes("config.json")) {
    throw new ArgumentError(
      `${out} is the folder of a model: --model ${out} would go on opening that one. Name another folder.`,
      { asked: out },
    );
  }
  const step = trainedSteps(paths, "training.json").at(-1)?.step ?? 0;
  if (resume && step === 0) {
    throw new ArgumentError(`${out} holds no checkpoint to go on from: leave out --resume to begin.`, { asked: out });
  }
  if (!resume && step > 0) {
    throw new ArgumentError(
      `${out} holds a training already, up to step ${step}: --resume goes on with it; or name another folder.`,
      { asked: out, found: step },
    );
  }
  return step;
}

/** The folder is made with the first checkpoint. */
const filesIn = async (out: string): Promise<readonly string[]> => (existsSync(out) ? folderFiles(out).list() : []);

async function lastStep(out: string): Promise<number> {
  return trainedSteps(await filesIn(out), "training.json").at(-1)?.step ?? 0;
}
