/** The options of `trainDictionary` that its command also has, as records; SAELens' names in camelCase, and its defaults. */
import type { Condition, OptionRecords } from "../../options/records.ts";
import { TRAINING_KINDS, type TrainingKind, type TrainingKindName } from "./kinds.ts";
import { LOSS_DEFAULTS } from "./settings.ts";

const kinds = Object.keys(TRAINING_KINDS) as [TrainingKindName, ...TrainingKindName[]];

/** The kinds of which something is so, as a condition on the option `kind`. */
const of = (is: (kind: TrainingKind) => boolean): readonly Condition[] => [
  { option: "kind", is: kinds.filter((name) => is(TRAINING_KINDS[name])) },
];
const named = (...names: readonly TrainingKindName[]): readonly Condition[] => [{ option: "kind", is: names }];
const LARGEST = of(({ trains }) => trains === "topk");
const L1 = of(({ coefficient }) => coefficient === "l1");
const L0 = of(({ coefficient }) => coefficient === "l0");
const TANH: readonly Condition[] = [...L0, { option: "jumpreluSparsityLossMode", is: ["tanh"] }];

const steps = (description: string, only: readonly Condition[] = []) =>
  ({ type: "integer", least: 0, default: 0, description, only }) as const;

export const DICTIONARY_OPTIONS = {
  kind: { type: "choice", choices: kinds, default: "standard", description: "what makes its features sparse" },
  dSae: { type: "integer", least: 1, default: 4096, description: "the number of features" },
  k: { type: "number", above: 0, default: 32, description: "features per token that stay", only: LARGEST },
  steps: { type: "integer", least: 1, default: 2000, description: "total steps" },
  batchSize: { type: "integer", least: 1, default: 4096, description: "tokens per step" },
  mixedBatches: { type: "integer", least: 1, default: 16, description: "batches whose tokens are shuffled together" },
  fromPosition: {
    type: "integer",
    least: 0,
    default: 0,
    description: "positions before this one are left out; 1 leaves out BOS",
  },
  lr: { type: "number", least: 0, default: 3e-4, description: "learning rate" },
  schedule: {
    type: "choice",
    choices: ["constant", "linear", "cosine"],
    default: "constant",
    description: "how the rate changes between warm-up and decay",
  },
  lrWarmUpSteps: steps("steps during which the rate rises"),
  lrDecaySteps: steps("last steps, during which the rate falls to 0"),
  l1Coefficient: {
    type: "number",
    least: 0,
    default: LOSS_DEFAULTS.l1Coefficient,
    description: "the weight of the sum of features",
    only: L1,
  },
  l1WarmUpSteps: steps("steps during which it rises from 0", L1),
  lpNorm: {
    type: "number",
    above: 0,
    default: LOSS_DEFAULTS.lpNorm,
    description: "the order of the norm that sums features",
    only: named("standard"),
  },
  l0Coefficient: {
    type: "number",
    least: 0,
    default: LOSS_DEFAULTS.l0Coefficient,
    description: "the weight of the number of features",
    only: L0,
  },
  l0WarmUpSteps: steps("steps during which it rises from 0", L0),
  jumpreluSparsityLossMode: {
    type: "choice",
    placeholder: "how",
    choices: ["step", "tanh"],
    default: LOSS_DEFAULTS.jumpreluSparsityLossMode,
    description: "how that number gets a gradient",
    only: L0,
  },
  jumpreluInitThreshold: {
    type: "number",
    above: 0,
    default: LOSS_DEFAULTS.jumpreluInitThreshold,
    description: "thresholds at the beginning",
    only: L0,
  },
  jumpreluBandwidth: {
    type: "number",
    above: 0,
    default: LOSS_DEFAULTS.jumpreluBandwidth,
    description: "the width around a threshold within which it moves",
    only: L0,
  },
  jumpreluTanhScale: {
    type: "number",
    above: 0,
    default: LOSS_DEFAULTS.jumpreluTanhScale,
    description: "the factor within tanh",
    only: TANH,
  },
  preActLossCoefficient: {
    type: "number",
    least: 0,
    description: "the weight of what pulls dead features back",
    defaultText: "0",
    only: L0,
  },
  auxLossCoefficient: {
    type: "number",
    least: 0,
    default: LOSS_DEFAULTS.auxLossCoefficient,
    description: "the weight of what dead features reconstruct",
    only: LARGEST,
  },
  topkThresholdLr: {
    type: "number",
    least: 0,
    most: 1,
    default: LOSS_DEFAULTS.topkThresholdLr,
    description: "how fast the threshold follows the batches",
    only: named("batchtopk", "matryoshka_batchtopk"),
  },
  decoderInitNorm: {
    type: "number",
    above: 0,
    default: LOSS_DEFAULTS.decoderInitNorm,
    description: "the norm of decoder rows at the beginning",
  },
  deadFeatureWindow: {
    type: "integer",
    least: 1,
    default: 1000,
    description: "steps without firing after which a feature is dead",
  },
  normalizeActivations: {
    type: "choice",
    choices: ["none", "expected_average_only_in"],
    default: "none",
    description: "whether the input is scaled to a mean norm of the root of its width",
  },
  maxGradNorm: {
    type: "number",
    above: 0,
    default: 1,
    description: "gradients longer than this are scaled down to it",
  },
  seed: {
    type: "integer",
    least: Number.MIN_SAFE_INTEGER,
    default: 0,
    description: "seed of weights and of the order of tokens",
  },
} as const satisfies OptionRecords;
