/** Weights that are stored quantised, as `quantization_config` of a `config.json` says. */
import { ConfigError } from "../../tensor/errors.ts";
import { shown } from "../../tensor/show.ts";

/**
 * @param config the field; one that holds nothing says nothing
 * @param what kind of model it is
 * @param read the methods that are read
 * @throws ConfigError for any other
 */
export function refuseQuantised(config: unknown, what: string, ...read: readonly string[]): void {
  const isObject = typeof config === "object" && config !== null;
  if (config === undefined || config === null || (isObject && Object.keys(config).length === 0)) return;
  const method =
    isObject && Object.hasOwn(config, "quant_method") ? (config as Record<string, unknown>).quant_method : undefined;
  if (read.includes(method as string)) return;
  const how = method === undefined ? "in a way that it does not name" : `as ${shown(method)}`;
  throw new ConfigError(
    `The weights of ${what} are quantised ${how} (quantization_config in its config.json), which is not read${read.length > 0 ? ` (${read.map((one) => shown(one)).join(", ")} is)` : ""}: open the repository that it was made from, or a GGUF file of the model.`,
    { asked: "quantization_config", found: method ?? config },
  );
}
