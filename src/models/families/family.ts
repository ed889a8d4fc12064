/** What a model family is: how its `config.json` and its weights' names turn into ours. */
import type { NDArray } from "../../tensor/array.ts";
import type { HookedTransformerConfig } from "../config/config.ts";
import type { CheckpointLayout } from "./checkpoint.ts";

export type ConfigJson = Readonly<Record<string, unknown>>;

/** Where a model comes from, as far as reading it depends on it. */
export interface FamilyContext {
  /** Hugging Face id, or the folder's name. */
  readonly repoName: string;
  /** Names of the checkpoint's arrays, once they are known. */
  readonly weightNames?: readonly string[];
  /** Called with each decision made for you, as a sentence. */
  readonly note: (sentence: string) => void;
}

export interface ModelFamily {
  readonly name: string;
  /** The token embedding's name in its checkpoints, by which a wrapper's prefix to all names is known. */
  readonly embedding: string;
  /** @throws ConfigError for the names of a checkpoint's arrays that are of something else */
  checkNames?(names: readonly string[], configJson: ConfigJson, repoName: string): void;
  /** The names of a checkpoint's arrays as the family knows them, where they differ. */
  renamed?(name: string): string;
  /** A prefix that the names in its checkpoints may have. */
  readonly prefix?: string;
  /** What stands before the token embedding's name in some of its models, as a part of their own. */
  readonly within?: string;
  /** Whether a `config.json` is this family's. */
  matches(configJson: ConfigJson, repoName: string): boolean;
  /** @throws ConfigError for a field that is unknown, missing, or asks for something that cannot be computed. */
  config(configJson: ConfigJson, context: FamilyContext): HookedTransformerConfig;
  /**
   * Which arrays each weight is made of in a checkpoint that has these names: such models are read weight by weight. Families that
   * need all arrays together have `weights`.
   */
  layout?(config: HookedTransformerConfig, has: (name: string) => boolean, json: ConfigJson): CheckpointLayout;
  /**
   * The checkpoint's arrays under TransformerLens' names and in its layout; `raw` is not changed, and arrays that need no
   * change are shared with it. @throws WeightsError for an array that is missing or unexpected.
   */
  weights?(
    raw: ReadonlyMap<string, NDArray>,
    config: HookedTransformerConfig,
    context: FamilyContext,
  ): Map<string, NDArray<"float32">>;
}

/** The last part of "org/name". */
export function shortName(repoName: string): string {
  return repoName.replace(/\/+$/, "").split("/").at(-1) || repoName;
}
