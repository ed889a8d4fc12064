/** A vocabulary from older files, put together with what its class has around it, as a `tokenizer.json` would be. */

import { FileFormatError } from "../../tensor/errors.ts";
import { shown } from "../../tensor/show.ts";
import type { Settings } from "../classes/settings.ts";
import type { Around, Pipeline, Role } from "../classes/tokenizer-class.ts";
import type { Fields } from "../component.ts";
import type { AddedToken } from "../tokenizer-json.ts";

export interface Assembled {
  /** A `tokenizer.json` without a post-processor: that needs ids, which are known when all tokens are added. */
  readonly json: Fields;
  /** The special tokens, if no file names others. */
  readonly usual: Partial<Record<Role, string>>;
  /** The whole `tokenizer.json`. */
  readonly complete: (
    added: readonly { readonly id: number; readonly token: AddedToken }[],
    token: (role: Role) => string | undefined,
    idOf: (token: string | undefined) => number | undefined,
  ) => Fields;
  readonly notes: readonly string[];
}

interface Parts {
  readonly pipeline: Pipeline;
  /** `vocab` and, for BPE, `merges`. */
  readonly vocabulary: Fields;
  readonly addedTokens?: readonly Fields[];
  readonly usual: Partial<Record<Role, string>>;
  /** Undefined: BOS and EOS as the settings say. */
  readonly around: Around | undefined;
  readonly settings: Pick<Settings, "addBos" | "addEos">;
  readonly notes?: readonly string[];
}

export function assemble({
  pipeline,
  vocabulary,
  addedTokens = [],
  usual,
  around,
  settings,
  notes = [],
}: Parts): Assembled {
  const { model, normalizer, preTokenizer, decoder } = pipeline;
  const json = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: addedTokens,
    normalizer,
    pre_tokenizer: preTokenizer,
    post_processor: null,
    decoder,
    model: { ...model, ...vocabulary },
  };
  return {
    json,
    usual,
    notes,
    complete: (added, token, idOf) => {
      const { before, after } = around ?? {
        before: settings.addBos ? (["bos"] as const) : [],
        after: settings.addEos ? (["eos"] as const) : [],
      };
      const found = (roles: readonly Role[]) =>
        roles.flatMap((role) => {
          const name = token(role);
          const id = idOf(name);
          if (id !== undefined) return [{ name: name as string, id }];
          if (!around) return []; // a model without the token has none to add
          throw new FileFormatError(
            `The tokenizer's vocabulary lacks ${shown(name ?? usual[role])}, which its class puts around every text: is it this model's?`,
            { asked: name },
          );
        });
      return {
        ...json,
        added_tokens: added.map(({ id, token: { content, singleWord, lstrip, rstrip, normalized, special } }) => ({
          ...addedToken(id, content, special),
          single_word: singleWord,
          lstrip,
          rstrip,
          normalized,
        })),
        post_processor: template(found(before), found(after)),
      };
    },
  };
}

interface Framing {
  readonly name: string;
  readonly id: number;
}

function template(before: readonly Framing[], after: readonly Framing[]): Fields {
  const special = ({ name }: Framing) => ({ SpecialToken: { id: name, type_id: 0 } });
  const text = (id: string) => ({ Sequence: { id, type_id: id === "A" ? 0 : 1 } });
  const one = (id: string) => [...before.map(special), text(id), ...after.map(special)];
  return {
    type: "TemplateProcessing",
    single: one("A"),
    pair: [...one("A"), ...one("B")],
    special_tokens: Object.fromEntries(
      [...before, ...after].map(({ name, id }) => [name, { id: name, ids: [id], tokens: [name] }]),
    ),
  };
}

/** An entry of `added_tokens`. */
export function addedToken(id: number, content: string, special: boolean): Fields {
  return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special };
}
