/** The tokenizer among a model's files, whatever form it has, or of another repository that the configuration names. */
import { parseJsonObject } from "../load/bytes.ts";
import type { LoadOptions, ModelFiles } from "../load/files.ts";
import { checkParts } from "../load/json-check.ts";
import { openDefault } from "../load/open.ts";
import { readText } from "../load/text-pieces.ts";
import { FileFormatError, InputError } from "../tensor/errors.ts";
import { TEMPLATES } from "../text/chat.ts";
import type { FilesBeside } from "../text/special-tokens.ts";
import { Tokenizer } from "../text/tokenizer.ts";
import type { VocabularyFile } from "../text/vocabularies/index.ts";

/** Most bytes of a tokenizer's file; the longest have about thirty million. */
const LONGEST_FILE = 256_000_000;

/** The names of SentencePiece's file, the usual one first. */
const SENTENCEPIECE = ["tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "sentencepiece.model"];

/** The files of which one is a tokenizer's vocabulary, as a sentence names them. */
const KINDS = "tokenizer.json, vocab.json with merges.txt, vocab.txt, SentencePiece's tokenizer.model or qwen.tiktoken";

/** What says more about a tokenizer, whatever its form. */
const BESIDE =
  /^(tokenizer_config\.json|special_tokens_map\.json|added_tokens\.json|chat_template\.jinja|additional_chat_templates\/[^/]+\.jinja)$/;

/** The files among these paths that a tokenizer is read from. */
export function tokenizerPaths(paths: readonly string[]): string[] {
  const vocabularies = [
    ["tokenizer.json"],
    ["vocab.json", "merges.txt"],
    ...SENTENCEPIECE.map((name) => [name]),
    ["vocab.txt"],
  ];
  const found = vocabularies.find((names) => names.every((name) => paths.includes(name)));
  const vocabulary = found ?? paths.filter((path) => path.endsWith(".tiktoken"));
  return vocabulary.length === 0 ? [] : [...vocabulary, ...paths.filter((path) => BESIDE.test(path))];
}

/** What is known of a model besides its files: a `config.json`, or the part of it that matters here. */
export interface TokenizerHints {
  readonly model_type?: unknown;
  readonly tokenizer_class?: unknown;
}

/** The tokenizer next to the weights, or of the repository that the configuration names. */
export async function findTokenizer(
  files: ModelFiles,
  tokenizerName: string | null,
  hints: TokenizerHints,
  options: LoadOptions,
): Promise<Tokenizer | undefined> {
  const here = await files.list(options);
  const own = await readTokenizer(files, here, hints, options);
  if (own) return own;
  if (!tokenizerName || tokenizerName === files.name) return undefined; // none; the model still takes token ids
  if (tokenizerName.endsWith(".json")) {
    throw new InputError(
      `${files.name} names "${tokenizerName}" as its tokenizer, but has no tokenizer.json: put the file there, or pass \`tokenizer\`.`,
      { asked: tokenizerName, found: here },
    );
  }
  const elsewhere = await openDefault(tokenizerName, (name) => name, { ...options, revision: undefined });
  const there = await elsewhere.list(options);
  const found = await readTokenizer(elsewhere, there, hints, options);
  if (found) return found;
  throw new InputError(
    `The model's tokenizer "${tokenizerName}" has none of the files that can be read (${KINDS}): pass \`tokenizer\`.`,
    { asked: tokenizerName, found: there },
  );
}

/** The tokenizer that a folder has; undefined if it has none. @throws FileFormatError for one that cannot be read */
export async function readTokenizer(
  files: ModelFiles,
  paths: readonly string[],
  hints: TokenizerHints,
  options: LoadOptions,
): Promise<Tokenizer | undefined> {
  const open = async (path: string) => {
    const source = await files.open(path, options);
    const what = `${files.name}/${path}`;
    if (source.size > LONGEST_FILE) {
      throw new FileFormatError(`${what} has ${source.size} bytes: that is not a model's tokenizer.`, {
        asked: what,
        found: source.size,
      });
    }
    return { source, what };
  };
  const text = async (path: string) => readText((await open(path)).source, options.signal);
  const json = async (path: string) => {
    const content = await text(path);
    const what = `${files.name}/${path}`;
    checkParts(content, what);
    return parseJsonObject(content, what);
  };
  const has = (path: string) => paths.includes(path);
  const whenThere = async (path: string) => (has(path) ? await json(path) : undefined);
  const templates = async (tokenizerConfig: Record<string, unknown> | undefined) => {
    const named = paths.flatMap((path) => {
      const name = /^additional_chat_templates\/([^/]+)\.jinja$/.exec(path)?.[1];
      return path === "chat_template.jinja" ? [["default", path]] : name === undefined ? [] : [[name, path]];
    });
    const found = new Map<string, string>();
    for (const [name, path] of named) found.set(name, await text(path));
    // An older file, of models that see: where it is the only one.
    const older =
      found.size === 0 && !tokenizerConfig?.chat_template ? await whenThere("chat_template.json") : undefined;
    if (typeof older?.chat_template === "string") found.set("default", older.chat_template);
    return found;
  };
  const beside = async (): Promise<FilesBeside> => {
    const tokenizerConfig = await whenThere("tokenizer_config.json");
    return {
      tokenizerConfig,
      specialTokensMap: await whenThere("special_tokens_map.json"),
      addedTokens: await whenThere("added_tokens.json"),
      chatTemplates: await templates(tokenizerConfig),
    };
  };
  if (has("tokenizer.json")) {
    const whole = await json("tokenizer.json");
    const { tokenizerConfig, ...more } = await beside();
    return withTemplates(Tokenizer.fromJson(whole, tokenizerConfig, more));
  }
  const vocabulary = async (): Promise<VocabularyFile | undefined> => {
    if (has("vocab.json") && has("merges.txt")) {
      return { kind: "vocab.json", vocab: await json("vocab.json"), merges: await text("merges.txt") };
    }
    const model = SENTENCEPIECE.find(has);
    if (model !== undefined) {
      const { source, what } = await open(model);
      return { kind: "sentencepiece", bytes: await source.read(0, source.size, options.signal), what };
    }
    if (has("vocab.txt")) return { kind: "vocab.txt", vocab: await text("vocab.txt") };
    const ranks = paths.find((path) => path.endsWith(".tiktoken"));
    return ranks === undefined
      ? undefined
      : { kind: "tiktoken", ranks: await text(ranks), what: `${files.name}/${ranks}` };
  };
  const found = await vocabulary();
  if (!found) return undefined;
  const around = await beside();
  const { vocabularyOf } = await import("../text/vocabularies/index.ts");
  return withTemplates(Tokenizer.assembled(vocabularyOf(found, around.tokenizerConfig, hints), around));
}

/** A tokenizer, with what renders its chat templates if it has any. */
async function withTemplates(tokenizer: Tokenizer): Promise<Tokenizer> {
  if (tokenizer.chatTemplates.size > 0) await TEMPLATES.load();
  return tokenizer;
}
