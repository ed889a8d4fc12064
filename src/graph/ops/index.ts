/** Every op there is. A new one is a record in a file of this folder and a line here; the tests then ask for a case. */
import type { Attrs, Op } from "../op.ts";
import { cast } from "./cast.ts";
import { crossEntropy } from "./cross-entropy.ts";
import {
  abs,
  add,
  and,
  cos,
  div,
  equal,
  erf,
  exp,
  lessThan,
  log,
  maximum,
  minimum,
  mul,
  neg,
  not,
  or,
  pow,
  relu,
  sigmoid,
  sign,
  sin,
  sqrt,
  sub,
  tanh,
  where,
} from "./elementwise.ts";
import { addAt, gather, gatherRows, pick, placeLike, scatterAddLike, scatterRowsLike } from "./gather.ts";
import { gelu } from "./gelu.ts";
import {
  concat,
  expandLike,
  mergeAxes,
  permute,
  point,
  repeat,
  reshapeLike,
  slice,
  splitAxis,
  squeeze,
  unsqueeze,
} from "./layout.ts";
import { linear } from "./linear.ts";
import { einsum, matmul } from "./matmul.ts";
import { argmax, logSumExp, max, mean, min, sum } from "./reduce.ts";
import { softmax } from "./softmax.ts";
import { topK } from "./top-k.ts";

const records = {
  // arithmetic
  add,
  sub,
  mul,
  div,
  pow,
  maximum,
  minimum,
  // comparison and choice
  equal,
  lessThan,
  and,
  or,
  not,
  where,
  // functions of one number
  neg,
  abs,
  sign,
  exp,
  log,
  sqrt,
  tanh,
  sigmoid,
  relu,
  sin,
  cos,
  erf,
  gelu,
  // reductions
  sum,
  mean,
  max,
  min,
  logSumExp,
  argmax,
  topK,
  softmax,
  crossEntropy,
  // products
  matmul,
  einsum,
  linear,
  // layout
  point,
  permute,
  splitAxis,
  mergeAxes,
  reshapeLike,
  unsqueeze,
  squeeze,
  expandLike,
  repeat,
  concat,
  slice,
  // indices
  gather,
  scatterAddLike,
  gatherRows,
  scatterRowsLike,
  pick,
  placeLike,
  addAt,
  // dtype
  cast,
};

export type OpName = keyof typeof records;

/** The attributes of an op. */
export type AttrsOf<K extends OpName> = (typeof records)[K] extends Op<infer A extends Attrs> ? A : never;

/** Records by name. What an op is given as attributes is held to its type where it is applied: `Tensor.apply`. */
export const ops: { readonly [K in OpName]: Op } = records;
