/**
 * A model's forward pass on one input, as a graph to build on: read values by hook name, derive others from them, change
 * some and see what follows. Nothing is computed until values are run, and what several of them share is computed once.
 */
import type { Tensor } from "../graph/tensor.ts";
import { Rewrite } from "../graph/walk.ts";
import type { HookedTransformerConfig } from "../models/config.ts";
import { type Forward, type ForwardInputs, forward } from "../models/forward.ts";
import { lossPerToken, meanLoss } from "../models/loss.ts";
import type { Weights } from "../models/weights.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { type HookNameLike, resolveName } from "./hook-names.ts";
import { fitted, type HookPoint, layerOf } from "./hooks.ts";

/** A change at a hook point: a value of the same shape, or with more rows or axes in front, from the value there. */
export type Edit = readonly [at: HookNameLike, f: (x: Tensor, hook: Pick<HookPoint, "name" | "layer">) => Tensor];

/** What a graph is built from; shared by all graphs of one model and input. */
export interface GraphSource {
  readonly cfg: HookedTransformerConfig;
  readonly weights: Weights;
  readonly inputs: ForwardInputs;
  readonly hookNames: readonly string[];
}

export class ModelGraph {
  private readonly source: GraphSource;
  private readonly edits: readonly Edit[];
  private readonly clean: Forward;
  private readonly rewrite = new Rewrite();

  constructor(source: GraphSource, edits: readonly Edit[] = []) {
    this.source = source;
    this.edits = edits.map(([at, f]) => [resolveName(at, source.hookNames), f]);
    const edited = new Set(this.edits.map(([name]) => name));
    const wanted = { reads: () => true, hooks: (name: string) => edited.has(name) };
    this.clean = forward(source.cfg, source.weights, source.inputs, wanted);
    for (const name of edited) this.point(name);
    for (const [name, point] of this.clean.points) {
      for (const [at, f] of this.edits) {
        if (at !== name) continue;
        const before = this.rewrite.get(point).inputs[0];
        const made = f(before, { name, layer: layerOf(name) });
        this.rewrite.replace(point, fitted(made, before, name).point(name));
      }
    }
  }

  /** int32 [batch pos]; `undefined` for a pass that starts from a residual stream. */
  get tokens(): Tensor | undefined {
    return this.source.inputs.tokens;
  }

  /** Logits [batch pos d_vocab], or the residual stream where the pass stops before the end. */
  get output(): Tensor {
    return this.rewrite.get(this.clean.output);
  }

  /** The value at a hook point, as edited. @throws UnknownNameError, or ArgumentError if the pass does not reach it. */
  at(name: HookNameLike): Tensor {
    return this.rewrite.get(this.point(resolveName(name, this.source.hookNames)));
  }

  /** This pass with further changes. What is before them is the same, and is computed once if both are run together. */
  with(edits: readonly Edit[]): ModelGraph {
    return new ModelGraph(this.source, [...this.edits, ...edits]);
  }

  /** The loss at each position that has a next token, in nats, [batch pos-1]; 0 where either is padding. */
  lossPerToken(): Tensor {
    return lossPerToken(this.output, this.needTokens(), this.source.inputs.attentionMask);
  }

  /** The mean of `lossPerToken`, a single number. */
  loss(): Tensor {
    return meanLoss(this.output, this.needTokens(), this.source.inputs.attentionMask);
  }

  private needTokens(): Tensor {
    if (this.tokens) return this.tokens;
    throw new ArgumentError("A pass that starts from a residual stream has no tokens, so it has no loss.", {});
  }

  private point(name: string): Tensor {
    const found = this.clean.points.get(name);
    if (found) return found;
    throw new ArgumentError(`"${name}" is outside the layers that this pass runs.`, {
      asked: name,
      found: [...this.clean.points.keys()],
    });
  }
}
