/** What a run would do, in words: step by step of the engine, with nothing hidden. */
import type { Engine } from "../engine/engine.ts";
import { printPlan } from "../engine/print-plan.ts";
import { print } from "../graph/print.ts";
import type { Tensor } from "../graph/tensor.ts";

/** One run of one session. */
export interface Segment {
  /** Ops that the session runs, after merging and moving selections up. */
  readonly steps: number;
  /** Arrays that are fed to it: weights, tokens, values that hooks closed over. */
  readonly inputs: number;
  readonly outputs: number;
  /** Whether a session of this structure has already been compiled. */
  readonly reused: boolean;
  /** The graph as traced, one line per value. */
  readonly graph: string;
  /** What the session runs, one line per value. */
  readonly plan: string;
}

export interface Explanation {
  readonly segments: readonly Segment[];
  toString(): string;
}

/** Traces a run. Segments before a cut (a hook that awaits numbers) really run, as what follows depends on them. */
export async function explain(
  engine: Engine,
  trace: (run: (outputs: readonly Tensor[]) => Promise<Tensor[]>) => Promise<readonly Tensor[]>,
  signal: AbortSignal | undefined,
): Promise<Explanation> {
  const segments: Segment[] = [];
  const note = (outputs: readonly Tensor[]) => {
    const { plan, reused } = engine.explain(outputs);
    segments.push({
      steps: plan.steps.length,
      inputs: plan.inputs.length,
      outputs: new Set(plan.outputs.map((s) => s.id)).size,
      reused,
      graph: print(outputs),
      plan: printPlan(plan),
    });
  };
  note(
    await trace((outputs) => {
      note(outputs);
      return engine.run(outputs, { signal });
    }),
  );
  return { segments, toString: () => segments.map(describe).join("\n\n") };
}

function describe(segment: Segment, i: number): string {
  const session = segment.reused ? "a compiled session, used again" : "a new session";
  return `segment ${i + 1}: ${segment.steps} steps, ${segment.inputs} inputs, ${segment.outputs} outputs, ${session}\n${segment.graph}`;
}
