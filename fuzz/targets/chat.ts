/** Chat templates and conversations, changed; what renders is a text, and the same one twice. */
import { type ChatMessage, Tokenizer } from "../../src/index.ts";
import { chatText } from "../../src/text/index.ts";
import { mutateBytes, mutateJson } from "../mutate.ts";
import { outcomeOf } from "../outcome.ts";
import type { Target } from "../target.ts";
import { jsonOfFile } from "./files.ts";

interface Fixture {
  readonly templates: Readonly<Record<string, string>>;
  readonly chats: Readonly<Record<string, readonly ChatMessage[]>>;
}

export const chat: Target = {
  name: "chat",
  description: "chat templates and conversations, changed; what renders is a text, and the same one twice",
  async prepare() {
    const { templates, chats } = jsonOfFile("test/text/hugging-face/chat.json") as Fixture;
    const model = { type: "WordLevel", vocab: { "<s>": 0, "</s>": 1, "<unk>": 2 }, unk_token: "<unk>" };
    const tokenizer = (config: unknown) =>
      Tokenizer.fromJson({ model, added_tokens: [] }, { bos_token: "<s>", eos_token: "</s>", ...(config as object) });
    return (random) => {
      const template = random.pick(Object.values(templates));
      const changed = random.chance(0.7)
        ? new TextDecoder().decode(mutateBytes(random, new TextEncoder().encode(template)))
        : template;
      const messages = random.pick(Object.values(chats));
      const said = random.chance(0.4) ? (mutateJson(random, messages) as ChatMessage[]) : messages;
      const config = { chat_template: changed };
      const beside = random.chance(0.1) ? mutateJson(random, config) : config;
      return outcomeOf(
        () => {
          const made = tokenizer(beside);
          const options = { addGenerationPrompt: random.chance(0.5) };
          return { text: chatText(said, made, options), again: chatText(said, made, options) };
        },
        ({ text, again }) => {
          if (typeof text !== "string") return `a ${typeof text}`;
          return text === again ? undefined : "another text the second time";
        },
      );
    };
  },
};
