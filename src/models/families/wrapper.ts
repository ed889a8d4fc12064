/** What training code puts around a model's weights: a prefix to each name, and other things beside the model. */
import type { NDArray } from "../../tensor/array.ts";
import { WeightsError } from "../../tensor/errors.ts";
import { shortened } from "../../tensor/show.ts";
import type { ModelFamily } from "./family.ts";
import { listed } from "./weights.ts";

/**
 * The arrays under the names that the family gives them. `torch.compile` puts `_orig_mod.` before each name, data parallelism
 * `module.`, a class around the model `model.`, and a checkpoint of a training `state_dict.` or the like: whatever stands
 * before the token embedding's name is taken off all that have it. What has not is beside the model, such as an optimizer's
 * state, and left out. Both are noted.
 * @throws WeightsError if the token embedding is there under two prefixes
 */
export function withoutWrapper(
  raw: ReadonlyMap<string, NDArray>,
  { embedding, prefix: own = "" }: Pick<ModelFamily, "embedding" | "prefix">,
  note: (sentence: string) => void,
): ReadonlyMap<string, NDArray> {
  const prefixes = new Set<string>();
  for (const name of raw.keys()) {
    if (name !== embedding && !name.endsWith(`.${embedding}`)) continue;
    const before = name.slice(0, -embedding.length);
    const isOwn = own !== "" && (before === own || before.endsWith(`.${own}`));
    prefixes.add(isOwn ? before.slice(0, -own.length) : before);
  }
  if (prefixes.size === 0 || prefixes.has("")) return raw;
  const [prefix, another] = prefixes;
  if (another !== undefined) {
    const found = [...prefixes];
    throw new WeightsError(
      `The checkpoint holds a model several times, under ${found.map((p) => `"${shortened(p, 100)}"`).join(", ")}: save the one that is meant by itself.`,
      { asked: embedding, found },
    );
  }
  const inside = new Map<string, NDArray>();
  const beside: string[] = [];
  for (const [name, array] of raw) {
    if (name.startsWith(prefix)) inside.set(name.slice(prefix.length), array);
    else beside.push(name);
  }
  note(
    `The weights' names begin with "${shortened(prefix, 100)}" in the file; it is taken off.` +
      (beside.length > 0 ? ` What has other names is not the model's and left out: ${listed(beside)}.` : ""),
  );
  return inside;
}
