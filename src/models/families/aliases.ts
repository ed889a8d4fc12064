/** The models that are known by name, as TransformerLens has them. */
import { ArgumentError, ConfigError, UnknownNameError } from "../../tensor/errors.ts";
import { kindOf } from "../../tensor/show.ts";
import { LISTED } from "./listed-models.ts";
import { ARCHITECTURE_NAMES, refuseKnownName, refuseLacking } from "./not-computed.ts";

/** The models known by name, by architecture: Hugging Face id to its short names. */
export const LISTED_BY_ARCHITECTURE: ReadonlyMap<string, ReadonlyMap<string, readonly string[]>> = new Map(
  LISTED.map(({ called, models }) => [
    called,
    new Map(
      models
        .trim()
        .split("\n")
        .map((line) => line.trim().split(" "))
        .map(([id, ...names]) => [id, names]),
    ),
  ]),
);

/** The models known by name: Hugging Face id to its short names. */
export const MODEL_ALIASES: ReadonlyMap<string, readonly string[]> = new Map(
  [...LISTED_BY_ARCHITECTURE.values()].flatMap((models) => [...models]),
);

/** The first release of LLaMA, which TransformerLens names, but which is not on the hub. */
const LLAMA_1 = /^llama-(7|13|30|65)b(-hf)?$/i;

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
  if (official !== undefined) {
    refuseLacking(official);
    return official;
  }
  if (LLAMA_1.test(name.trim())) {
    throw new ConfigError(
      `"${name.trim()}" is the first release of LLaMA, which is not on the hub: convert its weights with transformers, and name the folder.`,
      { asked: name },
    );
  }
  if (HUB_ID.test(name)) return name;
  refuseKnownName(name);
  throw new UnknownNameError(
    "model",
    name,
    [...OFFICIAL_NAME.keys(), ...ARCHITECTURE_NAMES],
    "Use one of the known names (`glassformer models` lists them), a Hugging Face id (org/name), or the path of a folder.",
  );
}
