/** A plan as the bytes of an ONNX model. */
import type { Emitter, OnnxAttrs } from "../graph/op.ts";
import { onnxType } from "../graph/ops/cast.ts";
import type { NDArray } from "../tensor/array.ts";
import type { SlotDType } from "./feeds.ts";
import { kernelOn, type WrittenFor } from "./kernels.ts";
import { type OnnxAttribute, type OnnxNode, type OnnxTensor, type OnnxValue, onnxBytes } from "./onnx-messages.ts";
import type { Plan, Slot } from "./steps.ts";

/** ONNX operator set 20 (ONNX 1.15, IR 9): the oldest with everything the ops use, so that older runtimes read it too. */
const OPSET = 20;
const IR_VERSION = 9;
/** The first that can read bfloat16. */
const OPSET_OF_BIT_CAST = 26;

/** onnxruntime's own operators, for weights in few bits. */
const CONTRIB_DOMAIN = "com.microsoft";
const CONTRIBUTED: ReadonlySet<string> = new Set(["MatMulNBits", "GatherBlockQuantized", "FusedMatMul", "FastGelu"]);

export const slotName = (slot: Slot): string => `v${slot.id}`;

/** The model's outputs: each distinct slot among the plan's that a step computes. */
export function computedOutputs(plan: Plan): Slot[] {
  const wanted = new Set(plan.outputs.map((slot) => slot.id));
  return plan.steps.flatMap((step) => step.outputs).filter((slot) => wanted.has(slot.id));
}

/** @param backend what of the backend decides how steps are written */
export function writeOnnx(plan: Plan, backend: WrittenFor = {}): Uint8Array {
  let nodes: OnnxNode[] = [];
  const opTypes = new Set<string>();
  const initializers = plan.constants.map((c) => initializer(slotName(c), c.array));
  const known = new Map<string, string>();
  let count = 0;
  const baked = (key: string, array: NDArray | BigInt64Array, shape: readonly number[]) => {
    const name = known.get(key) ?? `c${known.size}`;
    if (!known.has(key)) {
      known.set(key, name);
      initializers.push(initializer(name, array, shape));
    }
    return name;
  };
  const nodeOf = (outputs: number, opType: string, inputs: readonly string[], attrs: OnnxAttrs = {}) => {
    const names = Array.from({ length: outputs }, () => `n${count++}`);
    nodes.push(node(opType, inputs, names, attrs));
    opTypes.add(opType);
    return names;
  };
  /** A part of the graph that a node may compute. It sees what is made outside, and an output of its own is made in it. */
  const branch = (name: string, dtype: keyof typeof elementType, make: () => string): OnnxAttribute => {
    const outside = nodes;
    nodes = [];
    const output = emit.node("Identity", [make()]);
    const value = {
      name,
      nodes,
      initializers: [],
      inputs: [],
      outputs: [{ name: output, elemType: elementType[dtype], rank: undefined }],
    };
    nodes = outside;
    return { name, type: "graph", value };
  };
  const emit = {
    nodeOf,
    node: (opType: string, inputs: readonly string[], attrs: OnnxAttrs = {}) => nodeOf(1, opType, inputs, attrs)[0],
    int64: (values: readonly number[], shape = [values.length]) =>
      baked(
        `i ${shape} ${values}`,
        BigInt64Array.from(values, (v) => BigInt(v)),
        shape,
      ),
    float: (value: number) => baked(`f ${value}`, { dtype: "float32", shape: [], data: Float32Array.of(value) }, []),
    branches: backend.branches === true,
    either(condition: string, dtype: keyof typeof elementType, yes: () => string, no: () => string) {
      const attribute = [branch("then_branch", dtype, yes), branch("else_branch", dtype, no)];
      const [name] = nodeOf(1, "If", [condition]);
      nodes[nodes.length - 1] = { ...nodes[nodes.length - 1], attribute };
      return name;
    },
  } satisfies Emitter;
  for (const step of plan.steps) {
    const inputs = step.inputs.map((s) => ({ name: slotName(s), rank: s.rank, dtype: s.dtype }));
    const first = nodes.length;
    const results = [kernelOn(backend, step.op, step.attrs).onnx(emit, inputs, step.attrs)].flat();
    // Results get the slots' own names, so that outputs are found by them.
    for (const [i, slot] of step.outputs.entries()) {
      if (!rename(nodes.slice(first), results[i], slotName(slot))) {
        nodes.push(node("Identity", [results[i]], [slotName(slot)], {}));
      }
    }
  }
  const contributed = [...opTypes].some((opType) => CONTRIBUTED.has(opType));
  return onnxBytes({
    irVersion: IR_VERSION,
    opsets: [
      { domain: "", version: opTypes.has("BitCast") ? OPSET_OF_BIT_CAST : OPSET },
      ...(contributed ? [{ domain: CONTRIB_DOMAIN, version: 1 }] : []),
    ],
    ...{ name: "glassformer", nodes, initializers },
    inputs: plan.inputs.map((slot) => valueInfo(slot)),
    outputs: computedOutputs(plan).map((slot) => valueInfo(slot, false)),
  });
}

/** Renames the result of one of the nodes; false if no node makes it. */
function rename(nodes: readonly OnnxNode[], from: string, to: string): boolean {
  const maker = nodes.find(({ output }) => output.includes(from));
  if (!maker) return false;
  maker.output[maker.output.indexOf(from)] = to;
  for (const { input } of nodes) {
    for (let i = 0; i < input.length; i++) if (input[i] === from) input[i] = to;
  }
  return true;
}

function node(opType: string, input: readonly string[], output: readonly string[], attrs: OnnxAttrs): OnnxNode {
  return {
    opType,
    domain: CONTRIBUTED.has(opType) ? CONTRIB_DOMAIN : "",
    input: [...input],
    output: [...output],
    attribute: Object.entries(attrs).map(([name, value]): OnnxAttribute => {
      if (typeof value === "string") return { name, type: "string", value };
      if (typeof value === "number") return { name, type: "int", value };
      return "float" in value ? { name, type: "float", value: value.float } : { name, type: "ints", value };
    }),
  };
}

function initializer(name: string, array: NDArray | BigInt64Array, shape?: readonly number[]): OnnxTensor {
  const [data, dims, dataType] =
    array instanceof BigInt64Array
      ? [array, shape ?? [array.length], 7]
      : [array.data, array.shape, onnxType[array.dtype]];
  return { name, dataType, dims, rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
}

const elementType: Readonly<Record<SlotDType | "int64", number>> = {
  ...onnxType,
  uint8: 2,
  uint16: 4,
  int64: 7,
  float16: 10,
};

/** dtype and rank; every size is left open, and an output's rank too. */
function valueInfo(slot: Slot, ranked = true): OnnxValue {
  return { name: slotName(slot), elemType: elementType[slot.dtype], rank: ranked ? slot.rank : undefined };
}
