/** A model that the worker has. */
import type { Checksum } from "../finding/finding.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";

export interface Opened {
  /** Its name in code. */
  readonly name: string;
  readonly model: HookedTransformer;
  /** Of its files. */
  readonly checksum: Promise<Checksum | undefined>;
}
