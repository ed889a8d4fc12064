/** A process in which a run does not fit into memory. */
import { computedOutputs, slotName, writeOnnx } from "../../src/engine/onnx.ts";
import { nodeBackend } from "../../src/engine/ort-node.ts";
import { makePlan } from "../../src/engine/plan.ts";
import { tensor } from "../../src/graph/from-numbers.ts";

const column = tensor(new Float32Array(1e7), { shape: [1e7, 1] });
const plan = makePlan([column.matmul(column.transpose())]);
const session = await nodeBackend().createSession(writeOnnx(plan), computedOutputs(plan).map(slotName));
try {
  await session.run(new Map(plan.inputs.map((input) => [slotName(input), input.source.array!])));
} catch (error) {
  console.log((error as Error).name);
}
