/** `glassformer train`: takes texts or a task, makes a folder with a model, and shows the loss as it falls. */
import { basename } from "node:path";
import { withProvenance } from "../finding/provenance.ts";
import { command } from "./command.ts";
import { guarded } from "./interrupt.ts";
import { trainedFrom } from "./origin.ts";
import { type OutputFile, outputFiles } from "./output-files.ts";
import { coloured, type Terminal, tell, textOptions } from "./terminal.ts";
import { TRAIN_HEADINGS, TRAIN_OPTIONS, type TrainFlags } from "./train-options.ts";
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
import { lastStepIn, stepsDoneIn } from "./training-folder.ts";
import { clock, TrainingScreen } from "./training-screen.ts";
import { writeReports } from "./write-reports.ts";

export const trainCommand = command({
  name: "train",
  group: "Models:",
  summary: "Train a model on text or on a task, for use with the other commands",
  description:
    "Trains a transformer on texts or on a task and saves it in a folder that every other command can open. The loss is shown as it falls, next to the loss without a model and the loss on held-out data. Ctrl-C saves what has been done so far.",
  argument: {
    name: "file",
    several: true,
    description: 'texts: .txt, .jsonl or .parquet, by path or URL; "-" for stdin',
    is: "file",
  },
  options: TRAIN_OPTIONS,
  headings: TRAIN_HEADINGS,
  examples: [
    "train novels.txt --out my-model",
    "train --task modular-addition --out grokked --report curve.html",
    "logit-lens --model my-model",
  ],
  async run(flags, { args: files, terminal, read }) {
    const reports = await outputFiles(flags.report ?? [], "--report", flags.out, [
      ...files,
      ...(flags.config === undefined ? [] : [flags.config]),
    ]);
    const typed = Object.keys(await read());
    await run({ files, flags, typed, reports }, terminal);
  },
});

/** What a training run was asked for. */
interface Asked {
  /** The texts. */
  readonly files: readonly string[];
  readonly flags: TrainFlags;
  /** The names of the options that were typed. */
  readonly typed: readonly string[];
  readonly reports: readonly OutputFile[];
}

async function run({ files, flags, typed, reports }: Asked, terminal: Terminal): Promise<void> {
  const { stdout, stderr } = terminal;
  const begun = await stepsDoneIn(flags.out, flags.resume);
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
    say(finished ? `step ${begun} is the last: there is nothing left to do` : `resuming from step ${begun}`);
    about = finished ? before : aboutFromHere(before, about);
  }

  const screen = new TrainingScreen(stderr, { chance: task.chances[0], color: coloured(stderr, terminal) });
  const start = performance.now();
  let seen = 0;
  const trained = await guarded(async ({ signal, listen }) => {
    signal.addEventListener("abort", () =>
      screen.say("Stopping after this step and saving. Press Ctrl-C again to stop now."),
    );
    const ended = await train(
      model,
      { ...options, about },
      {
        signal,
        onProgress: (progress) => {
          // Before the first step there is nothing to save.
          if (seen === 0) listen();
          seen = progress.tokens;
          screen.update(progress);
        },
      },
    ).catch(async (error) => {
      const savedStep = signal.aborted ? await lastStepIn(flags.out) : 0;
      if (savedStep > 0)
        say(`Saved as step ${savedStep} of ${flags.out}. Run the same command with --resume to continue from there.`);
      throw error;
    });
    const elapsed = (performance.now() - start) / 1000;
    if (seen > 0) {
      const speed = Math.round(seen / elapsed).toLocaleString("en");
      say(`${seen.toLocaleString("en")} tokens in ${clock(elapsed)}, ${speed} per second`);
    }
    say(`Saved ${shellQuoted(ended.checkpoint!)}. Open it with --model ${shellQuoted(flags.out)}.`);
    return ended;
  });
  const { losses, heldOut } = trained;
  const found = lossCurve(trained.model, {
    ...{ losses, heldOut, chances: task.chances, repeat: options.repeat },
    epochs: epochsOf(task, losses.length, options.batchSize!),
    settings: toldOf(settingsOf(name, files, flags, task, options, losses.length), finished ? about : {}),
    name: basename(flags.out),
  });
  // The model's files are not read again for a text in the terminal.
  const saved = reports.length > 0 || flags.json;
  const finding = saved ? withProvenance(found, await trainedFrom(files, flags, typed)) : found;
  try {
    await writeReports(finding, reports, "--report", say);
  } finally {
    // Last, because the reader of the pipe may stop reading.
    const text = flags.json
      ? report.render(finding, "json")
      : report.render(found, "text", { text: textOptions(terminal) });
    stdout.write(await text);
  }
}

/** A path, shellQuoted for a shell. */
const shellQuoted = (path: string): string => (/^[\w./~-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`);
