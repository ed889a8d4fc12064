/** ONNX's messages as protobuf bytes: what of them a plan needs. The numbers of their fields are those of `onnx.proto` in onnx/onnx. */
import { MessageWriter } from "./protobuf.ts";

/** AttributeProto.AttributeType */
const TYPES = { float: 1, int: 2, string: 3, graph: 5, ints: 7 } as const;

export interface OnnxAttribute {
  readonly name: string;
  readonly type: keyof typeof TYPES;
  readonly value: number | string | readonly number[] | OnnxGraph;
}

export interface OnnxNode {
  readonly opType: string;
  readonly domain: string;
  readonly input: string[];
  readonly output: string[];
  readonly attribute: readonly OnnxAttribute[];
}

export interface OnnxTensor {
  readonly name: string;
  /** TensorProto.DataType */
  readonly dataType: number;
  readonly dims: readonly number[];
  readonly rawData: Uint8Array;
}

/** A value whose sizes are all open. */
export interface OnnxValue {
  readonly name: string;
  /** TensorProto.DataType */
  readonly elemType: number;
  /** Undefined: open, too. */
  readonly rank: number | undefined;
}

export interface OnnxModel extends OnnxGraph {
  readonly irVersion: number;
  readonly opsets: readonly { readonly domain: string; readonly version: number }[];
}

/** What a model computes, or a branch of it. */
export interface OnnxGraph {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}

/** The bytes of an ONNX model. */
export function onnxBytes(model: OnnxModel): Uint8Array {
  const to = new MessageWriter();
  to.integer(1, model.irVersion);
  to.message(7, (graph) => writeGraph(graph, model));
  for (const { domain, version } of model.opsets) {
    to.message(8, (opset) => {
      opset.text(1, domain);
      opset.integer(2, version);
    });
  }
  return to.finish();
}

function writeGraph(to: MessageWriter, { name, nodes, initializers, inputs, outputs }: OnnxGraph): void {
  for (const one of nodes) to.message(1, (node) => writeNode(node, one));
  to.text(2, name);
  for (const one of initializers) to.message(5, (tensor) => writeTensor(tensor, one));
  for (const one of inputs) to.message(11, (value) => writeValue(value, one));
  for (const one of outputs) to.message(12, (value) => writeValue(value, one));
}

function writeNode(to: MessageWriter, { input, output, opType, attribute, domain }: OnnxNode): void {
  for (const name of input) to.text(1, name);
  for (const name of output) to.text(2, name);
  to.text(4, opType);
  for (const one of attribute) to.message(5, (inner) => writeAttribute(inner, one));
  to.text(7, domain);
}

function writeAttribute(to: MessageWriter, { name, type, value }: OnnxAttribute): void {
  to.text(1, name);
  if (type === "float") to.float(2, value as number);
  else if (type === "int") to.integer(3, value as number);
  else if (type === "string") to.text(4, value as string);
  else if (type === "graph") to.message(6, (graph) => writeGraph(graph, value as OnnxGraph));
  else for (const one of value as readonly number[]) to.integer(8, one);
  to.integer(20, TYPES[type]);
}

function writeTensor(to: MessageWriter, { dims, dataType, name, rawData }: OnnxTensor): void {
  for (const size of dims) to.integer(1, size);
  to.integer(2, dataType);
  to.text(8, name);
  to.bytes(9, rawData);
}

function writeValue(to: MessageWriter, { name, elemType, rank }: OnnxValue): void {
  to.text(1, name);
  to.message(2, (type) => {
    type.message(1, (tensor) => {
      tensor.integer(1, elemType);
      if (rank !== undefined) tensor.message(2, (shape) => writeShape(shape, rank));
    });
  });
}

function writeShape(to: MessageWriter, rank: number): void {
  for (let i = 0; i < rank; i++) to.message(1, () => {});
}
