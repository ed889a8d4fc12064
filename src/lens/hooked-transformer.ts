/** The model as its users meet it. */
import { defaultEngine } from "../engine/default.ts";
import type { Engine } from "../engine/engine.ts";
import { showShape } from "../graph/axes.ts";
import { Tensor } from "../graph/tensor.ts";
import type { Rewrite } from "../graph/walk.ts";
import type { HookedTransformerConfig } from "../models/config.ts";
import { type ForwardInputs, forward } from "../models/forward.ts";
import { lossPerToken, meanLoss } from "../models/loss.ts";
import { Weights } from "../models/weights.ts";
import { type NDArray, zeros } from "../tensor/array.ts";
import { ArgumentError, InputError, ShapeError } from "../tensor/errors.ts";
import { type TokenIds, type Tokenizer, TokenRules, type ToTokensOptions } from "../text/index.ts";
import { ActivationCache } from "./activation-cache.ts";
import { type Explanation, explain } from "./explain.ts";
import { type FromPretrainedOptions, loadPretrained, noProcessing } from "./from-pretrained.ts";
import { type NamesFilter, resolveFilter } from "./hook-names.ts";
import { type Hook, type HookFunction, type PlacedHook, traceHooks } from "./hooks.ts";
import { ModelGraph } from "./model-graph.ts";
import { type InputOptions, layerIndex, type ModelInput, prepareInput } from "./model-input.ts";
import { type PosSlice, slicePositions } from "./pos-slice.ts";

export type ReturnType = "logits" | "loss" | "both" | null;

/** What `forward` gives for a `returnType`. */
export type Output<R extends ReturnType> = R extends "logits" | "loss"
  ? Tensor
  : R extends "both"
    ? { readonly logits: Tensor; readonly loss: Tensor }
    : undefined;

export interface ForwardOptions<R extends ReturnType = ReturnType> extends InputOptions {
  /** Logits [batch pos d_vocab] (the default), the loss in nats, both, or nothing. */
  readonly returnType?: R;
  /** The loss of each token, [batch pos-1], instead of their mean. */
  readonly lossPerToken?: boolean;
  /** First block to run; the input is then a residual stream [batch pos d_model]. Negative counts from the end. */
  readonly startAtLayer?: number;
  /** First block not to run; the residual stream before it is returned, not logits. Negative counts from the end. */
  readonly stopAtLayer?: number;
  /**
   * Shortformer models: what queries and keys get added, [batch pos d_model], in place of the position embeddings; null
   * for nothing, as TransformerLens does when it starts at a layer.
   */
  readonly shortformerPosEmbed?: Tensor | null;
  /** The tokens, for a loss, where the input is a residual stream. */
  readonly tokens?: ModelInput;
  readonly signal?: AbortSignal;
}

export interface HookOptions {
  readonly fwdHooks?: readonly Hook[];
}

export interface CacheOptions extends HookOptions {
  /** Which hook points to keep: all that TransformerLens computes without flags, unless given. */
  readonly namesFilter?: NamesFilter;
  /** Which positions to keep. */
  readonly posSlice?: PosSlice;
  /** Drop the batch axis, which must be of size 1. */
  readonly removeBatchDim?: boolean;
}

interface RegisteredHook {
  readonly at: Hook[0];
  readonly f: HookFunction;
  readonly permanent: boolean;
}

/** What a model is made of besides its configuration and weights. */
export interface ModelParts {
  readonly tokenizer?: Tokenizer | undefined;
  readonly defaultPrependBos?: boolean | undefined;
  readonly defaultPaddingSide?: "left" | "right" | undefined;
  readonly engine?: Engine | undefined;
  /** What was decided on the reader's behalf while loading and processing, in sentences. */
  readonly notes?: readonly string[];
}

/** A run, traced: what it will compute. The last `names.length` outputs are the captured hook points. */
interface Traced {
  readonly outputs: readonly Tensor[];
  readonly names: readonly string[];
}

/**
 * A transformer language model, each value of whose forward pass can be read and changed. Source: TransformerLens'
 * `HookedTransformer`; methods have its names in camelCase, hook points its names to the letter.
 */
export class HookedTransformer {
  readonly cfg: HookedTransformerConfig;
  readonly weights: Weights;
  /** Text to tokens and back; `undefined` for a model without a tokenizer. */
  readonly text: TokenRules | undefined;
  readonly notes: readonly string[];
  private readonly givenEngine: Engine | undefined;
  private registered: readonly RegisteredHook[] = [];
  private contexts = new Map<string, Record<string, unknown>>();
  private names: readonly string[] | undefined;

