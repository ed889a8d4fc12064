/** Timing on a shared machine: variants run alternately, medians are quoted, and ratios are within one run. */

export interface Measured {
  readonly median_ms: number;
  readonly min_ms: number;
  readonly runs: readonly number[];
}

/**
 * Runs every variant once to warm up, then all of them alternately, `runs` times.
 * @param again runs each before it is timed, too: of jobs that go on for hours, whose first run after another one counts for nothing
 */
export async function inTurn<K extends string>(
  variants: { readonly [N in K]: () => Promise<unknown> },
  runs = 7,
  again = false,
): Promise<{ readonly [N in K]: Measured }> {
  const names = Object.keys(variants) as K[];
  const times = new Map(names.map((name): [K, number[]] => [name, []]));
  for (const name of names) await variants[name]();
  for (let i = 0; i < runs; i++) {
    for (const name of names) {
      if (again) await variants[name]();
      const start = performance.now();
      await variants[name]();
      times.get(name)!.push(performance.now() - start);
    }
  }
  const measured = (list: readonly number[]): Measured => {
    const sorted = [...list].sort((a, b) => a - b);
    return { median_ms: sorted[Math.floor(sorted.length / 2)], min_ms: sorted[0], runs: list };
  };
  return Object.fromEntries(names.map((name) => [name, measured(times.get(name)!)])) as Record<K, Measured>;
}

/** The most memory that this process has held, in MB. */
export const peakMb = (): number => Math.round(process.resourceUsage().maxRSS / 1024);

export const rounded = (x: number, digits = 2): number => Number(x.toFixed(digits));
