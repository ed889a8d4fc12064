/** `glassformer train`: texts or a task in, a folder with a model out, its loss shown as it falls. */
import { Command } from "commander";
import type { Scalar } from "../analyses/finding.ts";
import { trainedSteps } from "../load/index.ts";
import { listFiles } from "../load/node-folder.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { RECIPES, type TaskName } from "../training/data/recipes.ts";
import type { TrainingTask } from "../training/data/tasks.ts";
import { folderCheckpoints } from "../training/node-checkpoints.ts";
import type { TrainOptions } from "../training/options.ts";
import { type OutputFile, outputFiles, writeWhole } from "./output-files.ts";
import type { Terminal } from "./terminal.ts";
import { addTrainOptions, type TrainFlags } from "./train-options.ts";
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
      const reports = await outputFiles(flags.report ?? [], "--report");
      await run(files, flags, reports, terminal);
    });
}

async function run(
  files: readonly string[],
  flags: TrainFlags,
  reports: readonly OutputFile[],
  { stdout, stderr, signal, finishOnSignal }: Terminal,
): Promise<void> {
  const begun = await checkOut(flags);
  const say = (line: string) => stderr.write(`${line}\n`);
  const [{ setUp }, { train }, { evaluateLoss }, { lossCurve }] = await Promise.all([
    import("./train-setup.ts"),
    import("../training/train.ts"),
    import("../training/evaluate.ts"),
    import("../training/loss-curve.ts"),
  ]);
  const { model, task, name } = await setUp(files, flags, { signal, say });
  const options = optionsOf(name, task, flags);
  const steps = options.steps ?? Number.NaN;
  const color = Boolean(stderr.isTTY) && !process.env.NO_COLOR;
  const screen = new TrainingScreen(stderr, { chance: task.chances[0], color });
  const heldOut: { step: number; loss: number }[] = [];
  const start = performance.now();
  let seen = 0;
  if (begun > 0) say(`going on from step ${begun}`);

  finishOnSignal();
  signal.addEventListener("abort", () => say("Stopping after this step, to keep it. Once more: at once."), {
    once: true,
  });
  const trained = await train(model, options, {
    signal,
    onProgress: async (progress) => {
      const every = flags.evalEvery ?? Math.ceil(progress.steps / (name === "text" ? 10 : 40));
      const due = task.heldOut && (progress.step % every === 0 || progress.step === progress.steps);
      const loss = due
        ? await evaluateLoss(progress.model(), task.heldOut!, { loss: task.loss, batchSize: evaluationRows(task) })
        : undefined;
      if (loss !== undefined) heldOut.push({ step: progress.step, loss });
      seen = progress.tokens;
      screen.update(progress, loss);
    },
  }).catch(async (error) => {
    if (signal.aborted) {
      const kept = await lastStep(flags.out);
      if (kept > 0) say(`Kept as step ${kept} of ${flags.out}. The same command with --resume goes on from there.`);
    }
    throw error;
  });

  const elapsed = (performance.now() - start) / 1000;
  if (seen > 0) {
    say(
      `${seen.toLocaleString("en")} tokens in ${clock(elapsed)}, ${Math.round(seen / elapsed).toLocaleString("en")} a second`,
    );
  }
  const finding = lossCurve(trained.model, {
    ...{ losses: trained.losses, heldOut, chances: task.chances },
    epochs: epochsOf(task, trained.losses.length, options.batchSize!),
    settings: settingsOf(name, files, task, options, Number.isNaN(steps) ? trained.losses.length : steps),
  });
  const report = await import("../report/index.ts");
  const width = Math.min(stdout.columns ?? 80, 100);
  const ink = Boolean(stdout.isTTY) && !process.env.NO_COLOR;
  stdout.write(await report.render(finding, flags.json ? "json" : "text", { text: { width, color: ink } }));
  for (const { path, format } of reports) {
    await writeWhole(path, await report.render(finding, format), signal);
    say(`Wrote ${path}`);
  }
  say(`Kept ${trained.checkpoint}. --model ${flags.out} opens it.`);
}

/** Steps done in the folder that checkpoints go to. @throws ArgumentError if it cannot be written to, or holds another training. */
async function checkOut({ out, resume }: TrainFlags): Promise<number> {
  await folderCheckpoints(out).check();
  const step = await lastStep(out);
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

async function lastStep(out: string): Promise<number> {
  return trainedSteps(await listFiles(out), "training.json").at(-1)?.step ?? 0;
}

function optionsOf(name: TaskName, task: TrainingTask, flags: TrainFlags): TrainOptions {
  const { training, warmup } = RECIPES[name];
  const { epochs, optimizer, betas, out, resume } = flags;
  const batchSize = flags.batchSize ?? training.batchSize;
  const perEpoch = typeof task.data === "function" ? undefined : Math.ceil(task.data.shape[0] / batchSize);
  const steps = flags.steps ?? (epochs === undefined ? training.steps : perEpoch && epochs * perEpoch);
  if (betas && betas.length !== 2) {
    throw new ArgumentError(`--betas takes two numbers, as in --betas 0.9 0.99, but got ${betas.length}.`, {
      asked: betas,
    });
  }
  const decay = optimizer === "adamw" ? training.weightDecay : 0;
  const given = {
    // Both are handed on where both are given, or neither fits: `train` says why not.
    ...{
      steps,
      numEpochs: flags.steps !== undefined || !steps ? epochs : undefined,
      saveEvery: flags.saveEvery ?? (steps && Math.ceil(steps / 5)),
    },
    ...{ eps: flags.eps, momentum: flags.momentum, frozen: flags.freeze, loss: task.loss },
    ...{ maxGradNorm: flags.maxGradNorm ?? training.maxGradNorm, resume: resume ? out : undefined },
  };
  return {
    ...(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<TrainOptions>),
    data: task.data,
    optimizer,
    batchSize,
    lr: flags.lr ?? training.lr,
    schedule: flags.schedule ?? training.schedule,
    warmupSteps: flags.warmupSteps ?? Math.ceil(warmup * (steps ?? 0)),
    betas: (betas as [number, number] | undefined) ?? training.betas,
    weightDecay: flags.weightDecay ?? decay,
    seed: flags.seed,
    saveDir: out,
  };
}

/** Rows of what is held out at once: about as many tokens as a batch of text has. */
function evaluationRows({ heldOut }: TrainingTask): number {
  return Math.max(1, Math.floor(8192 / heldOut!.shape[1]));
}

function epochsOf({ data }: TrainingTask, steps: number, batchSize: number): number | undefined {
  return typeof data === "function" ? undefined : steps / Math.ceil(data.shape[0] / batchSize);
}

function settingsOf(
  name: TaskName,
  files: readonly string[],
  { data, heldOut }: TrainingTask,
  options: TrainOptions,
  steps: number,
): Record<string, Scalar> {
  const { batchSize, optimizer, lr, schedule, warmupSteps, betas, weightDecay, maxGradNorm, seed } = options;
  return {
    task: name === "text" ? files.join(" ") : name,
    steps,
    "batch size": batchSize!,
    ...(typeof data === "function" ? {} : { rows: data.shape[0], "tokens a row": data.shape[1] }),
    "held-out rows": heldOut?.shape[0] ?? 0,
    optimizer: optimizer!,
    lr: lr!,
    schedule: String(schedule),
    "warm-up steps": warmupSteps!,
    ...(optimizer === "sgd" ? { momentum: options.momentum ?? 0 } : { betas: betas!.join(" ") }),
    "weight decay": weightDecay!,
    "max gradient norm": maxGradNorm ?? null,
    seed: seed!,
  };
}
