/** Means of hook points over a corpus, and how activations vary around them: what mean ablation, steering and principal components need. */
import { Tensor } from "../graph/tensor.ts";
import type { Model } from "../lens/model.ts";
import { lastStream } from "../lens/model-has.ts";
import { indexOf } from "../measures/diffuse-mlp/prompts.ts";
import { getActName } from "../models/act-name.ts";
import type { TextsOption } from "../options/records.ts";
import { ndarray } from "../tensor/array.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { needMemory } from "../tensor/free-memory.ts";
import type { ScanBatch } from "./batches.ts";
import { countedPlaces } from "./counted.ts";
import { meansFiles } from "./means/files.ts";
import { meansFinding, meansTables } from "./means/finding.ts";
import { emptyMeans, type MeanPoint, type MeansSummaries, pointSums, SUM_BYTES, sumsOf } from "./means/summaries.ts";
import { POINTS_OPTION, type Point, pointsOf } from "./points.ts";
import { type ModelScan, mostTokensFor, scan } from "./scan.ts";

/** What mean ablation replaces, and the streams. */
const USUAL = ["z", "attn_out", "mlp_out", "post", "resid_pre"];
/** By itself, the covariance of no wider hook point is computed. */
const WIDEST = 1024;

const OPTIONS = {
  at: POINTS_OPTION,
  positions: {
    type: "integer",
    placeholder: "n",
    least: 0,
    default: 16,
    description: "how many positions also have means of their own",
  },
  covariance: {
    type: "texts",
    placeholder: "hook",
    description: 'hook points that also have their covariance; "none" for none',
    defaultText: `the streams, if they have at most ${WIDEST} numbers`,
  } satisfies TextsOption,
} as const;

export const meansScan = scan({
  name: "means",
  question: "What is the mean of each hook point, and how much of its activations is that?",
  description:
    "For hook points the mean over all tokens but BOS, the mean at each of the first positions, the spread of each number, and the covariance: as safetensors files, for mean ablation, steering and principal components.",
  options: OPTIONS,
  on(model, options, { maxLength }) {
    const points = meanPointsOf(model, options, maxLength);
    const positions = Math.min(options.positions, maxLength);
    needMemory({
      what: "The sums of these hook points",
      bytes: 2 * SUM_BYTES * points.reduce((n, point) => n + sumsOf(point), 0),
      advice: "name fewer hook points (--at), fewer positions (--positions), or fewer covariances (--covariance)",
    });
    const one: ModelScan<MeansSummaries> = {
      mostTokens: mostTokensFor(points.reduce((n, { width }) => n + width, 0)),
      columns: [],
      empty: () => emptyMeans(points, positions),
      async measure(batch, into) {
        const places = countedPlaces(model, batch);
        into.tokens.add(0, places.length);
        for (const { ids } of batch.rows) {
          for (let pos = 0; pos < Math.min(positions, ids.length); pos++) into.positions.add(pos);
        }
        const index = indexOf(places);
        const mask = positionsOf(batch, positions);
        const graph = model.graph(batch.tokens);
        const values = points.map((point) => numbersOf(point, graph.at(point.name), index, mask));
        const computed = (await model.compute(values.flat())).map(({ data }) => data as Float32Array);
        for (const [i, point] of points.entries()) add(point, computed.splice(0, values[i].length), pointSums(into, i));
      },
      finding: (summaries, about) => meansFinding(model, points, summaries, about),
      tables: (summaries) => meansTables(points, summaries),
      files: (summaries) => meansFiles(points, summaries),
    };
    return one;
  },
});

function meanPointsOf(
  model: Model,
  {
    at,
    covariance,
    positions,
  }: {
    readonly at?: readonly string[] | undefined;
    readonly covariance?: readonly string[] | undefined;
    readonly positions: number;
  },
  maxLength: number,
): readonly MeanPoint[] {
  const isThere = (site: string) => model.hookNames.includes(getActName(site, model.cfg.nLayers - 1));
  const usual = [...USUAL.filter(isThere), lastStream(model)];
  const points = pointsOf(model, at ?? usual);
  const isNone = covariance?.length === 1 && covariance[0] === "none";
  const named = covariance && !isNone ? pointsOf(model, covariance).map(({ name }) => name) : [];
  const missing = named.find((name) => !points.some((point) => point.name === name));
  if (missing !== undefined) {
    throw new ArgumentError(
      `--covariance names ${missing}, which is not among the hook points: name it in --at, too.`,
      {
        asked: missing,
        found: points.map(({ name }) => name),
      },
    );
  }
  const withCovariance = ({ name, width }: Point) =>
    covariance ? named.includes(name) : width <= WIDEST && /\.hook_resid_(pre|mid|post)$/.test(name);
  return points.map((point) => ({
    ...point,
    positions: Math.min(positions, maxLength),
    covariance: withCovariance(point),
  }));
}

/** 1 at each token of the first positions, float32 [batch pos one]; undefined if no position is on its own. */
function positionsOf({ rows }: ScanBatch, positions: number): Tensor | undefined {
  const pos = Math.min(positions, Math.max(...rows.map(({ ids }) => ids.length)));
  if (pos === 0) return undefined;
  const data = new Float32Array(rows.length * pos);
  rows.forEach(({ ids }, row) => {
    data.fill(1, row * pos, row * pos + Math.min(pos, ids.length));
  });
  return Tensor.leaf(ndarray("float32", [rows.length, pos, 1], data), ["batch", "pos", "one"]);
}

/** Sums and sums of squares [width], sums at positions [pos width], products of pairs [width width], as far as they are added up. */
function numbersOf({ width, covariance }: MeanPoint, value: Tensor, index: Tensor, mask: Tensor | undefined): Tensor[] {
  const flat = value.shape.length > 3 ? value.flatten(2) : value;
  const rows = flat.gatherRows(index).reshape({ row: -1, number: width });
  const first = mask && flat.slice(1, 0, mask.shape[1]).mul(mask).sum(0);
  return [
    rows.sum(0),
    rows.mul(rows).sum(0),
    ...(first ? [first] : []),
    ...(covariance ? [rows.transpose(0, 1).matmul(rows)] : []),
  ];
}

function add(
  { width, covariance }: MeanPoint,
  computed: readonly Float32Array[],
  into: ReturnType<typeof pointSums>,
): void {
  const [sums, squares, ...rest] = computed;
  for (let i = 0; i < width; i++) {
    into.sums.add(i, sums[i]);
    into.squares.add(i, squares[i]);
  }
  const products = covariance ? rest.pop()! : undefined;
  for (const first of rest) for (let i = 0; i < first.length; i++) into.byPosition.add(i, first[i]);
  if (!products) return;
  let at = 0;
  for (let i = 0; i < width; i++) {
    for (let j = i; j < width; j++) into.products.add(at++, products[i * width + j]);
  }
}
