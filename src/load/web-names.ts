/** Which files a folder behind a URL has: HTTP does not say, so its config.json does, or the usual names are requested, the most usual first. */
import { FileFormatError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";
import { parseJsonObject } from "./bytes.ts";
import { checkJson } from "./json-check.ts";
import { Unreachable } from "./web-fetch.ts";

/** How to look into a folder. */
export interface Look {
  /** A file's text; undefined if there is none. */
  text(path: string): Promise<string | undefined>;
  isThere(path: string): Promise<boolean>;
}

const CONFIG = "config.json";
const TOKENIZER_CONFIG = "tokenizer_config.json";

/** Of these, the first that exists is read. */
const WEIGHTS = [
  "model.safetensors",
  "model.safetensors.index.json",
  "model_final.pth",
  "model.pth",
  "pytorch_model.bin",
  "pytorch_model.bin.index.json",
];
/** Of these, too: a file, or two that belong together. */
const VOCABULARIES = [["tokenizer.json"], ["tokenizer.model"], ["vocab.json", "merges.txt"], ["vocab.txt"]];

/**
 * The files of a folder.
 * @throws FileFormatError for a config.json whose `files` is not a list of paths
 */
export async function namesThere(look: Look, name: string): Promise<string[]> {
  const config = await look.text(CONFIG);
  const listed = config === undefined ? undefined : filesOf(config, `${name}/${CONFIG}`);
  if (listed) return [CONFIG, ...listed];
  // Without a connection, there are the files that are stored.
  const isThere = (path: string) =>
    look.isThere(path).catch((error) => {
      if (config === undefined || !(error instanceof Unreachable)) throw error;
      return false;
    });
  const first = async (groups: readonly (readonly string[])[]) => {
    for (const [one, ...others] of groups) {
      if (!(await isThere(one))) continue;
      return [one, ...(await those(others, isThere))];
    }
    return [];
  };
  if (config === undefined && !(await isThere("adapter_config.json"))) return [];
  const weights = config === undefined ? ["adapter_model.safetensors"] : WEIGHTS;
  const [found, vocabulary] = await Promise.all([first(weights.map((path) => [path])), first(VOCABULARIES)]);
  const own = config === undefined ? "adapter_config.json" : CONFIG;
  return [own, ...found, ...vocabulary, ...(vocabulary.length > 0 ? await besideTokenizer(look, isThere) : [])];
}

/** What says more about a tokenizer. Since transformers 4.33, its configuration says what the other files said. */
async function besideTokenizer(look: Look, isThere: Look["isThere"]): Promise<string[]> {
  const text = (await isThere(TOKENIZER_CONFIG)) ? await look.text(TOKENIZER_CONFIG) : undefined;
  const own = text === undefined ? [] : [TOKENIZER_CONFIG];
  if (text?.includes('"added_tokens_decoder"')) return own;
  return [...own, ...(await those(["special_tokens_map.json", "added_tokens.json"], isThere))];
}

async function those(paths: readonly string[], isThere: Look["isThere"]): Promise<string[]> {
  const there = await Promise.all(paths.map(isThere));
  return paths.filter((_, i) => there[i]);
}

/** The other files of a folder, if its config.json lists them. */
function filesOf(text: string, what: string): string[] | undefined {
  checkJson(text, what);
  const { files } = parseJsonObject(text, what);
  if (files === undefined) return undefined;
  if (Array.isArray(files) && files.every((path) => typeof path === "string" && path !== "")) return files;
  throw new FileFormatError(
    `\`files\` of ${what} should be a list of the other files in its folder, such as ["model.safetensors", "tokenizer.json"], not ${shown(files)}.`,
    { asked: what, found: files },
  );
}
