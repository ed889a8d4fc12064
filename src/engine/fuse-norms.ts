/**
 * RMSNorms as one step, where nobody asks for their scale: `x / sqrt(mean(x²) + eps) w` reads its input once, instead of in
 * five steps. Models write the formula (`src/models/parts/norm.ts`). LayerNorms stay as they are: onnxruntime computes
 * their variance as `mean(x²) - mean(x)²`, which loses digits where the mean is large.
 */
import { DraftIndex } from "./draft-index.ts";
import type { Draft, Slot, Step } from "./steps.ts";

/** The same values, with every RMSNorm that has weights in one step. */
export function fuseNorms(draft: Draft): Draft {
  const index = new DraftIndex(draft);
  const replaced = new Map<Step, readonly Step[]>();
  for (const step of draft.steps) {
    const norm = normOf(index, step);
    if (!norm) continue;
    const { x, w, eps, parts } = norm;
    for (const part of parts) replaced.set(part, []);
    replaced.set(step, [{ op: "rmsNorm", attrs: { eps }, inputs: [x, w], outputs: step.outputs }]);
  }
  if (replaced.size === 0) return draft;
  return { ...draft, steps: draft.steps.flatMap((step) => replaced.get(step) ?? [step]) };
}

interface Norm {
  readonly x: Slot;
  /** [d], one for each number along the last axis. */
  readonly w: Slot;
  readonly eps: number;
  /** The steps that only this norm needs. */
  readonly parts: readonly Step[];
}

/** The norm that a product with weights is the last step of. */
function normOf(index: DraftIndex, step: Step): Norm | undefined {
  if (step.op !== "mul") return undefined;
  const [value, w] = step.inputs;
  const division = index.onlyUseOf(value, "div");
  if (!division || w.rank !== 1 || w.dtype !== "float32") return undefined;
  const [x, scale] = division.inputs;
  const root = index.onlyUseOf(scale, "sqrt");
  const sum = root && index.onlyUseOf(root.inputs[0], "add");
  const mean = sum && index.onlyUseOf(sum.inputs[0], "mean");
  const square = mean && index.onlyUseOf(mean.inputs[0], "mul");
  const eps = sum && index.constants[sum.inputs[1].id];
  if (!square || !eps || eps.rank !== 0 || square.inputs.some(({ id }) => id !== x.id)) return undefined;
  const { axes, keepdims } = mean.attrs;
  if (String(axes) !== "-1" || keepdims !== true) return undefined;
  return { x, w, eps: Number(eps.array.data[0]), parts: [division, root, sum, mean, square] };
}
