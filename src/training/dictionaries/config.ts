/** The configuration of a dictionary while it is trained, and once it is. */
import { ACTIVATIONS, type Activation } from "../../dictionaries/activations.ts";
import { architectureName } from "../../dictionaries/architectures.ts";
import { compositionOf, type DictionaryConfig, dictionaryConfig } from "../../dictionaries/config.ts";
import { ConfigError } from "../../tensor/errors.ts";
import { comparesBatches, TRAINING_KINDS, type TrainingKindName } from "./kinds.ts";

/** What a run decides of a dictionary's configuration. */
export interface TrainedConfig extends Partial<Omit<DictionaryConfig, "architecture" | "rescaleActsByDecoderNorm">> {
  readonly kind: TrainingKindName;
  readonly dIn: number;
  readonly dSae: number;
  /** Whether it makes another value than it reads, and whether a skip connection carries its input there. */
  readonly transcoder?: boolean | undefined;
  readonly skip?: boolean | undefined;
}

/**
 * The configuration while it is trained: `k` may be a fraction where whole batches are compared, and features are compared times the norms
 * of their decoder's rows, as in SAELens. @throws ConfigError for values that contradict each other
 */
export function configWhileTrained({
  kind,
  transcoder = false,
  skip = false,
  k,
  ...given
}: TrainedConfig): DictionaryConfig {
  const { trains, rescales } = TRAINING_KINDS[kind];
  const { takesK }: Activation = ACTIVATIONS[trains];
  const architecture = architectureName({ activation: trains, transcoder, skip });
  if (skip && !transcoder) {
    throw new ConfigError("A skip connection is a transcoder's: say which hook point it makes, or leave skip out.", {
      asked: "skip",
    });
  }
  if (takesK && k != null && !Number.isInteger(k) && !comparesBatches(kind)) {
    throw new ConfigError(
      `A "${kind}" dictionary keeps a whole number of features per token, not ${k}: "batchtopk" takes fractions.`,
      { asked: k, nearest: "batchtopk" },
    );
  }
  if (k == null) return dictionaryConfig({ ...given, architecture, rescaleActsByDecoderNorm: rescales });
  const whole = takesK ? Math.max(1, Math.floor(k)) : k;
  return { ...dictionaryConfig({ ...given, architecture, k: whole, rescaleActsByDecoderNorm: rescales }), k };
}

/** The configuration of what a run ends with, before norms are folded. */
export function configOnceTrained(kind: TrainingKindName, cfg: DictionaryConfig): DictionaryConfig {
  if (!comparesBatches(kind)) return cfg;
  const architecture = architectureName({ ...compositionOf(cfg), activation: TRAINING_KINDS[kind].becomes });
  return { ...cfg, architecture, k: null, rescaleActsByDecoderNorm: false };
}
