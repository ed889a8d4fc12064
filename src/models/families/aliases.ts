/** The models that are known by name: Hugging Face id -> the short names of it, as TransformerLens has them. */
import { ArgumentError, UnknownNameError } from "../../tensor/errors.ts";
import { kindOf } from "../../tensor/show.ts";
import { refuseKnownName } from "./not-computed.ts";

/** The models known by name: Hugging Face id to its short names. */
export const MODEL_ALIASES: ReadonlyMap<string, readonly string[]> = new Map([
  ["NeelNanda/SoLU_1L512W_C4_Code", ["solu-1l", "solu-1l-new", "solu-1l-c4-code"]],
  ["NeelNanda/SoLU_2L512W_C4_Code", ["solu-2l", "solu-2l-new", "solu-2l-c4-code"]],
  ["NeelNanda/SoLU_3L512W_C4_Code", ["solu-3l", "solu-3l-new", "solu-3l-c4-code"]],
  ["NeelNanda/SoLU_4L512W_C4_Code", ["solu-4l", "solu-4l-new", "solu-4l-c4-code"]],
  ["NeelNanda/SoLU_6L768W_C4_Code", ["solu-6l", "solu-6l-new", "solu-6l-c4-code"]],
  ["NeelNanda/SoLU_8L1024W_C4_Code", ["solu-8l", "solu-8l-new", "solu-8l-c4-code"]],
  ["NeelNanda/SoLU_10L1280W_C4_Code", ["solu-10l", "solu-10l-new", "solu-10l-c4-code"]],
  ["NeelNanda/SoLU_12L1536W_C4_Code", ["solu-12l", "solu-12l-new", "solu-12l-c4-code"]],
  ["NeelNanda/GELU_1L512W_C4_Code", ["gelu-1l", "gelu-1l-new", "gelu-1l-c4-code"]],
  ["NeelNanda/GELU_2L512W_C4_Code", ["gelu-2l", "gelu-2l-new", "gelu-2l-c4-code"]],
  ["NeelNanda/GELU_3L512W_C4_Code", ["gelu-3l", "gelu-3l-new", "gelu-3l-c4-code"]],
  ["NeelNanda/GELU_4L512W_C4_Code", ["gelu-4l", "gelu-4l-new", "gelu-4l-c4-code"]],
  ["NeelNanda/Attn_Only_1L512W_C4_Code", ["attn-only-1l", "attn-only-1l-new", "attn-only-1l-c4-code"]],
  ["NeelNanda/Attn_Only_2L512W_C4_Code", ["attn-only-2l", "attn-only-2l-new", "attn-only-2l-c4-code"]],
  ["NeelNanda/Attn_Only_3L512W_C4_Code", ["attn-only-3l", "attn-only-3l-new", "attn-only-3l-c4-code"]],
  ["NeelNanda/Attn_Only_4L512W_C4_Code", ["attn-only-4l", "attn-only-4l-new", "attn-only-4l-c4-code"]],
  ["NeelNanda/SoLU_1L512W_Wiki_Finetune", ["solu-1l-wiki", "solu-1l-wiki-finetune", "solu-1l-finetune"]],
  ["NeelNanda/SoLU_4L512W_Wiki_Finetune", ["solu-4l-wiki", "solu-4l-wiki-finetune", "solu-4l-finetune"]],
  [
    "NeelNanda/Attn-Only-2L512W-Shortformer-6B-big-lr",
    ["attn-only-2l-demo", "attn-only-2l-shortformer-6b-big-lr", "attn-only-2l-induction-demo", "attn-only-demo"],
  ],
  ["NeelNanda/SoLU_1L_v9_old", ["solu-1l-pile", "solu-1l-old"]],
  ["NeelNanda/SoLU_2L_v10_old", ["solu-2l-pile", "solu-2l-old"]],
  ["NeelNanda/SoLU_4L_v11_old", ["solu-4l-pile", "solu-4l-old"]],
  ["NeelNanda/SoLU_6L_v13_old", ["solu-6l-pile", "solu-6l-old"]],
  ["NeelNanda/SoLU_8L_v21_old", ["solu-8l-pile", "solu-8l-old"]],
  ["NeelNanda/SoLU_10L_v22_old", ["solu-10l-pile", "solu-10l-old"]],
  ["NeelNanda/SoLU_12L_v23_old", ["solu-12l-pile", "solu-12l-old"]],
  ["ArthurConmy/redwood_attn_2l", ["redwood_attn_2l"]],
  ["Baidicoot/Othello-GPT-Transformer-Lens", ["othello-gpt"]],
  ["gpt2", ["gpt2-small"]],
  ["gpt2-medium", []],
  ["gpt2-large", []],
  ["gpt2-xl", []],
  ["ai-forever/mGPT", ["mGPT"]],
  ["distilgpt2", ["distillgpt2", "distill-gpt2", "distil-gpt2", "gpt2-xs"]],
  [
    "stanford-crfm/alias-gpt2-small-x21",
    ["stanford-gpt2-small-a", "alias-gpt2-small-x21", "gpt2-mistral-small-a", "gpt2-stanford-small-a"],
  ],
  [
    "stanford-crfm/battlestar-gpt2-small-x49",
    ["stanford-gpt2-small-b", "battlestar-gpt2-small-x49", "gpt2-mistral-small-b"],
  ],
  [
    "stanford-crfm/caprica-gpt2-small-x81",
    ["stanford-gpt2-small-c", "caprica-gpt2-small-x81", "gpt2-mistral-small-c", "gpt2-stanford-small-c"],
  ],
  [
    "stanford-crfm/darkmatter-gpt2-small-x343",
    ["stanford-gpt2-small-d", "darkmatter-gpt2-small-x343", "gpt2-mistral-small-d"],
  ],
  [
    "stanford-crfm/expanse-gpt2-small-x777",
    ["stanford-gpt2-small-e", "expanse-gpt2-small-x777", "gpt2-mistral-small-e"],
  ],
  [
    "stanford-crfm/arwen-gpt2-medium-x21",
    ["stanford-gpt2-medium-a", "arwen-gpt2-medium-x21", "gpt2-medium-small-a", "gpt2-stanford-medium-a"],
  ],
  [
    "stanford-crfm/beren-gpt2-medium-x49",
    ["stanford-gpt2-medium-b", "beren-gpt2-medium-x49", "gpt2-medium-small-b", "gpt2-stanford-medium-b"],
  ],
  [
    "stanford-crfm/celebrimbor-gpt2-medium-x81",
    ["stanford-gpt2-medium-c", "celebrimbor-gpt2-medium-x81", "gpt2-medium-small-c"],
  ],
  [
    "stanford-crfm/durin-gpt2-medium-x343",
    ["stanford-gpt2-medium-d", "durin-gpt2-medium-x343", "gpt2-medium-small-d", "gpt2-stanford-medium-d"],
  ],
  [
    "stanford-crfm/eowyn-gpt2-medium-x777",
    ["stanford-gpt2-medium-e", "eowyn-gpt2-medium-x777", "gpt2-medium-small-e", "gpt2-stanford-medium-e"],
  ],
  ["google-bert/bert-base-cased", ["bert-base-cased"]],
  ["google-bert/bert-base-uncased", ["bert-base-uncased"]],
  ["google-bert/bert-large-cased", ["bert-large-cased"]],
  ["google-bert/bert-large-uncased", ["bert-large-uncased"]],
  ["google-t5/t5-small", ["t5-small"]],
  ["google-t5/t5-base", ["t5-base"]],
  ["google-t5/t5-large", ["t5-large"]],
] as [string, readonly string[]][]);