  constructor(cfg: HookedTransformerConfig, weights: Weights | ReadonlyMap<string, NDArray>, parts: ModelParts = {}) {
    this.cfg = cfg;
    this.weights = weights instanceof Weights ? weights : new Weights(weights);
    this.notes = parts.notes ?? [];
    this.givenEngine = parts.engine;
    this.text =
      parts.tokenizer &&
      new TokenRules({
        tokenizer: parts.tokenizer,
        nCtx: cfg.nCtx,
        defaultPrependBos: parts.defaultPrependBos ?? cfg.defaultPrependBos,
        ...(parts.defaultPaddingSide ? { defaultPaddingSide: parts.defaultPaddingSide } : {}),
      });
  }

  /**
   * Loads a model and processes its weights as TransformerLens does by default: `foldLn`, `centerWritingWeights`,
   * `centerUnembed`, `foldValueBiases`; `refactorFactoredAttnMatrices` if asked for.
   * @param name the bundled `solu-1l-novels`, a local folder, an alias (`solu-1l`, `gpt2`), or a Hugging Face id
   */
  static async fromPretrained(name: string, options: FromPretrainedOptions = {}): Promise<HookedTransformer> {
    const { cfg, weights, ...parts } = await loadPretrained(name, options);
    return new HookedTransformer(cfg, weights, { ...options, ...parts });
  }

  /** Loads a model with its weights as they are. */
  static fromPretrainedNoProcessing(name: string, options: FromPretrainedOptions = {}): Promise<HookedTransformer> {
    return HookedTransformer.fromPretrained(name, { ...noProcessing, ...options });
  }

  /** The engine that runs this model. */
  get engine(): Engine {
    return this.givenEngine ?? defaultEngine();
  }

  /** Every hook point of this model, in firing order. */
  get hookNames(): readonly string[] {
    if (!this.names) {
      const tokens = Tensor.leaf(zeros("int32", [1, 1]), ["batch", "pos"]);
      const { points } = forward(this.cfg, this.weights, { tokens }, { reads: () => true, hooks: () => false });
      this.names = [...points.keys()];
    }
    return this.names;
  }

  // Text.

  private get tokenRules(): TokenRules {
    if (this.text) return this.text;
    throw new InputError("This model has no tokenizer: pass one when it is made, or use token ids.", {});
  }

  /** Tokens int32 [batch pos] of one or several texts; shorter ones are padded. BOS goes first unless told otherwise. */
  toTokens(input: string | readonly string[], options: ToTokensOptions = {}): Tensor {
    return Tensor.leaf(this.tokenRules.toTokens(input, options), ["batch", "pos"]);
  }
  /** The text of each token; of each text or row of tokens where there are several. */
  toStrTokens(input: string, options?: ToTokensOptions): string[];
  toStrTokens(input: readonly string[], options?: ToTokensOptions): string[][];
  toStrTokens(input: TokenIds | readonly TokenIds[] | Tensor, options?: ToTokensOptions): string[] | string[][];
  toStrTokens(
    input: string | readonly string[] | TokenIds | readonly TokenIds[] | Tensor,
    options: ToTokensOptions = {},
  ): string[] | string[][] {
    return this.tokenRules.toStrTokens((input instanceof Tensor ? ids(input) : input) as string, options);
  }
  /** The text of tokens [pos], or the texts of tokens [batch pos]; special tokens are kept. */
  toString(): string;
  toString(tokens: TokenIds): string;
  toString(tokens: readonly TokenIds[]): string[];
  toString(tokens: Tensor): string | string[];
  toString(tokens?: TokenIds | readonly TokenIds[] | Tensor): string | string[] {
    if (tokens === undefined) return `HookedTransformer(${this.cfg.modelName})`;
    return this.tokenRules.toString((tokens instanceof Tensor ? ids(tokens) : tokens) as NDArray<"int32">);
  }
  /** The id of a text that is one token. @throws InputError if it is not. */
  toSingleToken(text: string): number {
    return this.tokenRules.toSingleToken(text);
  }
  toSingleStrToken(id: number): string {
    return this.tokenRules.toSingleStrToken(id);
  }
  /** Where a token stands in a text or in tokens. @throws InputError if it does not occur. */
  getTokenPosition(
    token: string | number,
    input: string | TokenIds | Tensor,
    mode: "first" | "last" = "first",
    options: ToTokensOptions = {},
  ): number {
    return this.tokenRules.getTokenPosition(token, input instanceof Tensor ? ids(input) : input, mode, options);
  }

  // Runs.

  /** Runs the model. @see ForwardOptions */
  async forward<R extends ReturnType = "logits">(
    input: ModelInput,
    options: ForwardOptions<R> = {},
  ): Promise<Output<R>> {
    const [output] = await this.run(input, options, {}, []);
    return output as Output<R>;
  }

  /** Runs the model with hooks for this run alone. */
  async runWithHooks<R extends ReturnType = "logits">(
    input: ModelInput,
    options: ForwardOptions<R> & HookOptions,
  ): Promise<Output<R>> {
    const [output] = await this.run(input, options, options, []);
    return output as Output<R>;
  }

