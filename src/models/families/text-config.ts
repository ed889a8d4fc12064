/**
 * The language model inside a model of several kinds of input, whose `config.json` describes it in `text_config`: it is opened, and
 * what reads pictures or sound is left out.
 */
import { ConfigError } from "../../tensor/errors.ts";
import { OBJECT } from "../../tensor/kinds.ts";
import { shown } from "../../tensor/show.ts";
import { withArticle } from "../../tensor/words.ts";
import type { ConfigJson, ModelFamily } from "./family.ts";

/** The language model's configuration in a configuration; `undefined` if it has none. */
export function textConfigOf(json: ConfigJson): ConfigJson | undefined {
  const inner = Object.hasOwn(json, "text_config") ? json.text_config : undefined;
  if (!OBJECT.accepts(inner) || typeof (inner as ConfigJson).model_type !== "string") return undefined;
  // Whether the unembedding is the embedding is said of the whole in newer files, and of the language model in older ones.
  const tied = json.tie_word_embeddings === undefined ? {} : { tie_word_embeddings: json.tie_word_embeddings };
  return { ...tied, ...(inner as ConfigJson) };
}

/** What precedes the language model's names in files that transformers has written since version 4.52, and before. */
const NEWER = /^model\.language_model\./;
const PREFIX = "language_model.";
const PART = /(^|\.)language_model\./;

/** A family of language models, as a part of a larger model. */
export function asPart(family: ModelFamily): ModelFamily {
  const inner = (json: ConfigJson) => textConfigOf(json) ?? json;
  const { layout } = family;
  return {
    ...family,
    matches: (json, repoName) => family.matches(inner(json), repoName),
    config(json, context) {
      context.note(
        `config.json is of a ${shown(json.model_type)} model; its language model is opened, and the rest left out.`,
      );
      return family.config(inner(json), context);
    },
    checkNames(names, json, repoName) {
      if (names.some((name) => PART.test(name))) return;
      throw new ConfigError(
        `${repoName} is a model of the architecture ${shown(json.model_type)}, which is not supported: its language model would be ${withArticle(family.name)} model, but no name of its weights has the part "${PREFIX}" that says which are the language model's. Save that by itself, with \`model.language_model.save_pretrained(folder)\` of transformers, and open the folder.`,
        { asked: json.model_type, found: names, nearest: family.name },
      );
    },
    renamed: (name) => name.replace(NEWER, `${PREFIX}model.`).replace(/^lm_head\./, `${PREFIX}lm_head.`),
    ...(layout && { layout: (config, has, json) => layout(config, has, inner(json)) }),
  };
}
