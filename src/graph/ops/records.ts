/** Every op there is, by name. A new one is a record in a file of this folder and its name here; the tests then ask for cases. */
export { cast } from "./cast.ts";
export { crossEntropy } from "./cross-entropy.ts";
export { cumsum } from "./cumsum.ts";
export { einsum } from "./einsum.ts";
export {
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
  round,
  sigmoid,
  sign,
  sin,
  sqrt,
  sub,
  tanh,
  where,
} from "./elementwise.ts";
export {
  addAt,
  gather,
  gatherRows,
  pick,
  pickEach,
  placeEachLike,
  placeLike,
  scatterAddLike,
  scatterRowsLike,
} from "./gather.ts";
export { gelu } from "./gelu.ts";
export {
  concat,
  detach,
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
export { matmul } from "./matmul.ts";
export { matmulChosen, outerChosen } from "./matmul-chosen.ts";
export { argmax, logSumExp, max, mean, min, sum } from "./reduce.ts";
export { softmax } from "./softmax.ts";
export { isTopK, topK } from "./top-k.ts";
