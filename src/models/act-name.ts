/** TransformerLens' short ways to write hook names. */
import { ArgumentError } from "../tensor/errors.ts";
import { shortened, shown } from "../tensor/show.ts";

const kinds: Readonly<Record<string, string>> = {
  attn: "pattern",
  attn_logits: "attn_scores",
  key: "k",
  query: "q",
  value: "v",
  mlp_pre: "pre",
  mlp_mid: "mid",
  mlp_post: "post",
};
const parts: Readonly<Record<string, string>> = {
  a: "attn",
  m: "mlp",
  b: "",
  block: "",
  blocks: "",
  attention: "attn",
};
const ofAttention = new Set(["k", "v", "q", "z", "rot_k", "rot_q", "result", "pattern", "attn_scores"]);
const ofMlp = new Set(["pre", "post", "mid", "pre_linear"]);
const ofNorm = new Set(["scale", "normalized"]);

/**
 * The full hook name of a short one: `getActName("k", 6, "a")` and `getActName("k6")` are `blocks.6.attn.hook_k`,
 * `getActName("scale4ln1")` is `blocks.4.ln1.hook_scale`, `getActName("embed")` is `hook_embed`. A full name is
 * returned unchanged. An expert's is `getActName("post0mlp.experts.3")`. Source: TransformerLens' `utils.get_act_name`.
 */
export function getActName(name: string, layer?: number | null, layerType?: string | null): string {
  checkArguments(name, layer, layerType);
  const bare = (layer === undefined || layer === null) && !layerType;
  if (bare && (name.includes(".") || name.startsWith("hook_"))) return name;
  let kind = name;
  let part = layerType ?? "";
  let at = layer ?? undefined;
  const short = /^([a-z]+)(\d+)([a-z]?.*)$/.exec(name);
  if (short) {
    kind = short[1];
    at = Number(short[2]);
    part = short[3];
  }
  kind = of(kinds, kind) ?? kind;
  part = of(parts, part) ?? part;
  if (ofAttention.has(kind)) part = "attn";
  else if (ofMlp.has(kind) && !part.startsWith("mlp.")) part = "mlp";
  if (ofNorm.has(kind) && at === undefined) return `ln_final.hook_${kind}`;
  const prefix = at === undefined ? "" : `blocks.${at}.`;
  return `${prefix}${part ? `${part}.` : ""}hook_${kind}`;
}

function of(words: Readonly<Record<string, string>>, word: string): string | undefined {
  return Object.hasOwn(words, word) ? words[word] : undefined;
}

/** @throws ArgumentError for a name that is not a string, a layer that is not a number, a part that is not a string */
function checkArguments(name: unknown, layer: unknown, part: unknown): void {
  const given = [shown(name), shown(layer), shown(part)];
  if (typeof name !== "string") {
    throw new ArgumentError(`The name of a hook point must be a string, not ${given[0]}.`, { asked: name });
  }
  if (layer !== undefined && layer !== null && !Number.isInteger(layer)) {
    throw new ArgumentError(`The layer of "${shortened(name)}" must be a whole number, not ${given[1]}.`, {
      asked: layer,
    });
  }
  if (part !== undefined && part !== null && typeof part !== "string") {
    throw new ArgumentError(`The part of the layer for "${shortened(name)}" must be a string, not ${given[2]}.`, {
      asked: part,
    });
  }
}