  /** Runs the model and keeps what its hook points held, as changed by hooks. */
  async runWithCache<R extends ReturnType = "logits">(
    input: ModelInput,
    options: ForwardOptions<R> & CacheOptions = {},
  ): Promise<[Output<R>, ActivationCache]> {
    const [output, values] = await this.run(input, options, options, "cache");
    const cache = new ActivationCache(values, this.cfg.nLayers);
    return [output as Output<R>, options.removeBatchDim ? cache.removeBatchDim() : cache];
  }

  /**
   * The forward pass on one input as a graph: read values by hook name, derive others, change some. Hooks added to the
   * model are not part of it. `model.compute` runs what was derived.
   */
  graph(
    input: ModelInput,
    options: InputOptions & Pick<ForwardOptions, "startAtLayer" | "stopAtLayer" | "tokens"> = {},
  ): ModelGraph {
    const inputs: ForwardInputs = { ...this.inputs(input, options), ...this.bounds(options) };
    return new ModelGraph({ cfg: this.cfg, weights: this.weights, inputs, hookNames: this.hookNames });
  }

  /** Computes values of a graph in one run of this model's engine, and returns them with their numbers. */
  compute(values: readonly Tensor[], options: { readonly signal?: AbortSignal } = {}): Promise<Tensor[]> {
    return this.engine.run(values, options);
  }

  /** What a run with these options would compute: values, segments, and which compiled sessions it would use again. */
  async explain(input: ModelInput, options: ForwardOptions & CacheOptions = {}): Promise<Explanation> {
    return explain(this.engine, async (run) => {
      const traced = await this.trace(input, options, options, options.namesFilter ? "cache" : [], run);
      return traced.outputs;
    });
  }

  private async run(
    input: ModelInput,
    options: ForwardOptions,
    extra: CacheOptions,
    capture: "cache" | readonly string[],
  ): Promise<[Output<ReturnType>, Map<string, Tensor>]> {
    const compute = (outputs: readonly Tensor[]) =>
      this.engine.run(outputs, options.signal ? { signal: options.signal } : {});
    const traced = await this.trace(input, options, extra, capture, compute);
    const results = await compute(traced.outputs);
    const heads = results.slice(0, results.length - traced.names.length);
    const values = new Map(traced.names.map((name, i) => [name, results[heads.length + i]]));
    const both = options.returnType === "both" && options.stopAtLayer === undefined;
    const output = both ? { logits: heads[0], loss: heads[1] } : heads[0];
    return [output as Output<ReturnType>, values];
  }

  private async trace(
    input: ModelInput,
    options: ForwardOptions,
    { fwdHooks = [], namesFilter, posSlice }: CacheOptions,
    capture: "cache" | readonly string[],
    compute: (outputs: readonly Tensor[]) => Promise<Tensor[]>,
  ): Promise<Traced> {
    const { residual, tokens, attentionMask } = this.inputs(input, options);
    const asked = namesFilter === undefined ? [] : resolveFilter(namesFilter, this.hookNames);
    const own = this.place(this.registered);
    const given = this.place(fwdHooks.map(([at, f]) => ({ at, f })));
    const hooked = new Set([...own, ...given].map((h) => h.name));
    const bounds = this.bounds(options);
    const built = forward(
      this.cfg,
      this.weights,
      { tokens, residual, attentionMask, shortformerPosEmbed: options.shortformerPosEmbed, ...bounds },
      { reads: (name) => asked.includes(name), hooks: (name) => hooked.has(name) },
    );
    for (const name of [...asked, ...given.map((h) => h.name)]) {
      if (!built.points.has(name)) {
        throw new ArgumentError(
          `"${name}" is not reached by this run, which goes from layer ${bounds.startAtLayer ?? 0} to ${bounds.stopAtLayer ?? "the logits"}.`,
          { asked: name, found: [...built.points.keys()] },
        );
      }
    }
    const names = capture === "cache" ? (asked.length > 0 ? asked : [...built.points.keys()]) : capture;
    const clean = [...names.map((name) => built.points.get(name)!), built.output];
    const rewrite = await traceHooks(built.points, clean, [...own, ...given], this.contexts, compute);
    const heads = this.heads(rewrite, built.output, options, tokens, attentionMask);
    const values = names.map((name) => rewrite.get(built.points.get(name)!));
    return {
      outputs: [...heads, ...values.map((v) => (posSlice === undefined ? v : slicePositions(v, posSlice)))],
      names,
    };
  }

