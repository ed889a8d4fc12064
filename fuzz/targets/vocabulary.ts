/** SentencePiece models, `vocab.txt`, `vocab.json` and GGUF's metadata, changed; what loads gives ids of its vocabulary. */
import { loadTokenizer } from "../../src/index.ts";
import { memoryFiles } from "../../src/load/index.ts";
import { tokenizerOfGguf } from "../../src/text/index.ts";
import { jsonOf, mutateBytes, mutateJson } from "../mutate.ts";
import { outcomeOf } from "../outcome.ts";
import type { Random } from "../random.ts";
import type { Target } from "../target.ts";
import { bytesOf, jsonOfFile } from "./files.ts";

const TEXTS = ["ab c", "", "  ", "Hé1 <s> [CLS]", "a".repeat(300), "\u0000\ud800 🙂▁", "of the  whale\n"];
const MODELS = ["llama", "gemma", "t5", "unigram", "bpe", "symbols"];
const CLASSES = ["LlamaTokenizer", "GemmaTokenizer", "T5Tokenizer", "XGLMTokenizer", "BertTokenizer", "GPT2Tokenizer"];
const SETTINGS = {
  add_bos_token: true,
  add_eos_token: false,
  add_prefix_space: true,
  legacy: false,
  do_lower_case: true,
  extra_ids: 5,
  unk_token: "<unk>",
  mask_token: { content: "<mask>", lstrip: true },
};

export const vocabulary: Target = {
  name: "vocabulary",
  description:
    "vocabularies in other forms than tokenizer.json, changed; what loads gives ids of its vocabulary and texts for them",
  async prepare() {
    const models = MODELS.map((name) => bytesOf(`test/text/vocabularies/${name}.model`));
    const ggufs = (jsonOfFile("test/text/vocabularies/gguf.json") as { rows: { model: string; says: object }[] }).rows;
    const folder = (random: Random): Record<string, string | Uint8Array> => {
      const words = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]", "a", "##b", "c", "hé"];
      const bytes = new TextEncoder().encode(`${words.join("\n")}\n`);
      const ranks = new TextEncoder().encode("YQ== 0\nYg== 1\nYWI= 2\n");
      switch (random.below(4)) {
        case 0:
          return { "vocab.txt": mutateBytes(random, bytes) };
        case 1:
          return { "qwen.tiktoken": mutateBytes(random, ranks) };
        case 2: {
          const vocab = jsonOf(mutateJson(random, { a: 0, b: 1, ab: 2, "<s>": 3, "</s>": 4 }));
          return { "vocab.json": vocab, "merges.txt": random.pick(["a b\n", "#version: 0.2\na b", "a  b", "ab", ""]) };
        }
        default:
          return { "tokenizer.model": mutateBytes(random, random.pick(models)) };
      }
    };
    return async (random) => {
      const text = random.pick(TEXTS);
      const make = async () => {
        if (random.chance(0.25)) {
          const { model, says } = random.pick(ggufs);
          const { pre_tokenizer_type: pre, token_type: tokenTypes, ...rest } = says as Record<string, never>;
          const short = { ...rest, tokens: (rest.tokens as string[]).slice(), pre, tokenTypes } as object;
          const changed = random.chance(0.9)
            ? mutateJson(random, { model, bosTokenId: 1, ...short })
            : { model, ...short };
          return tokenizerOfGguf(changed as never);
        }
        const config = { tokenizer_class: random.pick(CLASSES), ...SETTINGS };
        const beside = random.chance(0.5) ? mutateJson(random, config) : config;
        const files = { ...folder(random), "tokenizer_config.json": jsonOf(beside) };
        return loadTokenizer("folder", { files: memoryFiles("folder", files) });
      };
      const made = make();
      return outcomeOf(
        async () => {
          const tokenizer = await made;
          const ids = tokenizer.encode(text);
          return { tokenizer, ids, back: tokenizer.decode(ids) };
        },
        ({ tokenizer, ids, back }) => {
          if (typeof back !== "string") return `decode gives a ${typeof back}`;
          const bad = ids.find((id) => !Number.isSafeInteger(id) || id < 0 || tokenizer.idToToken(id) === undefined);
          return bad === undefined ? undefined : `${bad} is not an id of the vocabulary`;
        },
      );
    };
  },
};
