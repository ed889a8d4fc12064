/** `rope_parameters` of a Hugging Face config.json, from a GGUF file's settings and its tensors of factors. */
import { ConfigError } from "../../../tensor/errors.ts";
import { shown } from "../../../tensor/show.ts";
import type { GgufSettings } from "./settings.ts";

type Parameters = Readonly<Record<string, unknown>>;

/** Tensors that belong to the configuration. */
export const ROPE_TENSORS = /^(blk\.\d+\.)?rope_(freqs|factors_long|factors_short)\.weight$/;

/** @throws ConfigError for a scaling that cannot be expressed in Hugging Face's words */
export function ropeParameters(s: GgufSettings): Parameters {
  const rope_theta = s.or("rope.freq_base", 10000);
  return { rope_theta, ...scaling(s, rope_theta) };
}

function scaling(s: GgufSettings, base: number): Parameters {
  const type = s.text("rope.scaling.type") ?? "none";
  const factor = s.maybe("rope.scaling.factor") ?? s.maybe("rope.scale_linear");
  const long = factorsOf(s, "rope_factors_long");
  const original = s.maybe("rope.scaling.original_context_length");
  if (long) {
    return {
      rope_type: "longrope",
      long_factor: long,
      short_factor: factorsOf(s, "rope_factors_short"),
      ...defined({ attention_factor: s.maybe("rope.scaling.attn_factor"), original_max_position_embeddings: original }),
    };
  }
  const freqs = factorsOf(s, "rope_freqs");
  if (freqs?.some((f) => f !== 1)) return byParts(freqs, base);
  if ((type === "linear" || type === "none") && factor !== undefined && factor !== 1) {
    return { rope_type: "linear", factor };
  }
  if (type === "yarn") {
    return {
      rope_type: "yarn",
      ...defined({
        factor,
        original_max_position_embeddings: original,
        attention_factor: s.maybe("rope.scaling.yarn_attn_factor"),
        beta_fast: s.maybe("rope.scaling.yarn_beta_fast"),
        beta_slow: s.maybe("rope.scaling.yarn_beta_slow"),
      }),
    };
  }
  if (type === "none" || type === "linear") return { rope_type: "default" };
  throw new ConfigError(
    `The rotary positions of the GGUF file are scaled by ${shown(type)}, which is not supported: none, linear, yarn or factors.`,
    { asked: "rope.scaling.type", found: type },
  );
}

function factorsOf(s: GgufSettings, name: string): readonly number[] | undefined {
  const found = s.small.get(`${name}.weight`) ?? s.small.get(`blk.0.${name}.weight`);
  return found && [...found.data];
}

function defined(fields: Parameters): Parameters {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** Where Llama 3.1's scaling begins and ends to be whole, as all published models have it. */
const [LOW, HIGH] = [1, 4];
/** Lengths of training. Published: 8192. */
const LENGTHS = [8192, ...Array.from({ length: 17 }, (_, i) => 2 ** (i + 4))];

/**
 * Llama 3.1's scaling, of which the file has only what comes of it: by how much each pair of dimensions turns more slowly.
 * @throws ConfigError for factors that do not come of it
 */
function byParts(factors: readonly number[], base: number): Parameters {
  const factor = Math.max(...factors);
  const turns = factors.map((_, i) => base ** (-i / factors.length) / (2 * Math.PI));
  const fits = (length: number, high: number) =>
    factors.every((f, i) => Math.abs(partOf(turns[i] * length, factor, high) / f - 1) < 1e-4);
  const made = (length: number, high: number) => ({
    rope_type: "llama3",
    factor,
    low_freq_factor: LOW,
    high_freq_factor: high,
    original_max_position_embeddings: length,
  });
  const share = (i: number) => (1 / factors[i] - 1 / factor) / (1 - 1 / factor);
  const between = factors.flatMap((f, i) => (f > 1 && f < factor ? [i] : []));
  const [first, last] = [between[0], between.at(-1)];
  // A pair in between says the length, if the scaling begins and ends as usual; two of them say it in any case.
  const lengths = first === undefined ? LENGTHS : [Math.round((LOW + share(first) * (HIGH - LOW)) / turns[first])];
  const usual = lengths.find((length) => fits(length, HIGH));
  if (usual !== undefined) return made(usual, HIGH);
  if (first !== undefined && last !== undefined && last > first) {
    const slope = (share(first) - share(last)) / (turns[first] - turns[last]);
    const span = LOW / (slope * turns[first] - share(first));
    const [length, high] = [Math.round(slope * span), Number((LOW + span).toPrecision(6))];
    if (fits(length, high)) return made(length, high);
  }
  throw new ConfigError(
    `The factors of rotary positions in the GGUF file (rope_freqs) are not those of Llama 3.1's scaling, the only one that is read from them: ${shown(factors)}.`,
    { asked: "rope_freqs", found: factors },
  );
}

/** The factor of a pair. @param turns how often it turns in the length of training */
function partOf(turns: number, factor: number, high: number): number {
  if (turns > high) return 1;
  if (turns < LOW) return factor;
  const share = (turns - LOW) / (high - LOW);
  return 1 / ((1 - share) / factor + share);
}
