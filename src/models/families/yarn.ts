/** YaRN: rotary positions for texts longer than those of training. */

/** What files say about it; what they leave out is as in the paper. */
export interface Yarn {
  readonly factor: number;
  readonly beta_fast?: number | null | undefined;
  readonly beta_slow?: number | null | undefined;
  readonly truncate?: boolean | undefined;
  readonly attention_factor?: number | null | undefined;
  readonly mscale?: number | null | undefined;
  readonly mscale_all_dim?: number | null | undefined;
}

/**
 * The pair that turns n times over the length of training is `p(n) = dim log(length / 2πn) / (2 log base)`. With
 * `low = p(beta_fast)` and `high = p(beta_slow)`, rounded outwards if truncated, and `s = (i - low) / (high - low)` within 0 … 1
 * the frequency of pair i is multiplied by `s / factor + 1 - s`.
 * @returns what the frequency of each pair is divided by, [dim / 2]
 *
 * Source: Peng et al. 2023, arXiv 2309.00071; transformers' `_compute_yarn_parameters`.
 */
export function yarn(dim: number, base: number, length: number, settings: Yarn): readonly number[] {
  const { factor, truncate = true } = settings;
  const pairOf = (turns: number) => (dim * Math.log(length / (turns * 2 * Math.PI))) / (2 * Math.log(base));
  const [first, last] = [pairOf(settings.beta_fast || 32), pairOf(settings.beta_slow || 1)];
  const low = Math.max(truncate ? Math.floor(first) : first, 0);
  const high = Math.min(truncate ? Math.ceil(last) : last, dim - 1);
  const width = low === high ? 0.001 : high - low;
  return Array.from({ length: dim / 2 }, (_, pair) => {
    const share = Math.min(Math.max((pair - low) / width, 0), 1);
    return 1 / (share / factor + 1 - share);
  });
}

/** What turned dimensions are multiplied with, so that attention stays as sharp: `0.1 log(factor) + 1`, unless the file says. */
export function magnitudeOf({ factor, attention_factor, mscale, mscale_all_dim }: Yarn): number {
  const of = (scale: number) => (factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1);
  return attention_factor ?? (mscale && mscale_all_dim ? of(mscale) / of(mscale_all_dim) : of(1));
}
