/** Components of the residual stream under their labels: the results of `ActivationCache`'s decompositions. */
import type { Tensor } from "../graph/tensor.ts";
import { ArgumentError, UnknownNameError } from "../tensor/errors.ts";
import { ANYTHING, SIGNAL } from "../tensor/kinds.ts";
import { checkOptions } from "../tensor/options.ts";
import { shown } from "../tensor/show.ts";
import type { Cached, Cut, StackNorm } from "./cached.ts";
import { checkTensor } from "./check-tensor.ts";
import { type LogitAttrsOptions, logitDirections } from "./logit-directions.ts";
import { joined, type StackPart } from "./stack-parts.ts";
import type { TokenChoice } from "./weight-views.ts";

/** Parts of a stack, from the cache's values, with any slice applied. */
type Build = (cache: Cached) => readonly StackPart[];

/**
 * Components [component ... d_model], none of them computed before a run needs it. Their sum and their products
 * with a direction are computed without making the components.
 */
export class ResidualStack {
  /** What each component is: `L0H3`, `1_mlp_out`, `embed`, ... */
  readonly labels: readonly string[];
  private readonly cache: Cached;
  private readonly build: Build;
  private readonly norm: StackNorm | undefined;
  private readonly parts: readonly StackPart[];

  constructor(cache: Cached, build: Build, norm?: StackNorm) {
    this.cache = cache;
    this.build = build;
    this.norm = norm;
    this.parts = build(cache);
    this.labels = this.parts.flatMap((part) => part.labels);
  }

  /** Components. */
  get length(): number {
    return this.labels.length;
  }

  /** All components, [component ... d_model]. */
  get stack(): Tensor {
    const raw = joined(this.parts.map((part) => part.vectors()));
    return this.norm ? this.norm.apply(raw, this.cache) : raw;
  }

  /** All components with their numbers, [component ... d_model]. */
  async compute(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<Tensor> {
    checkOptions("compute", options, { signal: SIGNAL });
    return this.stack.compute(options);
  }

  /** One component, [... d_model]. @throws UnknownNameError with the closest label. */
  get(label: string): Tensor {
    if (typeof label !== "string") {
      throw new ArgumentError(`The label of a component must be a string, "L0H3", not ${shown(label)}.`, {
        asked: label,
      });
    }
    const at = this.labels.indexOf(label);
    if (at >= 0) return this.stack.at({ component: at });
    throw new UnknownNameError("component", label, this.labels, "`labels` lists them.");
  }

  /** The sum of the components, [... d_model]. */
  sum(): Tensor {
    if (this.norm && !this.norm.linear) return this.stack.sum("component");
    const raw = this.parts.map((part) => part.sum()).reduce((a, b) => a.add(b));
    return this.norm ? this.norm.apply(raw, this.cache) : raw;
  }

  /** Each component's inner product with a direction [... d_model], which may lack axes in front: [component ...]. */
  dot(direction: Tensor): Tensor {
    checkTensor("The direction", direction, ["d_model"], "float32");
    if (this.norm) return this.norm.dot(this.parts, direction, this.cache);
    return joined(this.parts.map((part) => part.dot(direction)));
  }

  /** The same components of fewer prompts or positions. */
  at(cut: Cut): ResidualStack {
    return new ResidualStack(this.cache.at(cut), this.build, this.norm);
  }

  /** The same components as a norm transforms them. @see ActivationCache.applyLnToStack */
  normalized(norm: StackNorm | undefined): ResidualStack {
    if (this.norm && norm) {
      throw new ArgumentError(
        `The components have already been normalized by ${this.norm.where}: make the stack without applyLn.`,
        { asked: norm.where, found: this.norm.where },
      );
    }
    return norm ? new ResidualStack(this.cache, this.build, norm) : this;
  }

  /** What each component adds to the tokens' logits. @see ActivationCache.logitAttrs */
  logitAttrs(tokens: TokenChoice, options: Pick<LogitAttrsOptions, "incorrectTokens"> = {}): Tensor {
    checkOptions("logitAttrs", options, { incorrectTokens: ANYTHING });
    const direction = logitDirections(this.cache, tokens, options.incorrectTokens);
    const last = this.cache.normBefore({});
    if (!this.norm) return this.normalized(last).dot(direction);
    if (this.norm.where === last?.where) return this.dot(direction);
    throw new ArgumentError(
      `Logits are read from the last residual stream, but these components were normalized by ${this.norm.where}: make the stack without applyLn, or with layer ${this.cache.model.cfg.nLayers}.`,
      { asked: last?.where, found: this.norm.where },
    );
  }
}
