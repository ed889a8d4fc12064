/** Whether a `tokenizer.json` has the parts that its class would build. */
import { type Fields, isFields } from "../component.ts";
import type { Frame } from "../post-processor.ts";
import { rebuilds, tokenizerClass } from "./index.ts";
import type { Settings } from "./settings.ts";
import type { Role } from "./tokenizer-class.ts";

interface Parts {
  readonly model: unknown;
  readonly normalizer: unknown;
  readonly preTokenizer: unknown;
  /** What it puts around every text. */
  readonly frame: Frame;
}

/**
 * A sentence for the case that `AutoTokenizer` builds something other than the `tokenizer.json` says, so that its ids may differ.
 */
export function rebuiltNote(
  className: string | undefined,
  file: Parts,
  settings: Settings,
  idOf: (role: Role) => number | undefined,
): string | undefined {
  if (className === undefined || !rebuilds(className)) return undefined;
  const own = tokenizerClass(className);
  const built = own?.pipeline?.(settings, charsmapOf(file.normalizer));
  if (built && isFields(file.model)) {
    const { type = built.model.type, ignore_merges = false } = file.model;
    const alike = (a: unknown, b: unknown) => plain(a, settings) === plain(b, settings);
    const ids = (roles: readonly Role[]) => roles.map(idOf).join();
    const framed =
      !own?.around ||
      (ids(own.around.before) === file.frame.before.join() && ids(own.around.after) === file.frame.after.join());
    const asBuilt = framed && type === built.model.type && (ignore_merges ?? false) === false;
    if (asBuilt && alike(file.normalizer, built.normalizer) && alike(file.preTokenizer, built.preTokenizer)) return;
  }
  return `The tokenizer_config.json names the class ${className}, for which transformers 5 rebuilds parts of the tokenizer. Here the tokenizer.json is used, as in the tokenizers library, so AutoTokenizer may give different ids.`;
}

/** transformers takes the map of normalization from the file. */
function charsmapOf(normalizer: unknown): string | undefined {
  const parts = isFields(normalizer) && Array.isArray(normalizer.normalizers) ? normalizer.normalizers : [normalizer];
  const map = parts.find((part) => isFields(part) && part.type === "Precompiled")?.precompiled_charsmap;
  return typeof map === "string" ? map : undefined;
}

/** A component as text, without fields that change no token or are defaults. */
function plain(component: unknown, settings: Settings): string {
  if (isFields(component) && component.type === "Sequence") {
    const parts = component.pretokenizers ?? component.normalizers;
    if (Array.isArray(parts) && parts.length === 1) return plain(parts[0], settings);
  }
  return JSON.stringify(component ?? null, function (this: unknown, key, value) {
    const of = isFields(this) ? this.type : undefined;
    if (key === "trim_offsets" || (key === "use_regex" && value === true)) return undefined;
    if (key === "add_prefix_space" && (of === "Metaspace" || settings.addPrefixSpace !== undefined)) return undefined;
    if (isFields(value) && value.type === "Metaspace")
      return sorted({ prepend_scheme: "always", split: true, ...value });
    return isFields(value) ? sorted(value) : value;
  });
}

const sorted = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1)));
