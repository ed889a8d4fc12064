/**
 * Chat templates: how a conversation becomes the text that a model was trained on. A template is written in Jinja and comes with the
 * tokenizer. Rendered by `@huggingface/jinja`; equal to transformers' `apply_chat_template`.
 */
import { InputError, UnknownNameError } from "../tensor/errors.ts";
import { ANYTHING, FLAG, TEXT } from "../tensor/kinds.ts";
import { OnDemand } from "../tensor/on-demand.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import { kindOf, shown } from "../tensor/show.ts";
import { isFields } from "./component.ts";

/** What renders templates. */
export const TEMPLATES = new OnDemand("@huggingface/jinja", () => import("./chat-jinja.ts"));

/** What somebody said. Templates may read more fields than these two. */
export interface ChatMessage {
  /** "system", "user", "assistant", or another that the template knows. */
  readonly role: string;
  /** A text; some templates also take a list of parts, `[{ type: "text", text }]`. */
  readonly content?: unknown;
  readonly [field: string]: unknown;
}

/** How a conversation becomes a text. */
export interface ChatOptions {
  /** End with the beginning of the assistant's answer, so that the model continues with it. Default false. */
  readonly addGenerationPrompt?: boolean | undefined;
  /** A template in Jinja, or the name of one of the tokenizer's. Default: the tokenizer's own, or its "default". */
  readonly template?: string | undefined;
  /** Functions that the model may call, as JSON schemas. */
  readonly tools?: readonly unknown[] | undefined;
  /** Documents to answer from. */
  readonly documents?: readonly unknown[] | undefined;
  /** Other variables of the template, such as `{ enable_thinking: false }`. */
  readonly variables?: Readonly<Record<string, unknown>> | undefined;
}

const CHAT_OPTIONS: OptionKinds<ChatOptions> = {
  addGenerationPrompt: FLAG,
  template: TEXT,
  tools: ANYTHING,
  documents: ANYTHING,
  variables: ANYTHING,
};

/** The templates of a tokenizer by name ("default" for the only one), and its special tokens ("bos_token" and others). */
export interface ChatSource {
  readonly chatTemplates: ReadonlyMap<string, string>;
  readonly specialTokens: ReadonlyMap<string, string>;
}

/**
 * The text of a conversation.
 * @throws InputError for messages that are not a conversation, or that the template refuses; FileFormatError for a template with an
 * error; UnknownNameError if there is none of that name
 */
export function chatText(
  messages: readonly ChatMessage[],
  { chatTemplates, specialTokens }: ChatSource,
  options: ChatOptions = {},
): string {
  checkOptions("toChat", options, CHAT_OPTIONS);
  checkMessages(messages);
  const { addGenerationPrompt = false, tools, documents, variables = {} } = options;
  const template = chosen(chatTemplates, options);
  return TEMPLATES.code.rendered(template, {
    ...Object.fromEntries(specialTokens),
    ...variables,
    messages,
    tools: tools ?? null,
    documents: documents ?? null,
    add_generation_prompt: addGenerationPrompt,
  });
}

function chosen(templates: ReadonlyMap<string, string>, { template, tools }: ChatOptions): string {
  if (template !== undefined) {
    const named = templates.get(template);
    if (named !== undefined) return named;
    if (/\{[{%]/.test(template)) return template;
    throw new UnknownNameError(
      "chat template",
      template,
      [...templates.keys()],
      templates.size === 0
        ? "The tokenizer has none; a template itself has {{ … }} or {% … %} in it."
        : `The tokenizer has ${[...templates.keys()].map((name) => shown(name)).join(", ")}.`,
    );
  }
  const own = (tools !== undefined ? templates.get("tool_use") : undefined) ?? templates.get("default");
  if (own !== undefined) return own;
  throw new InputError(
    templates.size === 0
      ? "The model's tokenizer has no chat template, as of a model that was not trained on conversations: pass one as `template`, or write the prompt as a text."
      : `The tokenizer has several chat templates and no default: choose one with \`template\` (${[...templates.keys()].map((name) => shown(name)).join(", ")}).`,
    { asked: "chat_template", found: [...templates.keys()] },
  );
}

function checkMessages(messages: unknown): void {
  if (!Array.isArray(messages) || messages.length === 0) {
    throw new InputError(
      `A conversation is a list of at least one message, such as [{ role: "user", content: "Hello" }], not ${Array.isArray(messages) ? "an empty list" : kindOf(messages)}.`,
      { asked: messages },
    );
  }
  for (const [i, message] of messages.entries()) {
    if (isFields(message) && typeof message.role === "string") continue;
    throw new InputError(
      `Message ${i} of the conversation must be an object with a role and content, such as { role: "user", content: "Hello" }, not ${shown(message)}.`,
      { asked: message },
    );
  }
}
