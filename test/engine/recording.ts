/** An engine that notes what it runs. */
import { Engine } from "../../src/engine/engine.ts";
import { nodeBackend } from "../../src/engine/ort-node.ts";
import { printPlan } from "../../src/engine/print-plan.ts";
import type { EvaluateOptions } from "../../src/graph/runner.ts";
import type { Tensor } from "../../src/graph/tensor.ts";

/** Runs like any engine, and keeps the plan of each run and of each program as text, in order. */
export class RecordingEngine extends Engine {
  readonly plans: string[] = [];

  constructor() {
    super(nodeBackend({ threads: 1 }));
  }

  override run(outputs: readonly Tensor[], options: EvaluateOptions = {}): Promise<Tensor[]> {
    this.plans.push(printPlan(this.explain(outputs).plan));
    return super.run(outputs, options);
  }

  override program(...args: Parameters<Engine["program"]>): ReturnType<Engine["program"]> {
    this.plans.push(printPlan(this.explain(args[1]).plan));
    return super.program(...args);
  }
}
