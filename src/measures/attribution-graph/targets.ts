/** What an attribution graph explains: logits at the last position, or other directions that are read there. */
import { Tensor } from "../../graph/tensor.ts";
import type { Model } from "../../lens/model.ts";
import { ArgumentError, InputError, ShapeError } from "../../tensor/errors.ts";
import { shown } from "../../tensor/show.ts";
import { quoted } from "../../tensor/words.ts";
import { answerToken, tokenText } from "../prompt.ts";

/** A direction that is explained like a logit. */
export interface TargetDirection {
  /** What it is called. */
  readonly label: string;
  /** How much it counts for. Default: 1. */
  readonly weight?: number | undefined;
  /** [d_model], what the unembedding reads is multiplied with it. */
  readonly direction: ArrayLike<number> | Tensor;
}

/** A token, by its id or its text, or a direction. */
export type Target = number | string | TargetDirection;

/** Targets, with the directions in which they read. */
export interface Targets {
  readonly nodes: readonly { readonly token: number; readonly text: string; readonly weight: number }[];
  /** float32 [row d_model] */
  readonly directions: Tensor;
}

/** How many tokens are explained by default. */
export interface TargetShare {
  /** The most tokens. */
  readonly maxNLogits: number;
  /** The probability that they have together, if these are enough. */
  readonly desiredLogitProb: number;
}

/**
 * The targets that were asked for, or the fewest most probable tokens that together have a probability.
 * A token reads in the direction `W_U[:, token] - mean of W_U over the vocabulary`, and counts for its probability.
 * @param probabilities at the last position, [d_vocab]
 * @throws InputError for a text of several tokens, ArgumentError, ShapeError for other targets
 */
export async function readTargets(
  model: Model,
  probabilities: ArrayLike<number>,
  asked: readonly Target[] | undefined,
  share: TargetShare,
  signal?: AbortSignal,
): Promise<Targets> {
  const targets = asked ?? mostProbable(probabilities, share);
  if (targets.length === 0) {
    throw new ArgumentError("targets must name at least one token or direction.", { asked: targets });
  }
  const d = model.cfg.dModel;
  const tokens = targets.flatMap((target) => (typeof target === "object" ? [] : [answerToken(model, target)]));
  const read = await tokenDirections(model, tokens, signal);
  const data = new Float32Array(targets.length * d);
  let token = 0;
  const nodes = targets.map((target, i) => {
    if (typeof target === "object") {
      data.set(directionOf(target, d), i * d);
      return { token: model.cfg.dVocabOut + i, text: target.label, weight: target.weight ?? 1 };
    }
    data.set(read.subarray(token * d, (token + 1) * d), i * d);
    const id = tokens[token++];
    return { token: id, text: tokenText(model, id), weight: probabilities[id] };
  });
  return { nodes, directions: Tensor.leaf({ dtype: "float32", shape: [targets.length, d], data }, ["row", "d_model"]) };
}

/**
 * The difference of two tokens' logits as a direction that is explained.
 * @throws InputError for texts of several tokens, or twice the same token
 */
export async function differenceOf(
  model: Model,
  answer: string | number,
  wrong: string | number,
  signal?: AbortSignal,
): Promise<TargetDirection> {
  const ids = [answerToken(model, answer), answerToken(model, wrong)];
  const [right, other] = ids.map((id) => tokenText(model, id));
  if (ids[0] === ids[1]) {
    throw new InputError(`The answer and the wrong answer are both ${quoted(right)}: give two different tokens.`, {
      asked: ids[0],
    });
  }
  const directions = await tokenDirections(model, ids, signal);
  const d = model.cfg.dModel;
  const direction = Array.from({ length: d }, (_, i) => directions[i] - directions[d + i]);
  return { label: `${right} −${other}`, direction };
}

/** The directions in which tokens' logits, less the mean of all, are read: [row d_model], as one run of numbers. */
async function tokenDirections(model: Model, tokens: readonly number[], signal?: AbortSignal): Promise<Float32Array> {
  if (tokens.length === 0) return new Float32Array(0);
  const W_U = model.weights.get("unembed.W_U");
  const index = Tensor.leaf({ dtype: "int32", shape: [tokens.length], data: Int32Array.from(tokens) }, ["row"]);
  const chosen = W_U.gather("d_vocab", index).sub(W_U.mean("d_vocab", true));
  const [directions] = await model.compute([chosen.transpose()], { signal });
  return directions.data as Float32Array;
}

function directionOf({ label, direction }: TargetDirection, d: number): ArrayLike<number> {
  const numbers = direction instanceof Tensor ? direction.data : direction;
  if (numbers.length === d && Array.from(numbers).every(Number.isFinite)) return numbers;
  throw new ShapeError(
    `The direction of the target ${shown(label)} must be ${d} numbers, as many as the model's d_model, but there are ${numbers.length}.`,
    { asked: numbers.length, found: d },
  );
}

/** The fewest tokens, the most probable first, that together have a probability, or as many as there may be. */
function mostProbable(probabilities: ArrayLike<number>, { maxNLogits, desiredLogitProb }: TargetShare): number[] {
  const order = Array.from(probabilities, (_, i) => i).sort((a, b) => probabilities[b] - probabilities[a]);
  let sum = 0;
  const enough = order.findIndex((token) => (sum += probabilities[token]) >= desiredLogitProb);
  return order.slice(0, Math.min(maxNLogits, enough < 0 ? order.length : enough + 1));
}
