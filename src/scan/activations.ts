/** Activations of hook points over a corpus, saved as they are: for training dictionaries, and for programs of other people. */
import { indexOf } from "../measures/diffuse-mlp/prompts.ts";
import { activationsFinding } from "./activations/finding.ts";
import { type ActivationsSummaries, emptyActivations } from "./activations/summaries.ts";
import type { ScanBatch } from "./batches.ts";
import { keyOf } from "./batches.ts";
import { placeNumbers } from "./context.ts";
import { POINTS_OPTION, pointsOf } from "./points.ts";
import type { RowColumn, Rows } from "./rows.ts";
import { type ModelScan, mostTokensFor, scan, TOP } from "./scan.ts";

/** What `train-dictionary` reads by default. */
const USUAL = "blocks.0.hook_mlp_out";

const OPTIONS = {
  at: POINTS_OPTION,
  store: {
    type: "choice",
    choices: ["float32", "float16"],
    default: "float32",
    description: "how numbers are saved; float16 rounds them to 11 bits",
  },
  fromPosition: {
    type: "integer",
    placeholder: "n",
    least: 0,
    default: 0,
    description: "positions before this one are left out; 1 leaves out BOS",
  },
  top: TOP,
} as const;

/** The most bytes of activations in a shard's file, as far as the sizes of texts say. */
const SHARD_BYTES = 64e6;
/** About how many bytes of text make a token, at least. */
const BYTES_PER_TOKEN = 3;

export const activationsScan = scan({
  name: "activations",
  question: "What do these hook points hold at every token?",
  description:
    "Saves what hook points hold at every token, as safetensors with an index, which train-dictionary reads in place of running the model; and how large it is.",
  options: OPTIONS,
  files: { folder: "activations", extension: "safetensors" },
  on(model, options) {
    const points = pointsOf(model, options.at ?? [USUAL]);
    const width = points.reduce((n, point) => n + point.width, 0);
    const one: ModelScan<ActivationsSummaries> = {
      mostTokens: mostTokensFor(width),
      columns: [
        TOKEN,
        ...points.map(
          ({ name, width }): RowColumn => ({ name, holds: "float", width, description: `What ${name} holds.` }),
        ),
      ],
      stored: { dtype: options.store === "float16" ? "F16" : "F32", points },
      mostShardMB: (SHARD_BYTES / (4 * width)) * (BYTES_PER_TOKEN / 1e6),
      empty: () => emptyActivations(points.length, options.top),
      async measure(batch, into, rows) {
        const places = placesFrom(batch, options.fromPosition);
        if (places.length === 0) return;
        const index = indexOf(places);
        const graph = model.graph(batch.tokens);
        const values = points.flatMap(({ name, width }) => {
          const rows = graph.at(name).gatherRows(index).reshape({ row: -1, number: width });
          return [rows, rows.norm(-1)];
        });
        const computed = (await model.compute(values)).map(({ data }) => data as Float32Array);
        add(
          batch,
          places,
          computed,
          points.map(({ name }) => name),
          into,
          rows,
        );
      },
      finding: (summaries, about) => activationsFinding(model, points, options, summaries, about),
    };
    return one;
  },
});

const TOKEN: RowColumn = { name: "token", holds: "integer", description: "The token, by its id." };

function placesFrom({ rows }: ScanBatch, from: number): [number, number][] {
  return rows.flatMap(({ ids }, row) =>
    Array.from({ length: Math.max(0, ids.length - from) }, (_, i): [number, number] => [row, from + i]),
  );
}

function add(
  batch: ScanBatch,
  places: readonly (readonly [number, number])[],
  computed: readonly Float32Array[],
  names: readonly string[],
  { norms, distributions, largest }: ActivationsSummaries,
  rows: Rows,
): void {
  const keys = Float64Array.from(places, ([row, pos]) => keyOf(batch, batch.rows[row], pos));
  names.forEach((_, p) => {
    const norm = computed[2 * p + 1];
    for (let i = 0; i < keys.length; i++) {
      norms.add(p, norm[i]);
      distributions.add(p, norm[i]);
      if (!largest.accepts(p, norm[i], keys[i])) continue;
      const [row, pos] = places[i];
      largest.add(p, norm[i], keys[i], placeNumbers(batch, batch.rows[row], pos));
    }
  });
  rows.add(keys, {
    token: places.map(([row, pos]) => batch.rows[row].ids[pos]),
    source: places.map(() => batch.source),
    shard: places.map(() => batch.shard),
    text: places.map(([row]) => batch.rows[row].text),
    offset: places.map(([row]) => batch.rows[row].offset),
    pos: places.map(([, pos]) => pos),
    ...Object.fromEntries(names.map((name, p) => [name, computed[2 * p]])),
  });
}
