/** The tokenizer classes of transformers 5.18 by name, and which of them a model type has. */
import { BERT } from "./bert.ts";
import { COHERE, GPT_NEOX, GPT2, QWEN2, ROBERTA } from "./byte-level.ts";
import { CODE_LLAMA, GEMMA, LLAMA, T5, XGLM, XLM_ROBERTA } from "./sentencepiece.ts";
import type { Role, TokenizerClass } from "./tokenizer-class.ts";

const CLASSES: Readonly<Record<string, TokenizerClass>> = {
  GPT2Tokenizer: GPT2,
  CodeGenTokenizer: GPT2,
  RobertaTokenizer: ROBERTA,
  BartTokenizer: ROBERTA,
  GPTNeoXTokenizer: GPT_NEOX,
  Qwen2Tokenizer: QWEN2,
  CohereTokenizer: COHERE,
  LlamaTokenizer: LLAMA,
  Phi3Tokenizer: LLAMA,
  CodeLlamaTokenizer: CODE_LLAMA,
  GemmaTokenizer: GEMMA,
  T5Tokenizer: T5,
  XGLMTokenizer: XGLM,
  XLMRobertaTokenizer: XLM_ROBERTA,
  BertTokenizer: BERT,
  DistilBertTokenizer: BERT,
  ElectraTokenizer: BERT,
};

/** Classes that build something that is not described here. */
const OTHERS =
  /^(?:Albert|BigBird|Camembert|CLIP|DebertaV2|MBart|MBart50|MPNet|Nllb|Pegasus|Reformer|RemBert|Siglip2|Whisper|XLNet)Tokenizer$/;

/** By `model_type`, for a model whose files name no class. */
const BY_MODEL_TYPE: Readonly<Record<string, string>> = {
  bart: "RobertaTokenizer",
  bert: "BertTokenizer",
  code_llama: "CodeLlamaTokenizer",
  codegen: "GPT2Tokenizer",
  cohere: "CohereTokenizer",
  cohere2: "CohereTokenizer",
  distilbert: "BertTokenizer",
  electra: "BertTokenizer",
  gemma: "GemmaTokenizer",
  gemma2: "GemmaTokenizer",
  gemma3: "GemmaTokenizer",
  gemma3_text: "GemmaTokenizer",
  gpt2: "GPT2Tokenizer",
  gpt_neo: "GPT2Tokenizer",
  gpt_neox: "GPTNeoXTokenizer",
  gptj: "GPT2Tokenizer",
  llama: "LlamaTokenizer",
  mistral: "LlamaTokenizer",
  mixtral: "LlamaTokenizer",
  mpt: "GPTNeoXTokenizer",
  mt5: "T5Tokenizer",
  olmo: "GPTNeoXTokenizer",
  olmoe: "GPTNeoXTokenizer",
  opt: "GPT2Tokenizer",
  phi: "GPT2Tokenizer",
  phi3: "LlamaTokenizer",
  qwen2: "Qwen2Tokenizer",
  qwen2_moe: "Qwen2Tokenizer",
  qwen3: "Qwen2Tokenizer",
  qwen3_moe: "Qwen2Tokenizer",
  roberta: "RobertaTokenizer",
  starcoder2: "GPT2Tokenizer",
  t5: "T5Tokenizer",
  xglm: "XGLMTokenizer",
  "xlm-roberta": "XLMRobertaTokenizer",
};

/** The class of a name; undefined for one that only takes a `tokenizer.json` as it is, or is not known. */
export function tokenizerClass(className: string | undefined): TokenizerClass | undefined {
  return className !== undefined && Object.hasOwn(CLASSES, className) ? CLASSES[className] : undefined;
}

/** Whether transformers rebuilds the parts of a `tokenizer.json` for the class. */
export function rebuilds(className: string): boolean {
  return tokenizerClass(className)?.pipeline !== undefined || OTHERS.test(className);
}

/** The class' name for a `model_type`. */
export function classOfModelType(modelType: unknown): string | undefined {
  return typeof modelType === "string" && Object.hasOwn(BY_MODEL_TYPE, modelType)
    ? BY_MODEL_TYPE[modelType]
    : undefined;
}

/** The default special token of a class, if no file names one. */
export function usualToken(className: string | undefined, role: Role): string | undefined {
  return tokenizerClass(className)?.usual[role];
}
