/** What models have in common as their users meet them: text, runs, hooks, parts that are spliced in. */
import type { Dictionary } from "../dictionaries/dictionary.ts";
import type { WithDictionariesOptions } from "../dictionaries/placed.ts";
import { defaultEngine } from "../engine/default.ts";
import { Engine } from "../engine/engine.ts";
import { showShape } from "../graph/axes.ts";
import { Tensor } from "../graph/tensor.ts";
import type { HookedTransformerConfig } from "../models/config/config.ts";
import { configLine } from "../models/config/config-line.ts";
import { parseConfig } from "../models/config/parse.ts";
import { ownWeights } from "../models/families/own.ts";
import { recordingOf } from "../models/recording.ts";
import { checkWeights } from "../models/weights/check.ts";
import { Weights } from "../models/weights/weights.ts";
import { type NDArray, ndarray } from "../tensor/array.ts";
import { showAs } from "../tensor/display.ts";
import { ArgumentError, ShapeError, UnknownNameError } from "../tensor/errors.ts";
import { ANYTHING, FLAG, instanceOf, listOf, oneOf, SIGNAL, TEXT } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import { shown } from "../tensor/show.ts";
import { type ChatMessage, type ChatOptions, chatText } from "../text/chat.ts";
import { notedPadding } from "../text/padding.ts";
import type { TokenIds } from "../text/token-ids.ts";
import { TokenRules, type ToTokensOptions } from "../text/token-rules.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { ActivationCache } from "./activation-cache.ts";
import { placedDictionaries } from "./dictionaries.ts";
import type { Explanation } from "./explain.ts";
import { TOKENIZER } from "./from-pretrained.ts";
import type { GeneratedStep, GenerateOptions } from "./generate.ts";
import { HookContexts } from "./hook-contexts.ts";
import { resolveFilter } from "./hook-names.ts";
import type { Hook, HookFunction, PlacedHook } from "./hooks.ts";
import { ModelGraph } from "./model-graph.ts";
import type { InputOptions } from "./model-input.ts";
import { givesNamedWeights, type NamedWeights } from "./named-weights.ts";
import { placeHooks, type RunSource, run, runInputs, traceRun } from "./run.ts";
import {
  type CacheOptions,
  checkBounds,
  checkRun,
  FORWARD,
  type ForwardOptions,
  GRAPH,
  HOOKS,
  type HookOptions,
  type Output,
  type ReturnType,
  RUN_WITH_CACHE,
  RUN_WITH_HOOKS,
  type RunBounds,
} from "./run-options.ts";
import { type Part, type SpliceOptions, type Splices, spliced } from "./splices.ts";
import { isTexts, type ModelInput, needText } from "./tokens.ts";

/** Which pass a hook is for: the forward pass, with the value at its point, or the backward pass, with the gradient there. */
type Direction = "fwd" | "bwd";

interface RegisteredHook {
  readonly at: Hook[0];
  readonly f: HookFunction;
  readonly dir: Direction;
  readonly permanent: boolean;
}

/** What a generation returns: text for text and tokens for tokens, or always one of them. */
type Generated = "input" | "str" | "tokens";

/** A conversation as a text, and as tokens int32 [1 pos]. */
export interface Chat {
  readonly text: string;
  readonly tokens: Tensor;
}

/** Which hooks to remove. */
interface RemoveOptions {
  /** Those on values, those on gradients, or both (the default). */
  readonly dir?: Direction | "both" | undefined;
  readonly includingPermanent?: boolean | undefined;
}

// `dir`'s own error is better; it is thrown where it is read.
const REMOVE: OptionKinds<RemoveOptions> = { dir: ANYTHING, includingPermanent: FLAG };
const ADD_HOOK = { dir: ANYTHING, isPermanent: FLAG, prepend: FLAG };
const COMPUTE = { signal: SIGNAL };

