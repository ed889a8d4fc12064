/** The settings of a `tokenizer_config.json` that change tokens, each checked. */
import { FileFormatError } from "../../tensor/errors.ts";
import { shown } from "../../tensor/show.ts";
import { type Fields, isFields } from "../component.ts";

export interface Settings {
  readonly addPrefixSpace: boolean | undefined;
  readonly addBos: boolean | undefined;
  readonly addEos: boolean | undefined;
  /** Of Llama: a space is put before every stretch between special tokens, not only before the first. */
  readonly legacy: boolean;
  readonly lowercase: boolean;
  /** Undefined: if lower case is. */
  readonly stripAccents: boolean | undefined;
  readonly chinese: boolean;
  /** Of T5: how many `<extra_id_…>` there are. */
  readonly extraIds: number;
  /** The token for unknown text, if it is not the class' own. */
  readonly unknown: string | undefined;
}

/** T5 has 100; this many would be a mistake. */
const MOST_EXTRA_IDS = 10_000;

/** @throws FileFormatError for a setting of the wrong kind */
export function settingsOf(tokenizerConfig: unknown): Settings {
  const config = isFields(tokenizerConfig) ? tokenizerConfig : {};
  const flag = (name: string) => flagOf(config, name);
  return {
    addPrefixSpace: flag("add_prefix_space"),
    addBos: flag("add_bos_token"),
    addEos: flag("add_eos_token"),
    legacy: flag("legacy") ?? false,
    lowercase: flag("do_lower_case") ?? true,
    stripAccents: flag("strip_accents"),
    chinese: flag("tokenize_chinese_chars") ?? true,
    extraIds: extraIds(config),
    unknown: contentOf(config.unk_token),
  };
}

/** Null counts as left out. */
function flagOf(config: Fields, name: string): boolean | undefined {
  const value = config[name] ?? undefined;
  if (value === undefined || typeof value === "boolean") return value;
  throw wrong(name, "true or false", value);
}

/** A token is written as a string or as an object; whatever else it is, is refused where special tokens are read. */
function contentOf(token: unknown): string | undefined {
  const content = isFields(token) ? token.content : token;
  return typeof content === "string" ? content : undefined;
}

function extraIds({ extra_ids: value = 100 }: Fields): number {
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MOST_EXTRA_IDS) return value as number;
  throw wrong("extra_ids", `a whole number up to ${MOST_EXTRA_IDS}`, value);
}

function wrong(name: string, wanted: string, found: unknown): FileFormatError {
  return new FileFormatError(`"${name}" of a tokenizer_config.json must be ${wanted}, not ${shown(found)}.`, {
    asked: name,
    found,
  });
}
