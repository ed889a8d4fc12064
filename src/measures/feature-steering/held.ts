/** Runs in which one feature is held at a value, several side by side. */
import { Tensor } from "../../graph/tensor.ts";
import type { HookedTransformer } from "../../lens/hooked-transformer.ts";
import type { Hook } from "../../lens/hooks.ts";
import { ndarray } from "../../tensor/array.ts";
import { featureCells } from "../features/cells.ts";
import { computeInParts, passBytes } from "../in-parts.ts";
import { gradientsAt } from "../metric-gradients.ts";
import type { Prompt } from "../prompt.ts";

/** A feature and the activation that it is held at; none: the run as it is. */
export type HeldFeature = { readonly feature: number; readonly value: number } | undefined;

/** Of each run: the next token's log probabilities [d_vocab], and how far they are from those of the run as it is, in nats. */
export interface NextTokens {
  /** [run d_vocab] */
  readonly logProbs: Tensor;
  /** `Σ p (log p − log q)` with p of the run as it is, [run]. */
  readonly divergences: Tensor;
}

/** A model with a dictionary and its error term, at a prompt. */
export class HeldRuns {
  /** The hook point of features. */
  readonly at: string;
  readonly #view: HookedTransformer;
  readonly #prompt: Prompt;
  readonly #dSae: number;

  constructor(view: HookedTransformer, prompt: Prompt, at: string, dSae: number) {
    this.#view = view;
    this.#prompt = prompt;
    this.at = at;
    this.#dSae = dSae;
  }

  /** The features at the prompt, and the gradient at them of the log probability of the token that is most probable next: both [pos d_sae]. */
  async features(signal: AbortSignal | undefined): Promise<{ readonly acts: Tensor; readonly slope: Tensor }> {
    const graph = this.#view.graph(this.#prompt.input).readyFor([this.at]);
    const most = graph.output.at({ batch: 0, pos: -1 }).logSoftmax(-1).max();
    const { gradients, values } = gradientsAt(most, [graph.at(this.at)]);
    const wanted = [values[0], gradients[0]].map((x) => x.at({ batch: 0 }));
    const [acts, slope] = await this.#view.compute(wanted, { signal });
    return { acts, slope };
  }

  /** What each run predicts after the prompt; what is before the dictionary is computed once. */
  async next(held: readonly HeldFeature[], signal: AbortSignal | undefined): Promise<NextTokens> {
    const view = this.#view;
    const graph = view.graph(this.#prompt.input).readyFor([this.at]);
    const logProbs = graph.output.at({ batch: 0, pos: -1 }).logSoftmax(-1);
    const acts = graph.at(this.at);
    const positions = this.#prompt.ids.map((_, pos) => pos).slice(this.#prompt.startsWithBos ? 1 : 0);
    const values = (from: number, to: number) => {
      const some = held.slice(from, to);
      const mask = featureCells(
        some.map((one) => ({ pos: one ? positions : [], d_sae: one?.feature ?? 0 })),
        acts,
      );
      const numbers = Float32Array.from(some, (one) => one?.value ?? 0);
      const value = Tensor.leaf(ndarray("float32", [some.length, 1, 1, 1], numbers), mask.axes);
      const edited = graph.with([[this.at, (x) => value.where(mask, x)]]);
      const changed = edited.follow(logProbs);
      return [changed, logProbs.exp().mul(logProbs.sub(changed)).sum(-1)];
    };
    const most = passBytes(view);
    const [all, divergences] = await computeInParts(view, held.length, values, { signal, most, varies: true });
    return { logProbs: all, divergences };
  }

  /**
   * Continues the prompt in each run with the most probable tokens, [run pos], prompt included. A feature is held at the tokens that are written, too;
   * an end of text is a token like any other.
   */
  async continued(held: readonly HeldFeature[], tokens: number, signal: AbortSignal | undefined): Promise<Tensor> {
    const { ids, startsWithBos } = this.#prompt;
    const rows = held.length;
    const keep = new Float32Array(rows * this.#dSae).fill(1);
    const put = new Float32Array(rows * this.#dSae);
    held.forEach((one, run) => {
      if (!one) return;
      keep[run * this.#dSae + one.feature] = 0;
      put[run * this.#dSae + one.feature] = one.value;
    });
    const leaf = (data: Float32Array<ArrayBuffer>) =>
      Tensor.leaf(ndarray("float32", [rows, 1, this.#dSae], data), ["batch", "pos", "d_sae"]);
    const [kept, added] = [leaf(keep), leaf(put)];
    const changed = (acts: Tensor) => acts.mul(kept).add(added);
    const hook: Hook = [
      this.at,
      (acts, { step }) => {
        if (!startsWithBos || (step ?? 0) > 0) return changed(acts);
        return acts.shape[1] === 1 ? acts : acts.set({ pos: { start: 1 } }, changed(acts));
      },
    ];
    const input = Int32Array.from({ length: rows * ids.length }, (_, i) => ids[i % ids.length]);
    return this.#view.generate(Tensor.leaf(ndarray("int32", [rows, ids.length], input), ["batch", "pos"]), {
      ...{ maxNewTokens: tokens, doSample: false, stopAtEos: false, fwdHooks: [hook], signal },
    });
  }
}
