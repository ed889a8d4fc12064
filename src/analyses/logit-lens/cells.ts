/** A lens, cell by cell. */
import { ENTROPY, LAYER, LOG_PROB, NEXT, POS, TOKEN } from "../../finding/columns.ts";
import { as, column, type Table, tableOf } from "../../finding/table.ts";
import type { View } from "../../finding/view.ts";
import type { HookedTransformer } from "../../lens/hooked-transformer.ts";
import { fillsMasks } from "../../lens/model-has.ts";
import type { LogitLensMeasurement } from "../../measures/logit-lens.ts";

export const STREAM = as(LAYER, { title: "stream", format: "text", description: "Where the residual stream is read." });
export const RANK = column("rank", "How many tokens are more probable than the right one.", { format: "integer" });
export const PROBABILITY = column("probability", "Its probability.", { title: "prob", format: "percent" });

const CELLS = [STREAM, POS, TOKEN, NEXT, RANK, LOG_PROB, ENTROPY];
const PLACE = column("place", "0 is the most probable.", { format: "integer" });
const TOP = [STREAM, POS, PLACE, as(TOKEN, "The token."), PROBABILITY];

/** What the lens sees at each stream and position, and the tokens that are most probable there: what `lens` draws. */
export function lensTables({ rows, tokens }: LogitLensMeasurement): Table[] {
  return [
    tableOf({ name: "cells", title: "By layer and position", detail: true }, rows, CELLS),
    tableOf({ name: "top", title: "The most probable tokens", detail: true }, tokens.rows, TOP),
  ];
}

export function lens(model: HookedTransformer): View {
  return {
    kind: "logit-lens",
    name: "logit-lens",
    title: fillsMasks(model) ? "What each layer would put there" : "What each layer would predict next",
    caption: "Each cell has the token that the stream there makes most probable; the colour is its probability.",
    table: "cells",
    x: POS.name,
    y: STREAM.name,
    token: TOKEN.name,
    next: NEXT.name,
    right: [LOG_PROB.name, RANK.name],
    entropy: ENTROPY.name,
    top: { table: "top", token: TOKEN.name, probability: PROBABILITY.name },
    color: { label: "probability of the top token" },
  };
}
