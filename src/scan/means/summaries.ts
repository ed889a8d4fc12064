/** What the scan of means remembers of each hook point. */
import type { Point } from "../points.ts";
import { Counts } from "../summaries/counts.ts";
import { GridSums } from "../summaries/grid-sums.ts";
import { type Summary, type SummaryState, stateOfPart, withName } from "../summaries/summary.ts";

/** Sums of a hook point, of which there are as many as numbers at a token. */
export interface PointSizes {
  readonly width: number;
  /** Of how many positions, from 0, the sums are added up on their own. */
  readonly positions: number;
  /** Whether products of all pairs are added up. */
  readonly covariance: boolean;
}

/** A hook point, and what is added up of it. */
export interface MeanPoint extends Point, PointSizes {}

/** The memory that a sum takes, in bytes. */
export const SUM_BYTES = 48;

/** How many sums a hook point has. */
export function sumsOf({ width, positions, covariance }: PointSizes): number {
  return width * (2 + positions) + (covariance ? (width * (width + 1)) / 2 : 0);
}

/** The sums of one hook point. */
export class PointSums implements Summary<PointSums> {
  /** Over all tokens but BOS: [width] each. */
  readonly sums: GridSums;
  readonly squares: GridSums;
  /** At each position, BOS too: [pos width]. */
  readonly byPosition: GridSums;
  /** Of the products of two numbers, the pairs (i, j) with i ≤ j one after the other; without any if they are not added up. */
  readonly products: GridSums;

  constructor({ width, positions, covariance }: PointSizes) {
    this.sums = new GridSums(width);
    this.squares = new GridSums(width);
    this.byPosition = new GridSums(positions * width);
    this.products = new GridSums(covariance ? (width * (width + 1)) / 2 : 0);
  }

  merge(other: PointSums): void {
    for (const part of PARTS) this[part].merge(other[part]);
  }

  state(): SummaryState {
    return Object.assign({}, ...PARTS.map((part) => withName(part, this[part].state())));
  }

  restore(state: SummaryState): void {
    for (const part of PARTS) this[part].restore(stateOfPart(part, state));
  }
}

const PARTS = ["sums", "squares", "byPosition", "products"] as const;

/** `tokens`, `positions`, and the sums of each hook point under its number. */
export type MeansSummaries = Readonly<Record<string, Summary<never>>> & {
  /** Tokens that are counted, at index 0. */
  readonly tokens: Counts;
  /** How many rows have each position. */
  readonly positions: Counts;
};

export function emptyMeans(points: readonly PointSizes[], positions: number): MeansSummaries {
  return {
    ...Object.fromEntries(points.map((sizes, i) => [pointName(i), new PointSums(sizes)])),
    tokens: new Counts(1),
    positions: new Counts(positions),
  } as unknown as MeansSummaries;
}

/** What the sums of a hook point are called. */
export const pointName = (index: number): string => `point_${index}`;

/** The sums of a hook point by its number. */
export function pointSums(summaries: MeansSummaries, index: number): PointSums {
  return summaries[pointName(index)] as unknown as PointSums;
}
