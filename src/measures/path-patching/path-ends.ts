/** The ends of paths through the residual stream: what writes to it and what reads it, by name. */
import type { Tensor } from "../../graph/tensor.ts";
import { components, needSum, type Reader, type Receiver, type Sender, type Writer } from "../../lens/components.ts";
import type { Model } from "../../lens/model.ts";
import type { ModelGraph } from "../../lens/model-graph.ts";
import { hasMlps } from "../../lens/model-has.ts";
import { asAdded } from "../../lens/output-norm.ts";
import { ArgumentError, UnknownNameError } from "../../tensor/errors.ts";
import { shown } from "../../tensor/show.ts";

/** Every sender of a model, in the order in which they write. */
export function allSenders(model: Pick<Model, "cfg">): Sender[] {
  return components(model).writers.map(({ name }) => name);
}

/** @throws UnknownNameError for a name that no sender can have; ArgumentError for a sender that the model lacks, or where the stream is not a sum. */
export function sending(name: Sender, model: Pick<Model, "cfg">): Writer {
  needSum(model);
  const { writers, start } = components(model);
  const writer = [...writers, start].find((one) => one.name === named(name));
  if (writer) return writer;
  if (/^L\d+(?:H\d+|MLP)$/.test(name)) refuse(name, model);
  throw new UnknownNameError(
    "sender of a path",
    name,
    writers.map((one) => one.name),
  );
}

/** @throws UnknownNameError for a name that no receiver can have; ArgumentError for a receiver that the model lacks, or where the stream is not a sum. */
export function receiving(name: Receiver, model: Pick<Model, "cfg">): Reader {
  needSum(model);
  const { readers } = components(model);
  const reader = readers.find((one) => one.name === named(name));
  if (reader) return reader;
  if (/^L\d+(?:(?:H|KV)\d+\.[qkv]|MLP)$/.test(name)) refuse(name, model);
  throw new UnknownNameError(
    "receiver of a path",
    name,
    readers.map((one) => one.name),
  );
}

/** What a sender writes in a pass, [batch pos d_model]. A layer's output bias belongs to no sender. */
export function sent(graph: ModelGraph, { head, point, output }: Writer, { weights }: Model): Tensor {
  if (head === undefined || !output) return graph.at(point);
  const result = graph.at(output.point).at({ head }).matmul(weights.get(output.weight).at({ head }));
  return asAdded(result, output.norm, weights, (point) => graph.at(point));
}

/** @throws ArgumentError for anything but a string */
function named(name: unknown): string {
  if (typeof name === "string") return name;
  throw new ArgumentError(`The end of a path must be a name, "L0H3", not ${shown(name)}.`, { asked: name });
}

/** A well-formed name of something that the model lacks. */
function refuse(name: string, model: Pick<Model, "cfg">): never {
  const { nLayers, nHeads } = model.cfg;
  const shared = components(model).readers.filter((one) => /^L0KV\d+\.k$/.test(one.name)).length;
  const keys = shared > 0 ? `, keys and values 0 to ${shared - 1} that heads share (L0KV0.k, L0KV0.v)` : "";
  const mlps = hasMlps(model) ? "an MLP each" : "no MLPs";
  throw new ArgumentError(
    `This model has no ${name}: its layers are 0 to ${nLayers - 1}, with heads 0 to ${nHeads - 1}${keys} and ${mlps}.`,
    { asked: name, found: [nLayers, nHeads] },
  );
}
