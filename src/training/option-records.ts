/** The options of `train` that a command also has, as records. */
import type { Condition, OptionRecords } from "../options/records.ts";
import { OPTIMIZERS } from "./optimizer.ts";

const OF_ADAM = [{ option: "optimizer", is: ["adamw", "adam"] }] as const satisfies readonly Condition[];

export const TRAINING_OPTIONS = {
  steps: { type: "integer", least: 1, description: "total steps, including those before --resume" },
  batchSize: { type: "integer", least: 1, default: 32, description: "rows per step" },
  optimizer: {
    type: "choice",
    placeholder: "name",
    choices: OPTIMIZERS,
    default: "adamw",
    description: "how a gradient becomes a step",
  },
  lr: { type: "number", least: 0, default: 1e-3, description: "learning rate" },
  warmupSteps: { type: "integer", least: 0, default: 0, description: "steps during which the rate rises" },
  schedule: {
    type: "choice",
    placeholder: "name",
    choices: ["constant", "linear", "cosine"],
    default: "constant",
    description: "how the rate changes after that",
  },
  betas: {
    type: "numbers",
    count: 2,
    least: 0,
    below: 1,
    description: "decay rates of the running means of the gradient and of its square",
    only: OF_ADAM,
  },
  eps: {
    type: "number",
    least: 0,
    description: "added to the root of the mean square",
    defaultText: "1e-8",
    only: OF_ADAM,
  },
  weightDecay: { type: "number", least: 0, description: "how strongly the weights are pulled towards 0" },
  momentum: {
    type: "number",
    least: 0,
    below: 1,
    description: "for sgd",
    defaultText: "0",
    only: [{ option: "optimizer", is: ["sgd"] }],
  },
  maxGradNorm: { type: "number", above: 0, description: "gradients longer than this are scaled down to it" },
  repeat: {
    type: "number",
    placeholder: "share",
    least: 0,
    most: 1,
    description:
      "share of the rows that say their beginning twice, so that it pays to look back and copy; held-out rows are left as they are",
    defaultText: "0",
  },
  seed: {
    type: "integer",
    least: Number.MIN_SAFE_INTEGER,
    default: 0,
    description: "seed of weights, batches and tasks",
  },
  saveEvery: { type: "integer", least: 1, description: "steps between checkpoints" },
  evalEvery: { type: "integer", least: 1, description: "steps between measurements of the held-out loss" },
} as const satisfies OptionRecords;
