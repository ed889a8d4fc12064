/** The names of hook points, typed so that an editor completes them, and found again when misspelt. */
import { Tensor } from "../graph/tensor.ts";
import { getActName } from "../models/act-name.ts";
import type { HookedTransformerConfig } from "../models/config.ts";
import { forward } from "../models/forward.ts";
import type { Weights } from "../models/weights.ts";
import { zeros } from "../tensor/array.ts";
import { ArgumentError, UnknownNameError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";

/** Hook points outside the blocks. */
type ModelHook = "hook_embed" | "hook_pos_embed" | "ln_final.hook_scale" | "ln_final.hook_normalized";

/** Hook points of a block, in firing order. */
type BlockHook =
  | "hook_resid_pre"
  | "hook_attn_in"
  | "ln1.hook_scale"
  | "ln1.hook_normalized"
  | "hook_q_input"
  | "hook_k_input"
  | "hook_v_input"
  | "attn.hook_q"
  | "attn.hook_k"
  | "attn.hook_v"
  | "attn.hook_attn_scores"
  | "attn.hook_pattern"
  | "attn.hook_z"
  | "attn.hook_result"
  | "hook_attn_out"
  | "hook_resid_mid"
  | "hook_mlp_in"
  | "ln2.hook_scale"
  | "ln2.hook_normalized"
  | "mlp.hook_pre"
  | "mlp.hook_mid"
  | "mlp.ln.hook_scale"
  | "mlp.ln.hook_normalized"
  | "mlp.hook_post"
  | "hook_mlp_out"
  | "hook_resid_post";

/** Layers that an editor offers; any number is taken. */
type Layer =
  | 0
  | 1
  | 2
  | 3
  | 4
  | 5
  | 6
  | 7
  | 8
  | 9
  | 10
  | 11
  | 12
  | 13
  | 14
  | 15
  | 16
  | 17
  | 18
  | 19
  | 20
  | 21
  | 22
  | 23;

/** A hook point's full name: `blocks.0.mlp.hook_mid`. */
export type HookName = ModelHook | `blocks.${Layer}.${BlockHook}` | (`blocks.${number}.${BlockHook}` & {});

/** A full name, or TransformerLens' shorthand for one: `"mid0"`, `"embed"`. */
export type HookNameLike = HookName | (string & {});

/** Which hook points: one name, several, or all that a function says yes to. */
export type NamesFilter = HookNameLike | readonly HookNameLike[] | ((name: string) => boolean);

/**
 * The hook point that a name means. @throws UnknownNameError naming the nearest there is.
 */
export function resolveName(name: HookNameLike, known: readonly string[]): string {
  if (typeof name !== "string") {
    throw new ArgumentError(`A hook point is named by a string, not by ${shown(name)}.`, { asked: name });
  }
  if (known.includes(name)) return name;
  const full = getActName(name);
  if (known.includes(full)) return full;
  const layers = new Set(known.map((n) => /^blocks\.(\d+)\./.exec(n)?.[1]).filter((l) => l !== undefined)).size;
  const layer = /^blocks\.(-?\d+)\./.exec(full)?.[1];
  const beyond = layer !== undefined && !(Number(layer) >= 0 && Number(layer) < layers);
  const advice = beyond ? `The model has ${layers} layer${layers === 1 ? "" : "s, 0 to " + (layers - 1)}.` : "";
  const inRange = beyond && layers > 0 ? full.replace(/^blocks\.-?\d+/, `blocks.${layers - 1}`) : full;
  const candidates = beyond && known.includes(inRange) ? [inRange] : known;
  throw new UnknownNameError("hook point", name, candidates, advice || "`model.hookNames` lists them all.");
}

/** All hook points that a filter means. @throws UnknownNameError for a name that is none, ArgumentError if none is left. */
export function resolveFilter(filter: NamesFilter, known: readonly string[]): string[] {
  if (typeof filter === "function") {
    const found = known.filter(filter);
    if (found.length === 0) {
      throw new ArgumentError(
        `The names filter says yes to none of the ${known.length} hook points, from "${known[0]}" to "${known.at(-1)}".`,
        { asked: filter, found: known },
      );
    }
    return found;
  }
  const names = typeof filter === "string" ? [filter] : filter;
  if (!Array.isArray(names)) {
    throw new ArgumentError(
      `Hook points are named by a string, a list of strings, or a test for names, not by ${shown(filter)}.`,
      { asked: filter },
    );
  }
  if (names.length === 0)
    throw new ArgumentError("The names filter is an empty list: leave it out to get every hook point.");
  return [...new Set(Array.from(names, (name: HookNameLike) => resolveName(name, known)))];
}

/** Every hook point of a model, in firing order. */
export function hookNamesOf(cfg: HookedTransformerConfig, weights: Weights): readonly string[] {
  const tokens = Tensor.leaf(zeros("int32", [1, 1]), ["batch", "pos"]);
  const { points } = forward(cfg, weights, { tokens }, { reads: () => true, hooks: () => false });
  return [...points.keys()];
}
