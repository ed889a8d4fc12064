/**
 * A model's forward pass on one input, as a graph to build on: read values by hook name, derive others from them, change
 * some and see what follows. Nothing is computed until values are run; what several of them share is computed once.
 */

import type { Tensor } from "../graph/tensor.ts";
import { getActName } from "../models/act-name.ts";
import type { Forward, ForwardInputs } from "../models/forward.ts";
import { lossPerToken, meanLoss } from "../models/loss.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";
import { type Change, ChangedPass, placeOf } from "./changes.ts";
import { checkTensor } from "./check-tensor.ts";
import { predicted } from "./decoder-input.ts";
import { type HookNameLike, resolveName } from "./hook-names.ts";
import { needNextToken } from "./model-has.ts";
import { type PassSource, tracePass } from "./trace-pass.ts";

/** A change at a hook point: a value of the same shape, or with more rows or axes in front, from the value there. */
export type Edit = readonly [at: HookNameLike, f: Change];

/** What a graph is built from; shared by all graphs of one model and input. */
export interface GraphSource extends PassSource {
  readonly inputs: ForwardInputs;
  readonly hookNames: readonly string[];
}

/** A model's forward pass on one input as a graph: read values by hook name, derive others, change some. */
export class ModelGraph {
  private readonly source: GraphSource;
  private readonly edits: readonly Edit[];
  private readonly built: Built;
  private readonly changed: ChangedPass;

  constructor(source: GraphSource, edits: readonly Edit[] = [], built?: Built) {
    this.source = source;
    this.edits = checkedEdits(edits).map(([at, f]) => [resolveName(at, source.hookNames), f]);
    const placed = this.edits.map(([name, f]) => ({ name: name as string, f }));
    const edited = placed.map(({ name }) => name);
    this.built = built && edited.every((name) => built.inPlace(name)) ? built : build(source, edited);
    this.changed = new ChangedPass(this.built.pass.points);
    for (const name of edited) this.point(name);
    for (const [{ name, f }, point] of this.changed.inOrder(placed)) {
      this.changed.put(name, point, f(this.changed.before(point), placeOf(name)));
    }
  }

  /** int32 [batch pos]; `undefined` for a pass that starts from a residual stream. */
  get tokens(): Tensor | undefined {
    return this.source.inputs.tokens;
  }

  /** int32 [batch pos]: an encoder-decoder's second input. */
  get decoderTokens(): Tensor | undefined {
    return this.source.inputs.decoderTokens;
  }

  /** bool [batch pos], false where a position is padding; `undefined` where none is. */
  get attentionMask(): Tensor | undefined {
    return this.source.inputs.attentionMask;
  }

  /** Logits [batch pos d_vocab], or the residual stream where the pass stops before the end. */
  get output(): Tensor {
    return this.changed.get(this.built.pass.output);
  }

  /** The value at a hook point, as edited. @throws UnknownNameError, or ArgumentError if the pass does not reach it. */
  at(name: HookNameLike): Tensor {
    return this.changed.get(this.point(resolveName(name, this.source.hookNames)));
  }

  /** Whether this pass has a hook point of that name. */
  has(name: HookNameLike): boolean {
    return this.built.pass.points.has(getActName(name));
  }

  /** This pass with further changes. What is before them is the same, and is computed once if both are run together. */
  with(edits: readonly Edit[]): ModelGraph {
    checkedEdits(edits);
    return new ModelGraph(this.source, [...this.edits, ...edits], this.built);
  }

  /**
   * This pass ready for changes at points that TransformerLens hides behind flags, so that what is derived from it can be
   * followed through `with`.
   */
  readyFor(names: readonly HookNameLike[]): ModelGraph {
    if (!Array.isArray(names)) {
      throw new ArgumentError(`readyFor needs a list of hook point names, not ${shown(names)}.`, { asked: names });
    }
    const full = Array.from(names).map((name) => resolveName(name, this.source.hookNames));
    return new ModelGraph(this.source, this.edits, build(this.source, [...full, ...this.edits.map(([name]) => name)]));
  }

  /**
   * What a value derived from the unchanged pass becomes in this one: `graph.with(edits).follow(metric(graph.output))`.
   * A value written for one pass follows into a sweep as it is: ops mean the same with further axes in front.
   */
  follow(value: Tensor): Tensor {
    checkTensor("What is followed", value);
    return this.changed.get(value);
  }

  /** The loss at each position that has a next token, in nats, [batch pos-1]; 0 where either is padding. */
  lossPerToken(): Tensor {
    const { tokens, attentionMask } = this.predicted();
    return lossPerToken(this.output, tokens, attentionMask);
  }

  /** The mean of `lossPerToken`, a single number. */
  loss(): Tensor {
    const { tokens, attentionMask } = this.predicted();
    return meanLoss(this.output, tokens, attentionMask);
  }

  private predicted(): { readonly tokens: Tensor; readonly attentionMask: Tensor | undefined } {
    needNextToken("A loss", this.source);
    const { tokens, attentionMask } = predicted(this.source.inputs);
    if (tokens) return { tokens, attentionMask };
    throw new ArgumentError("A pass that starts from a residual stream has no tokens, so it has no loss.", {});
  }

  private point(name: string): Tensor {
    const found = this.built.pass.points.get(name);
    if (found) return found;
    throw new ArgumentError(`"${name}" is outside the layers that this pass runs.`, {
      asked: name,
      found: [...this.built.pass.points.keys()],
    });
  }
}

/** @throws ArgumentError for anything but pairs of a name and a function */
function checkedEdits(edits: readonly Edit[]): readonly Edit[] {
  const isEdit = (edit: unknown) => Array.isArray(edit) && edit.length === 2 && typeof edit[1] === "function";
  if (Array.isArray(edits) && Array.from(edits).every(isEdit)) return edits;
  throw new ArgumentError(
    "Each change must be a pair of a hook point's name and a function: [[name, (x) => x.mul(0)]].",
    {
      asked: edits,
    },
  );
}

/** A traced pass, and which points what follows is computed from (others stand next to it, to be read). */
interface Built {
  readonly pass: Forward;
  inPlace(name: string): boolean;
}

function build(source: GraphSource, edited: readonly string[]): Built {
  const pass = tracePass(source, source.inputs, { reads: "all", changes: edited });
  return { pass, inPlace: (name) => edited.includes(name) || !pass.asides.has(name) };
}
