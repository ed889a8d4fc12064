/** Two runs with a dictionary and its error term: what differs between them, and the second with parts of the first put in. */
import type { Tensor } from "../../graph/tensor.ts";
import type { HookedTransformer } from "../../lens/hooked-transformer.ts";
import { oneForEach } from "../../lens/metric.ts";
import type { ModelGraph } from "../../lens/model-graph.ts";
import type { Runs } from "../contrast.ts";
import { featureCells, positionCells } from "../features/cells.ts";
import { checkSameLength, gradientsAt, metricNumber } from "../metric-gradients.ts";

/** What is at a dictionary's hook point, by the point within it. */
const POINTS = {
  features: "hook_sae_acts_post",
  error: "hook_sae_error",
  whole: "hook_sae_output",
} as const;

/** What is patched together: all features, what the dictionary misses, or the whole hook point. */
export type PatchedPart = keyof typeof POINTS;

export const PATCHED_PARTS = Object.keys(POINTS) as PatchedPart[];

/** A feature at a position that differs between the runs. */
export interface DifferingFeature {
  readonly pos: number;
  readonly d_sae: number;
  /** Its activations, the mean over prompts. */
  readonly clean: number;
  readonly corrupted: number;
  /** `(clean − corrupted) · gradient` at the corrupted run, summed over prompts. */
  readonly estimated: number;
}

/** A value in both runs, and the metric's gradient at it, [batch pos …]. */
interface PartNumbers {
  readonly clean: Tensor;
  readonly corrupted: Tensor;
  readonly slope: Tensor;
}

/** Both runs as graphs, which read their numbers. */
export async function contrastingRuns(
  view: HookedTransformer,
  at: string,
  { clean, corrupted, metric, read }: Runs,
  signal: AbortSignal | undefined,
): Promise<ContrastingRuns> {
  const names = PATCHED_PARTS.map((part) => `${at}.${POINTS[part]}`);
  const source = view.graph(clean, read);
  const graph = view.graph(corrupted, read).readyFor(names);
  checkSameLength(source, graph);
  const number = metricNumber(graph, metric);
  const points = names.map((name) => graph.at(name));
  const { gradients } = gradientsAt(number, points);
  const wanted = [...names.map((name) => source.at(name)), ...points, ...gradients];
  const computed = await view.compute([number, ...wanted], { signal });
  const of = (group: number, part: number) => computed[1 + group * names.length + part];
  const numbers = PATCHED_PARTS.map(
    (part, i) => [part, { clean: of(0, i), corrupted: of(1, i), slope: of(2, i) }] as const,
  );
  return new ContrastingRuns({ at, graph, number, metric: computed[0].item(), parts: new Map(numbers) });
}

interface Read {
  readonly at: string;
  /** The corrupted run. */
  readonly graph: ModelGraph;
  /** Its metric, as a graph and as a number. */
  readonly number: Tensor;
  readonly metric: number;
  readonly parts: ReadonlyMap<PatchedPart, PartNumbers>;
}

class ContrastingRuns {
  readonly #read: Read;

  constructor(read: Read) {
    this.#read = read;
  }

  /** The metric of the corrupted run with the dictionary in place. */
  get metric(): number {
    return this.#read.metric;
  }

  /** Every position at which the hook point differs. */
  get positions(): number[] {
    const { clean, corrupted } = this.#of("whole");
    const [, length] = clean.shape;
    const differ = new Set<number>();
    for (const [at, pos] of places(clean)) if (differs(clean.data[at], corrupted.data[at])) differ.add(pos);
    return Array.from({ length }, (_, pos) => pos).filter((pos) => differ.has(pos));
  }

  /** The features that differ, position by position. */
  get features(): DifferingFeature[] {
    const { clean, corrupted, slope } = this.#of("features");
    const [batch, length, dSae] = clean.shape;
    const found: DifferingFeature[] = [];
    for (let pos = 0; pos < length; pos++) {
      for (let d_sae = 0; d_sae < dSae; d_sae++) {
        let [isDifferent, before, after, estimated] = [false, 0, 0, 0];
        for (let row = 0; row < batch; row++) {
          const i = (row * length + pos) * dSae + d_sae;
          const [from, to] = [corrupted.data[i], clean.data[i]];
          isDifferent ||= differs(from, to);
          before += from / batch;
          after += to / batch;
          estimated += (to - from) * slope.data[i];
        }
        if (isDifferent) found.push({ pos, d_sae, clean: after, corrupted: before, estimated });
      }
    }
    return found;
  }

  /** What patching a part at some positions would change to first order: the sum of `(clean − corrupted) · gradient`. */
  estimate(part: PatchedPart, positions: readonly number[]): number {
    const { clean, corrupted, slope } = this.#of(part);
    const here = new Set(positions);
    let sum = 0;
    for (const [i, pos] of places(clean)) if (here.has(pos)) sum += (clean.data[i] - corrupted.data[i]) * slope.data[i];
    return sum;
  }

  /** The metric of the corrupted run with one feature of the clean one at one position, for each of some, [cell]. */
  withFeatures(some: readonly DifferingFeature[]): Tensor {
    return this.#patched("features", some.length, featureCells(some, this.#of("features").clean));
  }

  /** The metric with a part of the clean run at the same time at all of a cell's positions, [cell]. */
  withPart(part: PatchedPart, cells: readonly (readonly number[])[]): Tensor {
    return this.#patched(part, cells.length, positionCells(cells, this.#of(part).clean));
  }

  #patched(part: PatchedPart, count: number, mask: Tensor): Tensor {
    const { at, graph, number } = this.#read;
    const { clean } = this.#of(part);
    const edited = graph.with([[`${at}.${POINTS[part]}`, (x) => clean.where(mask, x)]]);
    return oneForEach(edited.follow(number), edited.output, "cell", count);
  }

  #of(part: PatchedPart): PartNumbers {
    return this.#read.parts.get(part)!;
  }
}

/** The index of each number of a value [batch pos …], and its position. */
function* places({ shape }: Tensor): Iterable<readonly [index: number, pos: number]> {
  const [batch, length, ...rest] = shape;
  const width = rest.reduce((product, n) => product * n, 1);
  for (let i = 0; i < batch * length * width; i++) yield [i, Math.floor(i / width) % length];
}

/** Whether two numbers of two runs differ by more than rounding does. */
function differs(a: number, b: number): boolean {
  return Math.abs(a - b) > 1e-5 * Math.max(Math.abs(a), Math.abs(b));
}
