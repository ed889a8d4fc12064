/** What the logit lens sees of each stream, on average over a prompt's positions. */
import { mean, median } from "simple-statistics";
import { Measured } from "../measured.ts";

/** What the lens sees of one stream at one position. */
export interface LogitLensRow {
  /** Which stream: `0_pre`, `0_mid`, …, `final_post`. */
  readonly layer: string;
  readonly pos: number;
  readonly token: string;
  /** The token that is right there: the next one, or in a model that fills in masks the one that stands there. */
  readonly next: string | null;
  /** How many tokens are more probable than the right one: 0 is the most probable. */
  readonly rank: number | null;
  /** The right token's log probability, in nats. */
  readonly log_prob: number | null;
  /** The rank here of the token that is right half a prompt away. */
  readonly other_rank: number | null;
  /** The most probable token, and its probability. */
  readonly top: string;
  readonly top_probability: number;
  /** Of the whole distribution, in nats. */
  readonly entropy: number;
}

/** Means over the positions of a stream that have a right token. */
export interface LensLayerRow {
  readonly layer: string;
  readonly rank: number;
  readonly median_rank: number;
  readonly log_prob: number;
  /** How much higher `log_prob` is than at the stream before; null at the first. */
  readonly gain: number | null;
  readonly probability: number;
  /** How often the most probable token is the right one. */
  readonly right: number;
  /** Over all positions. */
  readonly entropy: number;
  /** The mean rank of the tokens that are right half a prompt away; null where those are the same tokens. */
  readonly other_rank: number | null;
}

/** A row for each stream. */
export function byLayer(labels: readonly string[], rows: readonly LogitLensRow[]): Measured<LensLayerRow> {
  const means = labels.map((layer) => meansOf(rows.filter((row) => row.layer === layer)));
  const gain = (i: number) => (i === 0 ? null : means[i].log_prob - means[i - 1].log_prob);
  return new Measured(labels.map((layer, i) => ({ layer, ...means[i], gain: gain(i) })));
}

function meansOf(rows: readonly LogitLensRow[]): Omit<LensLayerRow, "layer" | "gain"> {
  const all = (column: "rank" | "log_prob" | "other_rank") => rows.map((row) => row[column]).filter((x) => x !== null);
  const [ranks, logProbs, others] = [all("rank"), all("log_prob"), all("other_rank")];
  return {
    rank: mean(ranks),
    median_rank: median(ranks),
    log_prob: mean(logProbs),
    probability: mean(logProbs.map(Math.exp)),
    right: ranks.filter((rank) => rank === 0).length / ranks.length,
    entropy: mean(rows.map(({ entropy }) => entropy)),
    other_rank: others.length > 0 ? mean(others) : null,
  };
}
