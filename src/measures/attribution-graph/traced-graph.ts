/** Which features become nodes, and the graph of them. */
import { needMemory } from "../../tensor/free-memory.ts";
import type { OnProgress } from "../../tensor/progress.ts";
import { counted } from "../../tensor/words.ts";
import type { EdgeRow, EdgeRows, TracedRun } from "./edges.ts";
import type { AttributionGraph, GraphNode } from "./graph.ts";
import { influenceSoFar, type KnownRow, mostInfluential } from "./select.ts";
import { type SparseRow, sparseMatrix, withoutZeros } from "./sparse.ts";

/** How features are chosen. */
export interface NodeChoice {
  /** The most features; `undefined`: all that are active. */
  readonly maxFeatureNodes: number | undefined;
  /** How many targets are asked for together. */
  readonly batchSize: number;
  /** After how many batches influence is computed again. */
  readonly updateInterval: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
}

/** A graph, and how far it is from adding up. */
export interface TracedGraph extends AttributionGraph {
  /** For each row of features, then of logits: what no source accounts for. */
  readonly constants: Float32Array;
  /** For each of these rows, what is read in the run: what all edges and the constant should sum to. */
  readonly rowTargets: Float32Array;
  /** The largest difference of a target from the sum of its edges, those from features that are left out included, and its constant. */
  readonly residual: number;
  /** How many features were active. */
  readonly activeFeatures: number;
  /** The places of the features that are nodes among those that were active. */
  readonly selectedFeatures: Uint32Array;
}

/** What a row of edges needs while it is collected, and again in the matrix: a column and a value, twice. */
const ENTRY_BYTES = 16;

/**
 * The graph of a run: logits, and all active features or those of them with the most influence. Where features leave no error,
 * what those that are left out write is put together as the errors.
 * @throws MemoryError, before any edge is computed, for a graph that does not fit
 */
export async function tracedGraph(run: TracedRun, rows: EdgeRows, choice: NodeChoice): Promise<TracedGraph> {
  const { count } = run.features.active;
  const most = Math.min(choice.maxFeatureNodes ?? count, count);
  checkFits(run, rows, most);
  const logits = await rows.rows({ layer: undefined, members: run.targets.nodes.map((_, i) => i) }, choice.signal);
  const found = new Map<number, EdgeRow>();
  if (most === count) await traceAll(run, rows, choice, found);
  else await traceMost(run, rows, logits, most, choice, found);
  const selected = Uint32Array.from(found.keys()).sort();
  return assembled(run, rows, selected, [...Array.from(selected, (i) => found.get(i)!), ...logits]);
}

/** @throws MemoryError for more edges than there is room for */
function checkFits({ model, features, targets }: TracedRun, rows: EdgeRows, most: number): void {
  const { count } = features.active;
  const edges = (most + targets.nodes.length) * rows.sources;
  needMemory({
    what: `An attribution graph of ${counted(most, "feature")}, each with up to ${counted(rows.sources, "edge")},`,
    bytes: ENTRY_BYTES * (most === count ? edges / 2 : edges),
    advice: `ask for fewer features with maxFeatureNodes (of ${count} that are active), or use a shorter prompt`,
    limit: model.engine.memoryBytes,
  });
}

async function traceAll(
  { features: { active } }: TracedRun,
  rows: EdgeRows,
  { batchSize, signal, onProgress }: NodeChoice,
  found: Map<number, EdgeRow>,
): Promise<void> {
  for (let layer = active.starts.length - 2; layer >= 0; layer--) {
    for (let from = active.starts[layer]; from < active.starts[layer + 1]; from += batchSize) {
      const members = range(from, Math.min(from + batchSize, active.starts[layer + 1]));
      await trace(rows, layer, members, found, signal);
      onProgress?.({ done: found.size, total: active.count, unit: "features" });
    }
  }
}

