/** Which direction of the residual stream is used for each prompt or position. */
import type { Tensor } from "../graph/tensor.ts";
import { ShapeError } from "../tensor/errors.ts";
import type { AxisSlice } from "./axis-slice.ts";
import type { Cached } from "./cached.ts";
import { residualDirections, type TokenChoice } from "./weight-views.ts";

export interface LogitAttrsOptions {
  /** Tokens whose logits are subtracted: the attributions are then to the logit difference. */
  readonly incorrectTokens?: TokenChoice | undefined;
  /** Which prompts. */
  readonly batchSlice?: AxisSlice | undefined;
  /** Which positions. */
  readonly posSlice?: AxisSlice | undefined;
}

/**
 * `W_U[:, token] - W_U[:, incorrect token]`, [... d_model]. One token is the same for all; a list has one for each prompt
 * (for each position, where the cache has no batch axis); rows of lists one for each prompt and position.
 * @throws ShapeError for a list of another length than there are prompts or positions.
 */
export function logitDirections(cache: Cached, tokens: TokenChoice, incorrect?: TokenChoice): Tensor {
  const right = directions(cache, tokens);
  if (incorrect === undefined) return right;
  const wrong = directions(cache, incorrect);
  if (right.shape.length > 1 && wrong.shape.length > 1 && right.shape.join() !== wrong.shape.join()) {
    throw new ShapeError(
      `tokens are [${right.shape.slice(0, -1)}] and incorrectTokens [${wrong.shape.slice(0, -1)}]: use the same number of both, or one token for all.`,
      { asked: right.shape, found: wrong.shape },
    );
  }
  return right.sub(wrong);
}

function directions(cache: Cached, tokens: TokenChoice): Tensor {
  const directions = residualDirections(cache.model, tokens, cache.model.text);
  const lead = cache.lead;
  const axes =
    directions.shape.length === 2
      ? [lead.has("batch") ? "batch" : "pos"]
      : ["batch", "pos"].slice(0, directions.shape.length - 1);
  const given = directions.axes.slice(0, -1);
  const named = given.every((axis) => lead.has(axis)) ? given : axes;
  named.forEach((axis, i) => {
    const size = lead.get(axis);
    if (directions.shape[i] === size || directions.shape[i] === 1) return;
    throw new ShapeError(
      `tokens have ${directions.shape[i]} entries for axis ${axis}, but the stack has ${size ?? "no such axis"}: use one token, one for each prompt, or one for each prompt and position.`,
      { asked: directions.shape.slice(0, -1), found: [...lead.values()] },
    );
  });
  return directions.rename([...named, "d_model"]);
}
