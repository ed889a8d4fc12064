/** ONNX's messages as protobuf bytes: what of them a plan needs. The numbers of their fields are those of `onnx.proto` in onnx/onnx. */
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

/** AttributeProto.AttributeType */
const TYPES = { float: 1, int: 2, string: 3, ints: 7 } as const;

export interface OnnxAttribute {
  readonly name: string;
  readonly type: keyof typeof TYPES;
  readonly value: number | string | readonly number[];
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

export interface OnnxModel {
  readonly irVersion: number;
  readonly opsets: readonly { readonly domain: string; readonly version: number }[];
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}

/** The bytes of an ONNX model. */
export function onnxBytes(model: OnnxModel): Uint8Array {
  const to = new BinaryWriter();
  integer(to, 1, model.irVersion);
  message(to, 7, () => writeGraph(to, model));
  for (const { domain, version } of model.opsets) {
    message(to, 8, () => {
      text(to, 1, domain);
      integer(to, 2, version);
    });
  }
  return to.finish();
}

function writeGraph(to: BinaryWriter, { name, nodes, initializers, inputs, outputs }: OnnxModel): void {
  for (const node of nodes) message(to, 1, () => writeNode(to, node));
  text(to, 2, name);
  for (const tensor of initializers) message(to, 5, () => writeTensor(to, tensor));
  for (const value of inputs) message(to, 11, () => writeValue(to, value));
  for (const value of outputs) message(to, 12, () => writeValue(to, value));
}

function writeNode(to: BinaryWriter, { input, output, opType, attribute, domain }: OnnxNode): void {
  for (const name of input) text(to, 1, name);
  for (const name of output) text(to, 2, name);
  text(to, 4, opType);
  for (const one of attribute) message(to, 5, () => writeAttribute(to, one));
  text(to, 7, domain);
}

function writeAttribute(to: BinaryWriter, { name, type, value }: OnnxAttribute): void {
  text(to, 1, name);
  if (type === "float") to.tag(2, WireType.Bit32).float(value as number);
  else if (type === "int") integer(to, 3, value as number);
  else if (type === "string") text(to, 4, value as string);
  else for (const one of value as readonly number[]) integer(to, 8, one);
  integer(to, 20, TYPES[type]);
}

function writeTensor(to: BinaryWriter, { dims, dataType, name, rawData }: OnnxTensor): void {
  for (const size of dims) integer(to, 1, size);
  integer(to, 2, dataType);
  text(to, 8, name);
  to.tag(9, WireType.LengthDelimited).bytes(rawData);
}

function writeValue(to: BinaryWriter, { name, elemType, rank }: OnnxValue): void {
  const writeShape = () => {
    for (let i = 0; i < rank!; i++) message(to, 1, () => {});
  };
  const writeTensorType = () => {
    integer(to, 1, elemType);
    if (rank !== undefined) message(to, 2, writeShape);
  };
  text(to, 1, name);
  message(to, 2, () => message(to, 1, writeTensorType));
}

function message(to: BinaryWriter, field: number, write: () => void): void {
  to.tag(field, WireType.LengthDelimited).fork();
  write();
  to.join();
}

function integer(to: BinaryWriter, field: number, value: number): void {
  to.tag(field, WireType.Varint).int64(value);
}

function text(to: BinaryWriter, field: number, value: string): void {
  to.tag(field, WireType.LengthDelimited).string(value);
}
