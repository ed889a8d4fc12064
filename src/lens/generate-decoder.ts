/** Writing with a decoder, token by token, about what an encoder has read. */
import type { Tensor } from "../graph/tensor.ts";
import { compose } from "../models/compose.ts";
import { untilAborted } from "../tensor/abort.ts";
import { needMemory } from "../tensor/free-memory.ts";
import { checkOptions } from "../tensor/options.ts";
import { continued, GENERATE, type GeneratedStep, type GenerateOptions, table } from "./generate.ts";
import { KeyValueCache } from "./key-value-cache.ts";
import type { HookedModel } from "./model.ts";
import { inputOptions, type PreparedInput, prepareInput } from "./model-input.ts";
import { checkSampling } from "./sampling.ts";
import type { ModelInput } from "./tokens.ts";
import { tracePass } from "./trace-pass.ts";

/**
 * Writes for one or several inputs, yielding each step as it is made: from the decoder's first token, or from `decoderInput`,
 * rows of which must be of equal length. The encoder runs once, and the decoder keeps its keys and values, its own and those
 * that it made of the encoder; with hooks, or without `usePastKvCache`, each step is a whole run, as in TransformerLens.
 * At the end it returns int32 [batch pos], what the decoder began with and what was added.
 * @throws ArgumentError for sampling options out of range; InputError, ShapeError as `prepareInput`
 */
export async function* generateDecoderSteps(
  model: HookedModel,
  input: ModelInput,
  options: GenerateOptions = {},
): AsyncGenerator<GeneratedStep, Tensor> {
  checkOptions("generate", options, GENERATE);
  checkSampling(options);
  const { usePastKvCache = true, fwdHooks = [], maxNewTokens = 10, signal } = options;
  const prompt = prepareInput(input, inputOptions(options), model.cfg, model.text);
  const start = prompt.decoderTokens!;
  const rows = Array.from({ length: start.shape[0] }, (_, b) => [...start.row(b).data]);
  const isText = rows.map((row) => row.map(() => true));
  const keeps = usePastKvCache && !model.isHooked && fwdHooks.length === 0;
  if (keeps) needKept(model, prompt, rows[0].length + maxNewTokens);
  const whole = (step: number) =>
    model.runWithHooks(prompt.tokens, {
      ...{ attentionMask: prompt.attentionMask, decoderInput: table(rows) },
      ...{ fwdHooks, logitsPos: -1, step, signal },
    });
  const kept = keptSteps(model, prompt, signal);
  return yield* continued(model, { rows, isText }, options, (step, added) =>
    keeps ? kept(added ? table(added.map((id) => [id])) : start) : whole(step),
  );
}

/** From the decoder's next tokens, int32 [batch pos], to the last one's logits, keeping keys and values from call to call. */
function keptSteps(
  model: HookedModel,
  { tokens, attentionMask }: PreparedInput,
  signal: AbortSignal | undefined,
): (next: Tensor) => Promise<Tensor> {
  const cache = new KeyValueCache();
  const layers = compose(model.cfg).decoder!.blocks.length;
  const keysValues = (points: ReadonlyMap<string, Tensor>, part: string) =>
    Array.from({ length: layers }, (_, layer) =>
      ["k", "v"].map((x) => points.get(`decoder.${layer}.${part}.hook_${x}`)!),
    ).flat();
  let encoded: readonly { readonly keys: Tensor; readonly values: Tensor }[] | undefined;
  return async (next) => {
    const turn = cache.turn(model);
    try {
      turn.mask({ tokens: next, attentionMask: undefined });
      const inputs = encoded ? { encoded, past: turn.layers } : { tokens };
      const { output, points } = tracePass(model, { ...inputs, attentionMask, decoderTokens: next });
      const own = keysValues(points, "attn");
      const cross = encoded ? [] : keysValues(points, "cross_attn");
      const wanted = [output.at({ pos: [next.shape[1] - 1] }), ...own, ...cross];
      const [logits, ...found] = await untilAborted(model.engine.run(wanted, { signal }), signal);
      turn.commit(found.slice(0, own.length));
      const made = found.slice(own.length);
      encoded ??= Array.from({ length: layers }, (_, layer) => ({
        keys: made[2 * layer],
        values: made[2 * layer + 1],
      }));
      return logits;
    } finally {
      turn.end();
    }
  };
}

/** What is kept at the end: the decoder's own keys and values, twice while they grow, and those that it made of the encoder. */
function needKept({ cfg, engine }: HookedModel, { tokens }: PreparedInput, length: number): void {
  const { blocks } = compose(cfg).decoder!;
  const numbers = blocks.reduce((sum, { attention }) => sum + attention.keyValueHeads * attention.d_head, 0);
  const [batch, pos] = tokens.shape;
  needMemory({
    what: `Generating for ${batch} inputs up to ${length} tokens each`,
    ...{ bytes: 2 * 4 * batch * numbers * (3 * length + pos), limit: engine.memoryBytes },
    advice: "pass fewer inputs at a time, or ask for fewer new tokens, or keep no cache (usePastKvCache: false)",
  });
}
