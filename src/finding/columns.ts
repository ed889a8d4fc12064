/** The columns that several tables have: what each says, once. A table that means something narrower says it with `as`. */
import { as, column } from "./table.ts";

// Where a row is.

export const PROMPT = column("prompt", "The prompt's index, from 0.", { axis: "batch", format: "integer" });
export const POS = column("pos", "The token's position; 0 is BOS, where the model has one.", {
  axis: "pos",
  format: "integer",
});
export const LAYER = column("layer", "The layer, from 0.", { axis: "layer", format: "integer" });
export const HEAD = column("head", "The head's index within its layer.", { axis: "head", format: "integer" });
/** Something by its label: L0H3, L0N17, L1MLP. */
export const COMPONENT = column("component", "L0H3 is head 3 of layer 0.", { format: "text" });
export const NEURON = column("d_mlp", "The neuron's index within its layer.", {
  title: "neuron",
  axis: "d_mlp",
  format: "integer",
});
/** Of a dictionary. */
export const FEATURE = column("d_sae", "The feature's index in the dictionary.", {
  title: "feature",
  axis: "d_sae",
  format: "integer",
});
/** Of an attention pattern: the position that is attended to. */
export const KEY = column("key", "The position that is attended to.", { axis: "key", format: "integer" });
/** Of a path or an edge: what writes. */
export const SENDER = column("sender", "What writes it.", { format: "text" });
/** Of a path or an edge: what reads. */
export const RECEIVER = column("receiver", "What reads it directly.", { format: "text" });
export const SITE = column("site", "What is changed: a kind of hook point.", { format: "text" });

// What stands there.

export const TOKEN = column("token", "The token at that position.", { format: "token" });
export const NEXT = column("next", "The token that comes next.", { format: "token" });

/** Which of several kinds a row is of: the colour of its point in a picture. */
export const GROUP = column("group", "Which kind it is.", { format: "text", detail: true });

// What was measured.

export const LOGIT_DIFFERENCE = column("logit_difference", "The answer's logit minus the wrong one's.", {
  unit: "logits",
  digits: 3,
});
/** What a gradient says that patching would change. */
export const ESTIMATED = column("estimated", "(clean − corrupted) · gradient.", { unit: "logits", digits: 3 });
/** What patching changes. */
export const PATCHED = column("patched", "The change when this alone is patched.", { unit: "logits", digits: 3 });
export const LOG_PROB = column("log_prob", "The log probability of the right token.", { unit: "nats", digits: 3 });
export const LOSS = column("loss", "−log probability of the token that comes next.", { unit: "nats", digits: 3 });
export const ENTROPY = column("entropy", "The entropy of the distribution.", { unit: "nats", digits: 2 });

/** A head by its label for people, and by layer and index for programs and views. */
export const HEAD_PLACE = [
  as(LAYER, { detail: true }),
  as(HEAD, { detail: true }),
  as(COMPONENT, { title: "head" }),
] as const;
/** A neuron likewise. */
export const NEURON_PLACE = [
  as(LAYER, { detail: true }),
  as(NEURON, { detail: true }),
  as(COMPONENT, { title: "neuron", description: "L0N17 is neuron 17 of layer 0." }),
] as const;
