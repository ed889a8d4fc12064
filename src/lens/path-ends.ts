/** The ends of paths through the residual stream: what writes to it and what reads it, by name. */
import type { Tensor } from "../graph/tensor.ts";
import type { HookedTransformerConfig } from "../models/config.ts";
import { ArgumentError, UnknownNameError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";
import type { Model } from "./model.ts";
import type { ModelGraph } from "./model-graph.ts";
import { embeddings } from "./stream-writers.ts";

/** What writes to the residual stream: `"L0H3"`, `"L0MLP"`, `"embed"`, `"pos_embed"`. */
export type Sender = "embed" | "pos_embed" | `L${number}H${number}` | `L${number}MLP`;

/** What reads it: a head's queries, keys or values (`"L1H0.q"`), an MLP (`"L1MLP"`), or the `"logits"`. */
export type Receiver = "logits" | `L${number}H${number}.${"q" | "k" | "v"}` | `L${number}MLP`;

/** A sender, found in a model. A receiver hears it if its `order` is higher. */
export interface Sending {
  readonly layer: number;
  readonly head?: number;
  /** The hook point that holds what it says, or for a head its z. */
  readonly point: string;
  readonly order: number;
}

/** A receiver, found in a model. */
export interface Receiving {
  readonly layer: number;
  readonly head?: number;
  /** The hook point that holds what it reads. */
  readonly point: string;
  readonly order: number;
}

/** Every sender of a model, in the order in which they write. */
export function allSenders(model: Pick<Model, "cfg">): Sender[] {
  const { cfg } = model ?? {};
  if (!cfg) throw new ArgumentError(`allSenders takes a model, not ${shown(model)}.`, { asked: model });
  const layers = Array.from({ length: cfg.nLayers }, (_, layer): Sender[] => [
    ...Array.from({ length: cfg.nHeads }, (_, head): Sender => `L${layer}H${head}`),
    ...(cfg.attnOnly ? [] : [`L${layer}MLP` as const]),
  ]);
  return [...embeddings(cfg).map(([label]) => label as Sender), ...layers.flat()];
}

/** @throws UnknownNameError for what is no sender's name; ArgumentError for one that the model lacks. */
export function sending(name: Sender, model: Pick<Model, "cfg">): Sending {
  const { cfg } = model;
  const embedding = embeddings(cfg).find(([label]) => label === name);
  if (embedding) return { layer: -1, point: embedding[1], order: -1 };
  const [, layer, head] = /^L(\d+)(?:H(\d+)|MLP)$/.exec(named(name)) ?? unknown("sender of a path", name, model);
  const at = inModel(name, layer, head, cfg);
  if (head === undefined) return { layer: at, point: `blocks.${at}.hook_mlp_out`, order: mlpOrder(at, cfg) };
  return { layer: at, head: Number(head), point: `blocks.${at}.attn.hook_z`, order: 2 * at };
}

/** @throws UnknownNameError for what is no receiver's name; ArgumentError for one that the model lacks. */
export function receiving(name: Receiver, model: Pick<Model, "cfg">): Receiving {
  const { cfg } = model;
  const last = cfg.nLayers - 1;
  if (name === "logits") return { layer: last, point: `blocks.${last}.hook_resid_post`, order: 2 * cfg.nLayers };
  const [, layer, head, input] =
    /^L(\d+)(?:H(\d+)\.([qkv])|MLP)$/.exec(named(name)) ?? unknown("receiver of a path", name, model);
  const at = inModel(name, layer, head, cfg);
  if (head === undefined) return { layer: at, point: `blocks.${at}.hook_mlp_in`, order: mlpOrder(at, cfg) };
  return { layer: at, head: Number(head), point: `blocks.${at}.hook_${input}_input`, order: 2 * at };
}

/** What a sender says in a pass, [batch pos d_model]. A layer's output bias is nobody's. */
export function sent(graph: ModelGraph, { layer, head, point }: Sending, { weights }: Model): Tensor {
  const value = graph.at(point);
  if (head === undefined) return value;
  return value.at({ head }).matmul(weights.get(`blocks.${layer}.attn.W_O`).at({ head }));
}

/** An MLP comes after its layer's heads, or beside them. */
function mlpOrder(layer: number, { parallelAttnMlp }: HookedTransformerConfig): number {
  return parallelAttnMlp ? 2 * layer : 2 * layer + 1;
}

/** @throws ArgumentError for what is no string */
function named(name: unknown): string {
  if (typeof name === "string") return name;
  throw new ArgumentError(`An end of a path is a name, "L0H3", not ${shown(name)}.`, { asked: name });
}

function inModel(name: string, layer: string, head: string | undefined, cfg: HookedTransformerConfig): number {
  const [at, which] = [Number(layer), Number(head ?? 0)];
  if (at < cfg.nLayers && which < cfg.nHeads && !(head === undefined && cfg.attnOnly)) return at;
  const mlps = cfg.attnOnly ? "no MLPs" : "an MLP each";
  throw new ArgumentError(
    `This model has no ${name}: its layers go from 0 to ${cfg.nLayers - 1}, with heads 0 to ${cfg.nHeads - 1} and ${mlps}.`,
    { asked: name, found: [cfg.nLayers, cfg.nHeads] },
  );
}

function unknown(kind: string, name: string, model: Pick<Model, "cfg">): never {
  const senders = allSenders(model);
  const inputs = senders.flatMap((s) =>
    /H/.test(s) ? ["q", "k", "v"].map((x) => `${s}.${x}`) : /MLP/.test(s) ? [s] : [],
  );
  throw new UnknownNameError(kind, name, kind.startsWith("sender") ? senders : [...inputs, "logits"]);
}
