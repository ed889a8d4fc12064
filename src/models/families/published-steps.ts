/**
 * Training checkpoints that are published as revisions of a repository. Which steps Pythia's and Stanford's models have is known; of others,
 * the names of branches say. Source: TransformerLens' `get_checkpoint_labels`; the model cards of Pythia and OLMo.
 */

export interface PublishedStep {
  readonly step: number;
  readonly revision: string;
}

const every = (from: number, to: number, by: number): number[] =>
  Array.from({ length: Math.floor((to - from) / by) + 1 }, (_, i) => from + i * by);

const POWERS_OF_TWO = [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512];
const THOUSANDS = every(1000, 143_000, 1000);
const STANFORD = [
  ...every(0, 90, 10),
  ...every(100, 1950, 50),
  ...every(2000, 19_900, 100),
  ...every(20_000, 400_000, 1000),
];

/** The checkpoints of a repository that are known without asking; undefined for others. */
export function knownSteps(id: string): readonly PublishedStep[] | undefined {
  const of = (steps: readonly number[], prefix: string) =>
    steps.map((step) => ({ step, revision: `${prefix}${step}` }));
  if (id.startsWith("stanford-crfm/")) return of(STANFORD, "checkpoint-");
  if (!/^EleutherAI\/pythia-\d/.test(id)) return undefined;
  return of(id.endsWith("-v0") ? THOUSANDS : [...POWERS_OF_TWO, ...THOUSANDS], "step");
}

/** "step1000", "checkpoint-1000", "global_step1000", "step1000-tokens4B", and of OLMo's first stage "stage1-step1000-tokens5B". */
const BRANCH = /^(?:(?:global_)?step[-_]?|checkpoint-|stage1-step)(\d{1,9})(?:-tokens\d+B)?$/;

/** The checkpoints that branches are named after, by their steps. */
export function stepsOfBranches(names: readonly string[]): PublishedStep[] {
  const steps = new Map<number, string>();
  for (const revision of names) {
    const step = BRANCH.exec(revision)?.[1];
    if (step !== undefined && !steps.has(Number(step))) steps.set(Number(step), revision);
  }
  return [...steps].map(([step, revision]) => ({ step, revision })).sort((a, b) => a.step - b.step);
}
