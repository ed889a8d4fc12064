/** What changes of a run do to its predictions. */
import type { Tensor } from "../../graph/tensor.ts";
import type { HookedTransformer } from "../../lens/hooked-transformer.ts";
import type { Hook } from "../../lens/hooks.ts";
import { interventionHooks } from "../interventions.ts";
import { type Prompt, readPrompt } from "../prompt.ts";
import type { GivenIntervention } from "./options.ts";

/** A number without the changes, and with them. */
interface BeforeAfter {
  readonly before: number;
  readonly after: number;
}

export interface InterventionEffect {
  readonly prompt: Prompt;
  /** Tokens that are among the most probable before or after, the most probable before first. */
  readonly next: readonly (BeforeAfter & { readonly id: number })[];
  /** −log p of each token of the prompt after the first, in nats. */
  readonly losses: readonly BeforeAfter[];
  /** Σ p log(p / q) of the next token, p before and q after, in nats. */
  readonly divergence: number;
}

/** Runs a prompt without and with changes. @throws ArgumentError as interventionHooks; InputError for fewer than two tokens */
export async function measureEffect(
  model: HookedTransformer,
  prompt: string,
  changes: readonly GivenIntervention[],
  { top = 8, signal }: { readonly top?: number; readonly signal?: AbortSignal | undefined } = {},
): Promise<InterventionEffect> {
  const read = readPrompt(model, prompt, { least: 2 });
  const fwdHooks = await interventionHooks(model, prompt, changes, { signal });
  const [before, after] = [await predicted(model, read, [], signal), await predicted(model, read, fwdHooks, signal)];
  const [p, q] = [before.next, after.next];
  const best = (values: Float64Array) =>
    Array.from(values.keys())
      .sort((a, b) => values[b] - values[a])
      .slice(0, top);
  const ids = [...new Set([...best(p), ...best(q)])].sort((a, b) => p[b] - p[a]);
  return {
    prompt: read,
    next: ids.map((id) => ({ id, before: Math.exp(p[id]), after: Math.exp(q[id]) })),
    losses: before.losses.map((loss, i) => ({ before: loss, after: after.losses[i] })),
    divergence: p.reduce((sum, logP, i) => sum + Math.exp(logP) * (logP - q[i]), 0),
  };
}

/** The log probabilities of the next token, and the loss of each token of the prompt. */
async function predicted(model: HookedTransformer, { input }: Prompt, fwdHooks: readonly Hook[], signal?: AbortSignal) {
  const options = { fwdHooks, signal };
  const logits = await model.runWithHooks(input, { ...options, logitsPos: -1 });
  const loss: Tensor = await model.runWithHooks(input, { ...options, returnType: "loss", lossPerToken: true });
  return { next: logProbabilities(logits.data as Float32Array), losses: Array.from(loss.data as Float32Array) };
}

function logProbabilities(logits: Float32Array): Float64Array {
  const most = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const total = most + Math.log(logits.reduce((sum, x) => sum + Math.exp(x - most), 0));
  return Float64Array.from(logits, (x) => x - total);
}