/** What is supported, for the error when something else is requested. */
const COMPUTED = [
  "GPT-2 and its relatives",
  "GPT-Neo, GPT-J, GPT-NeoX (Pythia), Llama, Mistral, Qwen 2, Phi 1 and 2, StableLM, Starcoder, CodeGen",
  "BLOOM, Falcon, MPT, OPT, Phi 3, SmolLM 3",
  "BERT, and T5 as a HookedEncoderDecoder",
  "the SoLU, GELU and attention-only models of Neel Nanda",
  "TransformerLens' own form",
];

const OFFICIAL_NAME: ReadonlyMap<string, string> = new Map(
  [...MODEL_ALIASES].flatMap(([id, aliases]) => [id, ...aliases].map((name) => [name.toLowerCase(), id])),
);

/** "org/name": any model of the hub. Recognising a path is left to the caller. */
const HUB_ID = /^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/;

/**
 * The Hugging Face id of a model: an alias in any case ("solu-1l" -> "NeelNanda/SoLU_1L512W_C4_Code"), or an "org/name" as
 * it is.
 *
 * @throws ConfigError for the name of a model whose architecture is known but not supported; UnknownNameError, with the
 * closest alias, for anything else.
 */
export function resolveModelName(name: string): string {
  if (typeof name !== "string") {
    throw new ArgumentError(`A model's name must be a string, such as "solu-1l", not ${kindOf(name)}.`, {
      asked: name,
    });
  }
  const official = OFFICIAL_NAME.get(name.trim().toLowerCase());
  if (official !== undefined) return official;
  if (HUB_ID.test(name)) return name;
  refuseKnownName(name, COMPUTED);
  throw new UnknownNameError(
    "model",
    name,
    [...OFFICIAL_NAME.keys()],
    "Use one of the known names, a Hugging Face id (org/name), or the path of a folder.",
  );
}