/** What a model is made of, apart from its configuration and weights. */
export interface ModelParts {
  readonly tokenizer?: Tokenizer | undefined;
  readonly defaultPrependBos?: boolean | undefined;
  readonly defaultPaddingSide?: "left" | "right" | undefined;
  readonly engine?: Engine | undefined;
  /** Decisions made for you while loading and processing, as sentences. */
  readonly notes?: readonly string[];
}

const PARTS: OptionKinds<ModelParts> = {
  tokenizer: TOKENIZER,
  defaultPrependBos: FLAG,
  defaultPaddingSide: oneOf(["left", "right"]),
  engine: instanceOf(Engine, "an Engine"),
  notes: listOf(TEXT, "sentences"),
};

/** Weights that a caller passed, as leaves. */
function given(cfg: HookedTransformerConfig, arrays: ReadonlyMap<string, NDArray>) {
  const { weights, notes } = ownWeights(cfg, arrays);
  return { weights: new Weights(cfg, weights), notes };
}

/** Another model's weights, which must be those of this configuration too. */
function shared(cfg: HookedTransformerConfig, weights: Weights) {
  checkWeights(cfg, new Map([...weights.entries()].map(([name, { array }]) => [name, array!])));
  return { weights, notes: [] };
}

/**
 * A model in whose forward pass every value can be read and changed. Source: TransformerLens' `HookedRootModule`; methods have
 * its names in camelCase, hook points have exactly its names.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the properties are there: `givesNamedWeights`, below.
export abstract class HookedRoot {
  readonly cfg: HookedTransformerConfig;
  readonly weights: Weights;
  /** Text to tokens and back; `undefined` for a model without a tokenizer. */
  readonly text: TokenRules | undefined;
  readonly notes: readonly string[];
  protected readonly givenEngine: Engine | undefined;
  private registered: readonly RegisteredHook[] = [];
  private contexts = new HookContexts();
  /** The parts that stand at hook points of this view; `undefined` where there are none. @see splice */
  readonly splices: Splices | undefined;

  /**
   * A model from your own configuration and weights. The weights are checked against the configuration as `fromPretrained`
   * does; those of a file can be passed as `readPth` or `readSafetensors` returns them, in TransformerLens' names: masks and
   * a wrapper's prefix are removed, missing biases are 0, and `notes` says so.
   * @throws ConfigError for a configuration that cannot be run, WeightsError for weights that are not its own, ArgumentError
   * for a part that does not exist
   */
  constructor(cfg: HookedTransformerConfig, weights: Weights | ReadonlyMap<string, NDArray>, parts: ModelParts = {}) {
    checkOptions(`new ${new.target.name}`, parts, PARTS);
    this.cfg = parseConfig(cfg as unknown as Readonly<Record<string, unknown>>);
    const own = weights instanceof Weights ? shared(this.cfg, weights) : given(this.cfg, weights);
    this.weights = own.weights;
    this.notes = [...(parts.notes ?? []), ...own.notes];
    this.givenEngine = parts.engine;
    this.text =
      parts.tokenizer &&
      new TokenRules({
        tokenizer: parts.tokenizer,
        nCtx: this.cfg.nCtx,
        dVocab: this.cfg.dVocab,
        defaultPrependBos: parts.defaultPrependBos ?? this.cfg.defaultPrependBos,
        defaultPaddingSide: parts.defaultPaddingSide,
      });
  }

  /** The engine that runs this model. */
  get engine(): Engine {
    return this.givenEngine ?? defaultEngine();
  }

  /** Every hook point of this model, in firing order. */
  get hookNames(): readonly string[] {
    return this.splices?.hookNames ?? recordingOf(this.cfg).hookNames;
  }

  // Text.

  protected get tokenRules(): TokenRules {
    return needText(this);
  }

  /**
   * Tokens int32 [batch pos] of one or several texts; shorter ones are padded. By default BOS goes first, and a text longer than
   * the context is cut at its end, which a run on a text never does: it refuses the text. A run on the
   * returned tokens masks the padding. Of values made from them (some rows, some positions) nothing is known to be padding:
   * pass `attentionMask` there.
   */
  toTokens(input: string | readonly string[], options: ToTokensOptions = {}): Tensor {
    return Tensor.leaf(this.tokenRules.toTokens(input, options), ["batch", "pos"]);
  }

  /**
   * A conversation as the tokenizer's chat template writes it: its text, and its tokens int32 [1 pos]. The template decides about BOS,
   * so none is added: pass on the tokens, or the text with `prependBos: false`.
   * @throws InputError for a tokenizer without a template, or messages that it refuses
   */
  toChat(messages: readonly ChatMessage[], options: ChatOptions = {}): Chat {
    const { tokenizer } = this.tokenRules;
    const text = chatText(messages, tokenizer, options);
    const ids = Int32Array.from(tokenizer.encode(text, { addSpecialTokens: false }));
    return { text, tokens: Tensor.leaf(ndarray("int32", [1, ids.length], ids), ["batch", "pos"]) };
  }

  /** The text of each token; for several texts or rows of tokens, a list for each. */
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
    if (tokens === undefined) return `${this.constructor.name}(${this.cfg.modelName})`;
    return this.tokenRules.toString((tokens instanceof Tensor ? ids(tokens) : tokens) as NDArray<"int32">);
  }
  /** The id of a text that is one token. @throws InputError if it is not. */
  toSingleToken(text: string): number {
    return this.tokenRules.toSingleToken(text);
  }
  /** The text of one token. @throws InputError for an id outside the vocabulary. */
  toSingleStrToken(id: number): string {
    return this.tokenRules.toSingleStrToken(id);
  }
  /** The position of a token in a text or in tokens. @throws InputError if it does not occur. */
  getTokenPosition(
    token: string | number,
    input: string | TokenIds | Tensor,
    mode: "first" | "last" = "first",
    options: ToTokensOptions = {},
  ): number {
    return this.tokenRules.getTokenPosition(token, input instanceof Tensor ? ids(input) : input, mode, options);
  }

  // Generation.

  /**
   * Continues a prompt, or several; an encoder-decoder writes what follows it, after the token that its decoder begins with. By
   * default it returns text for text and tokens [batch pos] for tokens; `returnType` can change this. Text comes without special
   * tokens. @see GenerateOptions
   */
  generate(
    input: string,
    options?: GenerateOptions & { readonly returnType?: "input" | "str" | undefined },
  ): Promise<string>;
  generate(
    input: readonly string[],
    options?: GenerateOptions & { readonly returnType?: "input" | "str" | undefined },
  ): Promise<string[]>;
  generate(
    input: ModelInput,
    options?: GenerateOptions & { readonly returnType?: "input" | "tokens" | undefined },
  ): Promise<Tensor>;
  generate(input: ModelInput, options: GenerateOptions & { readonly returnType: "str" }): Promise<string | string[]>;
  async generate(
    input: ModelInput,
    options: GenerateOptions & { readonly returnType?: Generated | undefined } = {},
  ): Promise<string | string[] | Tensor> {
    const steps = this.generateStream(input, options);
    for (;;) {
      const { done, value } = await steps.next();
      if (done) return this.generated(value, input, options.returnType);
    }
  }

  /** Continues a prompt, or several, yielding each token as it is made, and returns all tokens at the end. */
  abstract generateStream(input: ModelInput, options?: GenerateOptions): AsyncGenerator<GeneratedStep, Tensor>;

  /** What a generation returns: its tokens, or for texts their texts, without special tokens, unless asked otherwise. */
  private generated(tokens: Tensor, input: ModelInput, returnType: Generated = "input"): string | string[] | Tensor {
    const isText = typeof input === "string" || isTexts(input);
    if (returnType === "tokens" || (returnType !== "str" && !isText)) return tokens;
    const text = this.tokenRules;
    const [batch, pos] = tokens.shape;
    // Neither padding in front nor the filling after a row's end is of its text.
    const kept = notedPadding(tokens.array!)!.data;
    const texts = Array.from({ length: batch }, (_, b) =>
      text.decode(
        [...tokens.row(b).data].filter((_, p) => kept[b * pos + p]),
        { skipSpecialTokens: true },
      ),
    );
    return texts.length === 1 && !Array.isArray(input) ? texts[0] : texts;
  }

  // Runs.

  /** Runs the model. @see ForwardOptions */
  async forward<R extends ReturnType = "logits">(
    input: ModelInput,
    options: ForwardOptions<R> = {},
  ): Promise<Output<R>> {
    checkRun("forward", options, FORWARD, this.cfg);
    return run(this.source(), input, options, false, (output) => output as Output<R>);
  }

  /** Runs the model with hooks for this run only. */
  async runWithHooks<R extends ReturnType = "logits">(
    input: ModelInput,
    options: ForwardOptions<R> & HookOptions,
  ): Promise<Output<R>> {
    checkRun("runWithHooks", options, RUN_WITH_HOOKS, this.cfg);
    return run(this.source(), input, options, false, (output) => output as Output<R>);
  }

  /** Runs the model and keeps the values at its hook points, as changed by hooks; with `inclBwd` also their gradients. */
  async runWithCache<R extends ReturnType = "logits">(
    input: ModelInput,
    options: ForwardOptions<R> & CacheOptions = {},
  ): Promise<[Output<R>, ActivationCache]> {
    checkRun("runWithCache", options, RUN_WITH_CACHE, this.cfg);
    return run(this.source(), input, options, true, (output, values): [Output<R>, ActivationCache] => {
      const cache = new ActivationCache(values, this);
      return [output as Output<R>, options.removeBatchDim ? cache.removeBatchDim() : cache];
    });
  }

  /**
   * The forward pass on one input as a graph: read values by hook name, derive others, change some. Hooks added to the
   * model are not part of it, and measures and analyses refuse a model that has some. `model.compute` runs what was derived.
   */
  graph(input: ModelInput, options: InputOptions & RunBounds = {}): ModelGraph {
    checkOptions("graph", options, GRAPH);
    checkBounds("graph", options, this.cfg);
    const inputs = runInputs(this, input, options);
    const { cfg, weights, hookNames, splices } = this;
    return new ModelGraph({ cfg, weights, inputs, hookNames, splices });
  }

  /** Computes values of a graph in one run of this model's engine, and returns them with their numbers. */
  async compute(
    values: readonly Tensor[],
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Tensor[]> {
    checkOptions("compute", options, COMPUTE);
    if (!Array.isArray(values) || Array.from(values).some((value) => !(value instanceof Tensor))) {
      throw new ArgumentError(`compute needs a list of Tensors, not ${shown(values)}.`, { asked: values });
    }
    return this.engine.run(values, options);
  }

  /** What a run with these options would compute: values, segments, and which compiled sessions it would use again. */
  async explain(input: ModelInput, options: ForwardOptions & CacheOptions = {}): Promise<Explanation> {
    checkRun("explain", options, RUN_WITH_CACHE, this.cfg);
    const turn = options.pastKvCache?.turn(this);
    const trace = async (compute: (outputs: readonly Tensor[]) => Promise<Tensor[]>) => {
      const traced = await traceRun(this.source(), input, options, options.namesFilter !== undefined, compute, turn);
      return [...traced.heads, ...traced.values.values(), ...traced.keysValues];
    };
    try {
      const { explain } = await import("./explain.ts");
      return await explain(this.engine, trace, options.signal);
    } finally {
      turn?.end();
    }
  }

  private source(): RunSource {
    const { cfg, weights, text, engine, hookNames, contexts, splices } = this;
    const standing = this.place(this.registered.filter(({ dir }) => dir === "fwd"));
    const standingBwd = this.place(this.registered.filter(({ dir }) => dir === "bwd"));
    return { cfg, weights, text, engine, hookNames, contexts, splices, standing, standingBwd };
  }

  private place(hooks: readonly { readonly at: Hook[0]; readonly f: HookFunction }[]): PlacedHook[] {
    return placeHooks(
      hooks.map(({ at, f }): Hook => [at, f]),
      this.hookNames,
    );
  }

  // Hooks that stay.

  /** This model with hooks, as another model on the same weights: `await model.hooks({ fwdHooks }).forward(text)`. */
  hooks(options: HookOptions): this {
    checkOptions("hooks", options, HOOKS);
    const { fwdHooks = [], bwdHooks = [] } = options;
    for (const hooks of [fwdHooks, bwdHooks]) placeHooks(hooks, this.hookNames);
    const added = (hooks: readonly Hook[], dir: Direction) =>
      hooks.map(([at, f]): RegisteredHook => ({ at, f, dir, permanent: false }));
    return this.view({ registered: [...this.registered, ...added(fwdHooks, "fwd"), ...added(bwdHooks, "bwd")] });
  }

  /**
   * This model with a part at a hook point, or at every point that a test accepts, as another model on the same weights:
   * what the part returns takes the value's place. The points that it names in its scope are hook points like the model's own,
   * named after the point and firing before it: they can be read, hooked, patched, swept, generated with and differentiated.
   * The model's hooks stay, and get what the part returned. A second part at the same point gets what the first one returned.
   *
   * ```
   * const view = model.splice("blocks.0.mlp.hook_post", (x, scope) => {
   *   const W_enc = scope.weight("sae.W_enc", { d_mlp: 512, d_sae: 4096 }, "drawn");
   *   const acts = scope.point("sae.hook_acts", x.matmul(W_enc).relu());
   *   return acts.matmul(scope.weight("sae.W_dec", { d_sae: 4096, d_mlp: 512 }, "drawn"));
   * });
   * await view.runWithCache(text, { namesFilter: "blocks.0.mlp.hook_post.sae.hook_acts" });
   * ```
   * @throws UnknownNameError for an unknown point, with the closest match; ArgumentError, ShapeError for a part that returns
   * anything but a value of the same shape, or names a point that exists already; WeightsError for weights that the part does
   * not use, or with the wrong shape
   */
  splice(at: Hook[0], part: Part, options: SpliceOptions = {}): this {
    return this.view({ splices: spliced(this, resolveFilter(at, this.hookNames), part, options) });
  }

  /**
   * This model with sparse dictionaries at their hook points, as another model on the same weights: an autoencoder stands at the point
   * that it reads, a transcoder at the one that it writes. Hook points of each, under its hook point's own name, which stays:
   * `hook_sae_input`, `hook_sae_acts_pre`, `hook_sae_acts_post` (the features) [batch pos d_sae], `hook_sae_recons`, with an error term
   * `hook_sae_error`, and `hook_sae_output`. The error term is what the dictionary misses without hooks, a constant for gradients: with it
   * an edit of features moves the output by exactly their difference times `W_dec`.
   *
   * ```
   * const sae = await Dictionary.fromPretrained("jbloom/GPT2-Small-SAEs-Reformatted", { id: "blocks.8.hook_resid_pre" });
   * const view = model.withDictionaries(sae, { useErrorTerm: true });
   * const [, cache] = await view.runWithCache(text, { namesFilter: "blocks.8.hook_resid_pre.hook_sae_acts_post" });
   * ```
   * @throws UnknownNameError for a hook point that this model lacks; ShapeError for another width, with the points of that width;
   * ArgumentError for a second dictionary at a point, or one of another model. Source: SAELens' `HookedSAETransformer`
   */
  withDictionaries(dictionaries: Dictionary | readonly Dictionary[], options: WithDictionariesOptions = {}): this {
    return placedDictionaries(this, dictionaries, options).reduce<this>(
      (view, { at, part, weights }) => view.splice(at, part, { weights }),
      this,
    );
  }

  /** Another model on the same weights, sharing nothing that changes. */
  private view(changed: Partial<Pick<HookedRoot, "splices">> & { registered?: readonly RegisteredHook[] }): this {
    const view = Object.create(Object.getPrototypeOf(this)) as this;
    return Object.assign(view, this, changed, { contexts: new HookContexts() });
  }

  /** Whether hooks stay on this model. */
  get isHooked(): boolean {
    return this.registered.length > 0;
  }

  /**
   * Adds a hook to every run from now on, until `resetHooks`; with `dir: "bwd"` to the gradient at its point, in every run
   * that has gradients. `prepend` puts it before the existing ones.
   */
  addHook(
    at: Hook[0],
    f: HookFunction,
    options: {
      readonly dir?: Direction | undefined;
      readonly isPermanent?: boolean | undefined;
      readonly prepend?: boolean | undefined;
    } = {},
  ): void {
    checkOptions("addHook", options, ADD_HOOK);
    const { dir = "fwd", isPermanent = false, prepend = false } = options;
    checkDirection(dir, ["fwd", "bwd"]);
    const hook = { at, f, dir, permanent: isPermanent };
    this.place([hook]);
    this.registered = prepend ? [hook, ...this.registered] : [...this.registered, hook];
  }

  /** Adds a hook that `resetHooks` leaves in place by default. */
  addPermaHook(at: Hook[0], f: HookFunction, options: { readonly dir?: Direction | undefined } = {}): void {
    checkOptions("addPermaHook", options, { dir: ANYTHING });
    this.addHook(at, f, { ...options, isPermanent: true });
  }

  /** Removes the hooks that were added at some points, and only those. @throws UnknownNameError */
  removeHooks(at: Hook[0], options: RemoveOptions = {}): void {
    checkOptions("removeHooks", options, REMOVE);
    const { dir = "both", includingPermanent = false } = options;
    checkDirection(dir, ["fwd", "bwd", "both"]);
    const gone = new Set(resolveFilter(at, this.hookNames));
    this.registered = this.registered.flatMap((hook) => {
      if (stays(hook, dir, includingPermanent)) return [hook];
      const left = resolveFilter(hook.at, this.hookNames).filter((name) => !gone.has(name));
      return left.length > 0 ? [{ ...hook, at: (name: string) => left.includes(name) }] : [];
    });
  }

  /** Removes added hooks, and what they remembered. */
  resetHooks(options: RemoveOptions = {}): void {
    checkOptions("resetHooks", options, REMOVE);
    const { dir = "both", includingPermanent = false } = options;
    checkDirection(dir, ["fwd", "bwd", "both"]);
    this.registered = this.registered.filter((hook) => stays(hook, dir, includingPermanent));
    this.contexts = new HookContexts();
  }
}

export interface HookedRoot extends NamedWeights {}
givesNamedWeights(HookedRoot.prototype);

/** @throws UnknownNameError for an unknown direction */
function checkDirection(dir: string, known: readonly string[]): void {
  if (known.includes(dir)) return;
  const words = known.map((name) => `"${name}"`).join(", ");
  throw new UnknownNameError("hook direction", typeof dir === "string" ? dir : shown(dir), known, `It is ${words}.`);
}

/** Whether a hook is none of those to be removed. */
function stays(hook: RegisteredHook, dir: Direction | "both", includingPermanent: boolean): boolean {
  return (dir !== "both" && hook.dir !== dir) || (hook.permanent && !includingPermanent);
}

/** Computed tokens as the text layer takes them. */
function ids(tokens: Tensor): NDArray<"int32"> {
  if (tokens.dtype === "int32" && tokens.array) return tokens.array as NDArray<"int32">;
  throw new ShapeError(`Tokens must be computed int32 values, but got ${tokens.dtype} ${showShape(tokens)}.`, {
    asked: "int32",
    found: tokens.dtype,
  });
}

showAs(HookedRoot.prototype, (model) => `${model}: ${configLine(model.cfg)}`);