/** Again and again the features with the most influence on the logits, along the edges that are known by then. */
async function traceMost(
  { features: { active }, targets }: TracedRun,
  rows: EdgeRows,
  logits: readonly EdgeRow[],
  most: number,
  { batchSize, updateInterval, signal, onProgress }: NodeChoice,
  found: Map<number, EdgeRow>,
): Promise<void> {
  const ends = logits.map(({ edges }, i): KnownRow => ({ source: undefined, weight: targets.nodes[i].weight, edges }));
  const candidates = range(0, active.count);
  while (found.size < most) {
    // Features of later layers come first, as they have higher numbers.
    const known = [...found].sort(([a], [b]) => b - a);
    const inner = known.map(([source, { edges }]): KnownRow => ({ source, weight: 0, edges }));
    const influence = influenceSoFar([...ends, ...inner], rows.sources);
    const left = candidates.filter((i) => !found.has(i));
    const next = mostInfluential(influence, left, Math.min(batchSize * updateInterval, most - found.size));
    for (let layer = 0; layer < active.starts.length - 1; layer++) {
      const members = next.filter((i) => active.starts[layer] <= i && i < active.starts[layer + 1]);
      for (let at = 0; at < members.length; at += batchSize) {
        await trace(rows, layer, members.slice(at, at + batchSize), found, signal);
      }
    }
    onProgress?.({ done: found.size, total: most, unit: "features" });
  }
}

async function trace(
  rows: EdgeRows,
  layer: number,
  members: readonly number[],
  found: Map<number, EdgeRow>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const traced = await rows.rows({ layer, members }, signal);
  members.forEach((member, i) => {
    found.set(member, traced[i]);
  });
}

/** Nodes and the edges between them. @param rows of the selected features, then of logits */
function assembled(
  run: TracedRun,
  { sources }: EdgeRows,
  selected: Uint32Array,
  rows: readonly EdgeRow[],
): TracedGraph {
  const { features, targets, embedded } = run;
  const { active, writings } = features;
  const pos = embedded.shape[1];
  const errors = writings.length * pos;
  const size = selected.length + errors + pos + targets.nodes.length;
  const column = columnsOf(run, sources, selected);
  const firstLogit = size - targets.nodes.length;
  const rowOf = (i: number) =>
    i < selected.length ? rows[i] : i < firstLogit ? undefined : rows[selected.length + i - firstLogit];
  const adjacency = sparseMatrix(size, (i) => {
    const row = rowOf(i);
    return row && moved(row.edges, column, size);
  });
  const off = rows.map(({ sum, constant, target }) => Math.abs(sum + constant - target));
  return {
    nodes: [...Array.from(selected, (i) => active.node(i)), ...endsOf(run)],
    adjacency,
    constants: Float32Array.from(rows, ({ constant }) => constant),
    rowTargets: Float32Array.from(rows, ({ target }) => target),
    residual: off.reduce((most, x) => Math.max(most, x), 0),
    activeFeatures: active.count,
    selectedFeatures: selected,
  };
}

/** Errors, tokens and logits. */
function endsOf({ features, targets, embedded, prompt }: TracedRun): GraphNode[] {
  const positions = range(0, embedded.shape[1]);
  const errors = features.writings.flatMap((_, layer) =>
    positions.map((pos): GraphNode => ({ kind: "error", layer, pos })),
  );
  const tokens = prompt.ids.map((token, pos): GraphNode => ({ kind: "token", pos, token, text: prompt.tokens[pos] }));
  const last = positions.length - 1;
  return [...errors, ...tokens, ...targets.nodes.map((node): GraphNode => ({ kind: "logit", pos: last, ...node }))];
}

/** The node of each source; -1 for a feature that is left out, if what it writes belongs to no other node. */
function columnsOf({ features, embedded }: TracedRun, sources: number, selected: Uint32Array): Int32Array {
  const { active, writings, errors } = features;
  const pos = embedded.shape[1];
  const columns = new Int32Array(sources).fill(-1);
  selected.forEach((source, i) => {
    columns[source] = i;
  });
  if (!errors) {
    for (let i = 0; i < active.count; i++) {
      if (columns[i] >= 0) continue;
      const { layer, pos: at } = active.node(i);
      columns[i] = selected.length + layer * pos + at;
    }
  }
  const behind = errors ? active.count : sources - pos;
  const first = selected.length + (errors ? 0 : writings.length * pos);
  for (let i = behind; i < sources; i++) columns[i] = first + i - behind;
  return columns;
}

/** A row of edges from sources as one of edges from nodes. */
function moved({ columns, values }: SparseRow, column: Int32Array, size: number): SparseRow {
  const row = new Float64Array(size);
  for (let i = 0; i < columns.length; i++) {
    const to = column[columns[i]];
    if (to >= 0) row[to] += values[i];
  }
  return withoutZeros(row);
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}