  /** What a run returns, as values of its graph. */
  private heads(
    rewrite: Rewrite,
    clean: Tensor,
    options: ForwardOptions,
    tokens: Tensor | undefined,
    mask: Tensor | undefined,
  ): Tensor[] {
    const { returnType = "logits" } = options;
    if (options.stopAtLayer !== undefined) return returnType === null ? [] : [rewrite.get(clean)];
    if (returnType === null) return [];
    const logits = rewrite.get(clean);
    if (returnType === "logits") return [logits];
    if (!tokens) {
      throw new ArgumentError("A loss of a run that starts from a residual stream needs `tokens` beside it.", {
        asked: returnType,
      });
    }
    if (tokens.shape[1] < 2) {
      throw new InputError("A loss needs at least two tokens, one to predict from and one to predict.", {
        found: tokens.shape[1],
      });
    }
    const loss = (options.lossPerToken ? lossPerToken : meanLoss)(logits, tokens, mask);
    return returnType === "loss" ? [loss] : [logits, loss];
  }

  private inputs(input: ModelInput, options: ForwardOptions) {
    if (options.startAtLayer === undefined) {
      return { residual: undefined, ...prepareInput(input, options, this.cfg, this.text) };
    }
    if (!(input instanceof Tensor) || input.dtype !== "float32" || input.shape.at(-1) !== this.cfg.dModel) {
      const found = input instanceof Tensor ? `${input.dtype} ${showShape(input)}` : "tokens or text";
      throw new ShapeError(
        `With startAtLayer the input is a residual stream, float32 [batch, pos, d_model ${this.cfg.dModel}], but got ${found}.`,
        { asked: options.startAtLayer, found },
      );
    }
    const residual = input.rename(["batch", "pos", "d_model"].slice(-input.shape.length));
    const text = options.tokens === undefined ? undefined : prepareInput(options.tokens, options, this.cfg, this.text);
    return { residual, tokens: text?.tokens, attentionMask: text?.attentionMask };
  }

  private bounds({ startAtLayer, stopAtLayer }: ForwardOptions) {
    return {
      ...(startAtLayer === undefined ? {} : { startAtLayer: layerIndex("startAtLayer", startAtLayer, this.cfg) }),
      ...(stopAtLayer === undefined ? {} : { stopAtLayer: layerIndex("stopAtLayer", stopAtLayer, this.cfg) }),
    };
  }

  private place(hooks: readonly { readonly at: Hook[0]; readonly f: HookFunction }[]): PlacedHook[] {
    return hooks.flatMap(({ at, f }) => resolveFilter(at, this.hookNames).map((name) => ({ name, f })));
  }

  // Hooks that stay.

  /** This model with hooks, as another model on the same weights: `await model.hooks({ fwdHooks }).forward(text)`. */
  hooks({ fwdHooks = [] }: HookOptions): HookedTransformer {
    const scoped = Object.create(HookedTransformer.prototype) as HookedTransformer;
    Object.assign(scoped, this);
    scoped.registered = [...this.registered, ...fwdHooks.map(([at, f]) => ({ at, f, permanent: false }))];
    scoped.contexts = new Map();
    scoped.place(scoped.registered);
    return scoped;
  }

  /** Adds a hook to every run from now on, until `resetHooks`. `prepend` puts it before those already there. */
  addHook(
    at: Hook[0],
    f: HookFunction,
    { isPermanent = false, prepend = false }: { readonly isPermanent?: boolean; readonly prepend?: boolean } = {},
  ): void {
    const hook = { at, f, permanent: isPermanent };
    this.place([hook]);
    this.registered = prepend ? [hook, ...this.registered] : [...this.registered, hook];
  }

  /** Adds a hook that `resetHooks` leaves, unless told otherwise. */
  addPermaHook(at: Hook[0], f: HookFunction): void {
    this.addHook(at, f, { isPermanent: true });
  }

  /** Removes added hooks, and what they remembered. */
  resetHooks({ includingPermanent = false }: { readonly includingPermanent?: boolean } = {}): void {
    this.registered = includingPermanent ? [] : this.registered.filter((h) => h.permanent);
    this.contexts = new Map();
  }

  // Weights, stacked over layers.

  /** Unembedding [d_model d_vocab]. */
  get W_U(): Tensor {
    return this.weights.get("unembed.W_U");
  }
  get b_U(): Tensor {
    return this.weights.get("unembed.b_U");
  }
  /** Token embedding [d_vocab d_model]. */
  get W_E(): Tensor {
    return this.weights.get("embed.W_E");
  }
  /** Position embedding [pos d_model]. */
  get W_pos(): Tensor {
    return this.weights.get("pos_embed.W_pos");
  }
}

/** Computed tokens as the text layer takes them. */
function ids(tokens: Tensor): NDArray<"int32"> {
  if (tokens.dtype === "int32" && tokens.array) return tokens.array as NDArray<"int32">;
  throw new ShapeError(`Tokens are computed int32 values, but got ${tokens.dtype} ${showShape(tokens)}.`, {
    asked: "int32",
    found: tokens.dtype,
  });
}
