/** The models of Hugging Face's library. */
import { built, Component } from "../component.ts";
import { bpe } from "./bpe.ts";
import type { Model } from "./model.ts";
import { unigram } from "./unigram.ts";
import { wordLevel } from "./word-level.ts";
import { wordPiece } from "./word-piece.ts";

export const MODELS: Readonly<Record<string, (component: Component) => Model>> = {
  BPE: bpe,
  Unigram: unigram,
  WordLevel: wordLevel,
  WordPiece: wordPiece,
};

/** The model that a `tokenizer.json` describes; older files do not give its type, but the fields reveal it. */
export function modelOf(json: unknown): Model {
  const component = new Component(json, "model");
  if (component.type !== undefined) return built(component, MODELS, "model");
  const make = component.has("merges")
    ? bpe
    : component.has("max_input_chars_per_word")
      ? wordPiece
      : component.has("unk_token")
        ? wordLevel
        : component.has("unk_id")
          ? unigram
          : undefined;
  if (!make) return built(component, MODELS, "model");
  const model = make(component);
  component.done();
  return model;
}
