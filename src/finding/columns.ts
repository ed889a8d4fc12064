/** The columns that several tables have: what each says, once. A table that means something narrower says it with `as`. */
import type { Cell, Column } from "./table.ts";

/** The same column, with another heading, description, unit or format. */
export function as(column: Column, changes: Partial<Column>): Column {
  return { ...column, ...changes };
}

// Where a row is.

export const PROMPT: Column = {
  name: "prompt",
  title: "prompt",
  axis: "batch",
  format: "integer",
  description: "The prompt's index, from 0.",
};
export const POS: Column = {
  name: "pos",
  title: "pos",
  axis: "pos",
  format: "integer",
  description: "The token's position; 0 is BOS, where the model has one.",
};
export const LAYER: Column = {
  name: "layer",
  title: "layer",
  axis: "layer",
  format: "integer",
  description: "The layer, from 0.",
};
export const HEAD: Column = {
  name: "head",
  title: "head",
  axis: "head",
  format: "integer",
  description: "The head's index within its layer.",
};
/** Something by its label: L0H3, L0N17, L1MLP. */
export const COMPONENT: Column = {
  name: "component",
  title: "component",
  format: "text",
  description: "L0H3 is head 3 of layer 0.",
};
export const NEURON: Column = {
  name: "d_mlp",
  title: "neuron",
  axis: "d_mlp",
  format: "integer",
  description: "The neuron's index within its layer.",
};
/** Of an attention pattern: the position that is attended to. */
export const KEY: Column = {
  name: "key",
  title: "key",
  axis: "key",
  format: "integer",
  description: "The position that is attended to.",
};
/** Of a path or an edge: what writes. */
export const SENDER: Column = {
  name: "sender",
  title: "sender",
  format: "text",
  description: "What writes it.",
};
/** Of a path or an edge: what reads. */
export const RECEIVER: Column = {
  name: "receiver",
  title: "receiver",
  format: "text",
  description: "What reads it directly.",
};
export const SITE: Column = {
  name: "site",
  title: "site",
  format: "text",
  description: "What is changed: a kind of hook point.",
};

// What stands there.

export const TOKEN: Column = {
  name: "token",
  title: "token",
  format: "token",
  description: "The token at that position.",
};
export const NEXT: Column = {
  name: "next",
  title: "next",
  format: "token",
  description: "The token that comes next.",
};

/** Which of several kinds a row is of: the colour of its point in a picture. */
export const GROUP: Column = {
  name: "group",
  title: "group",
  format: "text",
  detail: true,
  description: "Which kind it is.",
};

// What was measured.

export const LOGIT_DIFFERENCE: Column = {
  name: "logit_difference",
  title: "logit difference",
  unit: "logits",
  format: { digits: 3 },
  description: "The answer's logit minus the wrong one's.",
};
/** What a gradient says that patching would change. */
export const ESTIMATED: Column = {
  name: "estimated",
  title: "estimated",
  unit: "logits",
  format: { digits: 3 },
  description: "(clean − corrupted) · gradient.",
};
/** What patching changes. */
export const PATCHED: Column = {
  name: "patched",
  title: "patched",
  unit: "logits",
  format: { digits: 3 },
  description: "The change when this alone is patched.",
};
export const LOG_PROB: Column = {
  name: "log_prob",
  title: "log prob",
  unit: "nats",
  format: { digits: 3 },
  description: "The log probability of the right token.",
};
export const LOSS: Column = {
  name: "loss",
  title: "loss",
  unit: "nats",
  format: { digits: 3 },
  description: "−log probability of the token that comes next.",
};
export const ENTROPY: Column = {
  name: "entropy",
  title: "entropy",
  unit: "nats",
  format: { digits: 2 },
  description: "The entropy of the distribution.",
};

/** A head by its label for people, and by layer and index for programs and views. */
export function headCells<
  R extends { readonly name: string; readonly layer: number; readonly head: number },
>(): Cell<R>[] {
  return [
    [as(LAYER, { detail: true }), ({ layer }) => layer],
    [as(HEAD, { detail: true }), ({ head }) => head],
    [as(COMPONENT, { title: "head" }), ({ name }) => name],
  ];
}
