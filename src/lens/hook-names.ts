/** The names of hook points, typed so that an editor completes them, with suggestions for misspelt ones. */
import { getActName } from "../models/act-name.ts";
import type { BlockPoint } from "../models/parts/block.ts";
import type { EmbeddingNames } from "../models/parts/embedding.ts";
import type { MlmHeadNames } from "../models/parts/mlm-head.ts";
import type { NormNames } from "../models/parts/norm.ts";
import type { PositionNames } from "../models/parts/positions.ts";
import type { TokenTypeNames } from "../models/parts/token-types.ts";
import { ArgumentError, UnknownNameError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";

/** Hook points outside the blocks. */
type ModelPoint =
  | EmbeddingNames["point"]
  | PositionNames["point"]
  | `ln_final.${NormNames["point"]}`
  | `embed.${EmbeddingNames["point"] | PositionNames["point"] | TokenTypeNames["point"] | `ln.${NormNames["point"]}`}`
  | "hook_full_embed"
  | `${"encoder" | "decoder"}_final_ln.${NormNames["point"]}`
  | `mlm_head.${MlmHeadNames["point"]}`;

/** Layers that an editor offers; any number is accepted. */
type Layer =
  | (0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11)
  | (12 | 13 | 14 | 15 | 16 | 17 | 18 | 19 | 20 | 21 | 22 | 23);

/** A point of any layer. Without the record, which has no members, an editor would offer no layer's names. */
type OfAnyLayer = `${"blocks" | "encoder" | "decoder"}.${number}.${BlockPoint}` & Record<never, never>;

/**
 * A hook point's full name: `blocks.0.mlp.hook_mid`. Functions take any string, because a name may be computed, short, or
 * a spliced part's; `satisfies HookName` after a literal or a template makes the compiler refuse what no model has:
 * ``["blocks.0.hook_resid_pre" satisfies HookName, f]``.
 */
export type HookName = ModelPoint | `blocks.${Layer}.${BlockPoint}` | OfAnyLayer;

/** A full name, or TransformerLens' shorthand for one: `"mid0"`, `"embed"`. */
export type HookNameLike = HookName | (string & {});

/** Which hook points: one name, several, or all that a function accepts. */
export type NamesFilter = HookNameLike | readonly HookNameLike[] | ((name: string) => boolean);

/**
 * The hook point that a name means. @throws UnknownNameError naming the closest match.
 */
export function resolveName(name: HookNameLike, known: readonly string[]): string {
  if (typeof name !== "string") {
    throw new ArgumentError(`The name of a hook point must be a string, not ${shown(name)}.`, { asked: name });
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

/** All hook points that a filter means. @throws UnknownNameError for an unknown name, ArgumentError if none is left. */
export function resolveFilter(filter: NamesFilter, known: readonly string[]): string[] {
  if (typeof filter === "function") {
    const matches = known.filter(filter);
    if (matches.length === 0) {
      throw new ArgumentError(
        `The names filter accepts none of the ${known.length} hook points, from "${known[0]}" to "${known.at(-1)}".`,
        { asked: filter, found: known },
      );
    }
    return matches;
  }
  const names = typeof filter === "string" ? [filter] : filter;
  if (!Array.isArray(names)) {
    throw new ArgumentError(
      `Hook points must be named by a string, a list of strings or a test for names, not by ${shown(filter)}.`,
      { asked: filter },
    );
  }
  if (names.length === 0)
    throw new ArgumentError("The names filter is an empty list: leave it out to keep every hook point.");
  return [...new Set(Array.from(names, (name: HookNameLike) => resolveName(name, known)))];
}
