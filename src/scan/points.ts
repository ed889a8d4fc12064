/** Which hook points a scan reads: by name, by site in every layer, or by a pattern with `*`. */
import { resolveName } from "../lens/hook-names.ts";
import type { Model } from "../lens/model.ts";
import { getActName } from "../models/act-name.ts";
import { recordingOf } from "../models/recording.ts";
import type { TextsOption } from "../options/records.ts";
import { ArgumentError } from "../tensor/errors.ts";

/** A hook point that holds numbers for each token. */
export interface Point {
  readonly name: string;
  /** Of a token: [d_model], [head d_head], … */
  readonly shape: readonly number[];
  /** How many numbers that is. */
  readonly width: number;
}

export const POINTS_OPTION = {
  type: "texts",
  placeholder: "hook",
  defaultText: "means: what mean ablation replaces, and the streams; activations: blocks.0.hook_mlp_out",
  description:
    'hook points: names (blocks.0.hook_mlp_out, z0), a site in every layer (mlp_out), or patterns ("blocks.*.hook_resid_*")',
} as const satisfies TextsOption;

/**
 * The hook points that names, sites and patterns mean, in the model's order.
 * @throws UnknownNameError for what means none, ArgumentError for one that does not hold numbers for each token
 */
export function pointsOf(model: Model, at: readonly string[]): readonly Point[] {
  const wanted = new Set(at.flatMap((one) => namesOf(model, one)));
  return model.hookNames.filter((name) => wanted.has(name)).map((name) => pointOf(model, name)!);
}

function namesOf(model: Model, at: string): readonly string[] {
  const { hookNames, cfg } = model;
  if (at.includes("*")) {
    const pattern = new RegExp(
      `^${at
        .split("*")
        .map((part) => part.replace(/[^\w]/g, "\\$&"))
        .join(".*")}$`,
    );
    const found = hookNames.filter((name) => pattern.test(name));
    const held = found.filter((name) => pointOf(model, name));
    if (held.length > 0) return held;
    throw new ArgumentError(
      found.length > 0
        ? `${at} means ${found.length} hook points, and none holds numbers for each token: name others.`
        : `${at} means none of the ${hookNames.length} hook points of ${cfg.modelName}, from ${hookNames[0]} to ${hookNames.at(-1)}.`,
      { asked: at, found },
    );
  }
  const inLayers = Array.from({ length: cfg.nLayers }, (_, layer) => siteName(at, layer));
  const there = inLayers.filter((name) => name !== undefined && hookNames.includes(name)) as string[];
  const names = there.length > 0 ? there : [resolveName(at, hookNames)];
  for (const name of names) {
    if (pointOf(model, name)) continue;
    throw new ArgumentError(
      `${name} does not hold numbers for each token, [batch pos …], but [${recordingOf(cfg).points.get(name)?.axes ?? "other values"}]: name another hook point.`,
      { asked: at, found: name },
    );
  }
  return names;
}

/** The name of a site in a layer, unless it is a whole name. */
function siteName(site: string, layer: number): string | undefined {
  return site.includes(".") || site.startsWith("hook_") || /\d/.test(site) ? undefined : getActName(site, layer);
}

function pointOf({ cfg }: Model, name: string): Point | undefined {
  const value = recordingOf(cfg).points.get(name);
  if (value?.axes[0] !== "batch" || value.axes[1] !== "pos" || value.dtype !== "float32") return undefined;
  const shape = value.shape.slice(2);
  return { name, shape, width: shape.reduce((a, b) => a * b, 1) };
}
