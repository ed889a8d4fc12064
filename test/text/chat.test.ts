/** Chat templates, compared with transformers' `apply_chat_template`. The fixture was made by scripts/hugging-face/chat_fixtures.py. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { loadTokenizer } from "../../src/lens/from-pretrained.ts";
import { memoryFiles } from "../../src/load/index.ts";
import { FileFormatError, GlassformerError, InputError } from "../../src/tensor/errors.ts";
import { type ChatMessage, type ChatOptions, chatText, TEMPLATES } from "../../src/text/chat.ts";
import { strftime } from "../../src/text/chat-jinja.ts";

interface Row {
  readonly template: string;
  readonly chat: string;
  readonly more: {
    add_generation_prompt?: boolean;
    tools?: unknown[];
    documents?: unknown[];
    enable_thinking?: boolean;
  };
  readonly text: string | null;
  readonly ids: number[] | string;
}
const fixture: { templates: Record<string, string>; chats: Record<string, ChatMessage[]>; rows: Row[] } = JSON.parse(
  readFileSync(new URL("hugging-face/chat.json", import.meta.url), "utf8"),
);
const model = readFileSync(new URL("vocabularies/llama.model", import.meta.url));
const folder = (more: Record<string, unknown> = {}, config: object = {}) =>
  memoryFiles("folder", {
    "tokenizer.model": model,
    "tokenizer_config.json": JSON.stringify({ tokenizer_class: "LlamaTokenizer", add_bos_token: true, ...config }),
    ...Object.fromEntries(
      Object.entries(more).map(([path, content]) => [
        path,
        typeof content === "string" ? content : JSON.stringify(content),
      ]),
    ),
  });
const load = (...args: Parameters<typeof folder>) => loadTokenizer("folder", { files: folder(...args) });
const tokenizer = await load();
await TEMPLATES.load();

const optionsOf = ({ template, more }: Row): ChatOptions => ({
  template: fixture.templates[template],
  addGenerationPrompt: more.add_generation_prompt,
  tools: more.tools,
  documents: more.documents,
  ...(more.enable_thinking === undefined ? {} : { variables: { enable_thinking: more.enable_thinking } }),
});

describe("a conversation has the text and the tokens that transformers gives it", () => {
  it.each(Object.keys(fixture.templates))("%s", (name) => {
    const rows = fixture.rows.filter(({ template }) => template === name);
    expect(rows.some(({ text }) => text !== null)).toBe(true);
    for (const row of rows) {
      const make = () => chatText(fixture.chats[row.chat], tokenizer, optionsOf(row));
      if (row.text === null) {
        expect(make, `${row.chat}: ${row.ids}`).toThrow(GlassformerError);
        continue;
      }
      expect([row.chat, make()]).toEqual([row.chat, row.text]);
      expect(tokenizer.encode(make(), { addSpecialTokens: false })).toEqual(row.ids);
    }
  });
});

const ask: ChatMessage[] = [{ role: "user", content: "Hi" }];

describe("a tokenizer's chat template is", () => {
  it.each<[string, Parameters<typeof folder>, string]>([
    ["the chat_template of its tokenizer_config.json", [{}, { chat_template: "A{{ bos_token }}" }], "A<s>"],
    [
      "the one called default in a list of named ones",
      [
        {},
        {
          chat_template: [
            { name: "rag", template: "R" },
            { name: "default", template: "D" },
          ],
        },
      ],
      "D",
    ],
    ["chat_template.jinja, over the others", [{ "chat_template.jinja": "J" }, { chat_template: "A" }], "J"],
    ["chat_template.json, if there is no other", [{ "chat_template.json": { chat_template: "O" } }, {}], "O"],
    [
      "not chat_template.json otherwise",
      [{ "chat_template.json": { chat_template: "O" } }, { chat_template: "A" }],
      "A",
    ],
  ])("%s", async (_, args, expected) => {
    expect(chatText(ask, await load(...args))).toBe(expected);
  });

  it("chosen by name, or by the tools that are passed", async () => {
    const chat_template = [
      { name: "default", template: "D" },
      { name: "tool_use", template: "T" },
    ];
    const several = await load({ "additional_chat_templates/x.jinja": "X", "chat_template.jinja": "J" });
    expect(chatText(ask, several, { template: "x" })).toBe("X");
    expect(chatText(ask, await load({}, { chat_template }), { tools: [] })).toBe("T");
    expect(() => chatText(ask, several, { template: "y" })).toThrow(/chat template "y".*"x", "default"/s);
  });

  it("a text in Jinja that is passed", () => {
    expect(chatText(ask, tokenizer, { template: "{{ messages[0].content }}!" })).toBe("Hi!");
  });
});

describe("is refused in a sentence:", () => {
  it.each<[string, unknown, ChatOptions, typeof InputError, RegExp]>([
    ["a conversation without a template", ask, {}, InputError, /has no chat template/],
    ["an empty conversation", [], { template: "{{ 1 }}" }, InputError, /not an empty list/],
    ["a text instead of messages", "Hi", { template: "{{ 1 }}" }, InputError, /not a string/],
    ["a message without a role", [{ content: "Hi" }], { template: "{{ 1 }}" }, InputError, /Message 0/],
    [
      "what the template refuses",
      ask,
      { template: "{{ raise_exception('Only cats') }}" },
      InputError,
      /The chat template refuses these messages: "Only cats"\./,
    ],
    ["a template with an error", ask, { template: "{% if %}" }, FileFormatError, /chat template cannot be read \(/],
    [
      "one that does not end",
      ask,
      { template: "{% for x in y %}" },
      FileFormatError,
      /chat template cannot be read \(/,
    ],
    [
      "one that fails",
      ask,
      { template: "{{ messages.nothing.at.all() }}" },
      FileFormatError,
      /failed on these messages/,
    ],
    [
      "one that counts too far",
      ask,
      { template: "{{ range(1000000000) }}" },
      FileFormatError,
      /range\(0, 1000000000, 1\) is too long/,
    ],
  ])("%s", (_, messages, options, kind, message) => {
    const make = () => chatText(messages as ChatMessage[], tokenizer, options);
    expect(make).toThrow(kind);
    expect(make).toThrow(message);
  });

  it("a chat_template that is not one", async () => {
    await expect(load({}, { chat_template: 3 })).rejects.toThrow(
      /"chat_template" of a tokenizer_config\.json must be a text/,
    );
    await expect(load({}, { chat_template: [{ name: 1 }] })).rejects.toThrow(FileFormatError);
  });

  it("several templates without a default", async () => {
    const several = await load({}, { chat_template: [{ name: "rag", template: "R" }] });
    expect(() => chatText(ask, several)).toThrow(/several chat templates and no default.*"rag"/);
  });
});

it("a template's date is in English, and codes that are not known stay", () => {
  const date = new Date(2024, 6, 5, 13, 7, 9);
  expect(strftime(date, "%d %b %Y, %A %B %H:%M:%S %I%p %y %a %m %% %q")).toBe(
    "05 Jul 2024, Friday July 13:07:09 01PM 24 Fri 07 % %q",
  );
  expect(chatText(ask, tokenizer, { template: "{{ strftime_now('%Y') }}" })).toBe(`${new Date().getFullYear()}`);
});
