/** What training code puts around a model's weights: a prefix before each name, and other things next to the model. */
import { WeightsError } from "../../tensor/errors.ts";
import { shortened } from "../../tensor/show.ts";
import { firstOf } from "../../tensor/words.ts";
import type { ModelFamily } from "./family.ts";

/** What `torch.compile`, FSDP and activation checkpointing put into the names of the parts that they wrap, anywhere. */
const WRAPPED = /(^|\.)((_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\.)+/g;

/** @throws WeightsError if two names differ only in such parts */
function withoutParts<T>(raw: ReadonlyMap<string, T>, note: (sentence: string) => void): ReadonlyMap<string, T> {
  const plain = new Map<string, T>();
  const parts = new Set<string>();
  for (const [name, array] of raw) {
    const without = name.replace(WRAPPED, (wrapped, dot: string) => {
      for (const part of wrapped.split(".")) if (part !== "") parts.add(part);
      return dot;
    });
    if (plain.has(without)) {
      throw new WeightsError(
        `The checkpoint holds "${shortened(without, 100)}" twice, plain and wrapped (${[...parts].join(", ")}): save only the one that you want.`,
        { asked: without, found: [...raw.keys()] },
      );
    }
    plain.set(without, array);
  }
  if (parts.size === 0) return raw;
  note(`The weights' names have ${[...parts].map((part) => `"${part}."`).join(" and ")} in the file; it is removed.`);
  return plain;
}

/**
 * The arrays under the names that the family gives them. `torch.compile` and FSDP put a part into names, data parallelism
 * `module.` before each, a class around the model `model.`, and a checkpoint `state_dict.` or the like: whatever
 * precedes the token embedding's name is removed from all that have it. What does not have it is not part of the model, such
 * as an optimizer's state, and is left out. Both are noted.
 * @throws WeightsError if there is a token embedding under two prefixes
 */
export function withoutWrapper<T>(
  stored: ReadonlyMap<string, T>,
  { embedding, prefix: own = "", within = "" }: Pick<ModelFamily, "embedding" | "prefix" | "within">,
  note: (sentence: string) => void,
): ReadonlyMap<string, T> {
  const raw = withoutParts(stored, note);
  const prefixes = new Set<string>();
  for (const name of raw.keys()) {
    if (name !== embedding && !name.endsWith(`.${embedding}`)) continue;
    const before = name.slice(0, -embedding.length);
    const isPart = (part: string) => part !== "" && (before === part || before.endsWith(`.${part}`));
    const part = [own, within].find(isPart) ?? "";
    prefixes.add(before.slice(0, before.length - part.length));
  }
  if (prefixes.size === 0 || prefixes.has("")) return raw;
  const [prefix, another] = prefixes;
  if (another !== undefined) {
    const found = [...prefixes];
    throw new WeightsError(
      `The checkpoint holds a model several times, under ${found.map((p) => `"${shortened(p, 100)}"`).join(", ")}: save only the one that you want.`,
      { asked: embedding, found },
    );
  }
  const inside = new Map<string, T>();
  const beside: string[] = [];
  for (const [name, array] of raw) {
    if (name.startsWith(prefix)) inside.set(name.slice(prefix.length), array);
    else beside.push(name);
  }
  note(
    `The weights' names begin with "${shortened(prefix, 100)}" in the file; it is removed.` +
      (beside.length > 0 ? ` Other names are not the model's and are left out: ${firstOf(beside)}.` : ""),
  );
  return inside;
}
