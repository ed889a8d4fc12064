/**
 * The tokenizer classes of transformers 5.18: their default special tokens, and what some of
 * them build instead of the normalizer and the pre-tokenizer of a `tokenizer.json`.
 */
import { type Fields, isFields } from "./component.ts";

export type Role = "bos" | "eos" | "pad";

interface TokenizerClass {
  readonly usual?: Partial<Record<Role, string>>;
  /** What it builds; absent for a class that uses the file unchanged. */
  readonly builds?: { readonly model: string; readonly normalizer: unknown; readonly preTokenizer: unknown };
}

const END = "<|endoftext|>";
const BYTE_LEVEL = { type: "ByteLevel", add_prefix_space: false };
const QWEN_WORDS = String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;
const GPT2: TokenizerClass = {
  usual: { bos: END, eos: END },
  builds: { model: "BPE", normalizer: null, preTokenizer: BYTE_LEVEL },
};
const LLAMA: TokenizerClass = {
  usual: { bos: "<s>", eos: "</s>" },
  builds: {
    model: "BPE",
    normalizer: null,
    preTokenizer: { type: "Metaspace", replacement: "▁", prepend_scheme: "first", split: false },
  },
};
const ROBERTA: TokenizerClass = { usual: { bos: "<s>", eos: "</s>", pad: "<pad>" } };

const CLASSES: Readonly<Record<string, TokenizerClass>> = {
  GPT2Tokenizer: GPT2,
  CodeGenTokenizer: GPT2,
  RobertaTokenizer: ROBERTA,
  BartTokenizer: ROBERTA,
  LlamaTokenizer: LLAMA,
  CodeLlamaTokenizer: LLAMA,
  Phi3Tokenizer: LLAMA,
  GPTNeoXTokenizer: {
    usual: { bos: END, eos: END, pad: "<|padding|>" },
    builds: { model: "BPE", normalizer: { type: "NFC" }, preTokenizer: BYTE_LEVEL },
  },
  Qwen2Tokenizer: {
    usual: { eos: END, pad: END },
    builds: {
      model: "BPE",
      normalizer: { type: "NFC" },
      preTokenizer: {
        type: "Sequence",
        pretokenizers: [
          { type: "Split", pattern: { Regex: QWEN_WORDS }, behavior: "Isolated", invert: false },
          { ...BYTE_LEVEL, use_regex: false },
        ],
      },
    },
  },
  GemmaTokenizer: {
    usual: { bos: "<bos>", eos: "<eos>", pad: "<pad>" },
    builds: {
      model: "BPE",
      normalizer: { type: "Replace", pattern: { String: " " }, content: "▁" },
      preTokenizer: { type: "Split", pattern: { String: " " }, behavior: "MergedWithPrevious", invert: false },
    },
  },
  CohereTokenizer: {
    builds: {
      model: "BPE",
      normalizer: { type: "NFC" },
      preTokenizer: { type: "Sequence", pretokenizers: [{ type: "Digits", individual_digits: true }, BYTE_LEVEL] },
    },
  },
};
/** Classes that build something that is not listed here. */
const OTHERS =
  /^(?:Albert|Bart|Bert|BigBird|Camembert|CLIP|DebertaV2|DistilBert|Electra|MBart|MBart50|MPNet|Nllb|Pegasus|Reformer|RemBert|Roberta|Siglip2|T5|Whisper|XGLM|XLMRoberta|XLNet)Tokenizer$/;

/** The default special token of a class, if no file names one. */
export function usualToken(className: string | undefined, role: Role): string | undefined {
  return classOf(className)?.usual?.[role];
}

/**
 * A sentence for the case that `AutoTokenizer` builds something other than the `tokenizer.json` says, so that its ids may differ.
 * @param prefixSpace `add_prefix_space` from the tokenizer_config.json, which both use
 */
export function rebuiltNote(
  className: string | undefined,
  file: { readonly model: unknown; readonly normalizer: unknown; readonly preTokenizer: unknown },
  prefixSpace: boolean | undefined,
): string | undefined {
  if (className === undefined) return undefined;
  const builds = classOf(className)?.builds;
  if (!builds && !OTHERS.test(className)) return undefined;
  if (builds && isFields(file.model)) {
    const { type = "BPE", ignore_merges = false } = file.model;
    const alike = (a: unknown, b: unknown) => plain(a, prefixSpace) === plain(b, prefixSpace);
    const asBuilt = type === builds.model && (ignore_merges ?? false) === false;
    if (asBuilt && alike(file.normalizer, builds.normalizer) && alike(file.preTokenizer, builds.preTokenizer)) return;
  }
  return `The tokenizer_config.json names the class ${className}, for which transformers 5 rebuilds parts of the tokenizer. Here the tokenizer.json is used, as in the tokenizers library, so AutoTokenizer may give different ids.`;
}

function classOf(className: string | undefined): TokenizerClass | undefined {
  return className !== undefined && Object.hasOwn(CLASSES, className) ? CLASSES[className] : undefined;
}

/** A component as text, without fields that change no token or are defaults. */
function plain(component: unknown, prefixSpace: boolean | undefined): string {
  if (isFields(component) && component.type === "Sequence") {
    const parts = component.pretokenizers ?? component.normalizers;
    if (Array.isArray(parts) && parts.length === 1) return plain(parts[0], prefixSpace);
  }
  return JSON.stringify(component ?? null, (key, value) => {
    if (key === "trim_offsets" || (key === "use_regex" && value === true)) return undefined;
    if (key === "add_prefix_space" && prefixSpace !== undefined) return undefined;
    return isFields(value) ? sorted(value) : value;
  });
}

const sorted = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1)));
