/** Who makes and who uses the values of a draft. */
import type { Constant, Draft, Input, Slot, Step } from "./steps.ts";

export class DraftIndex {
  /** The inputs, by slot. */
  readonly inputs: readonly (Input | undefined)[];
  readonly constants: readonly (Constant | undefined)[];
  private readonly makers: (Step | undefined)[] = [];
  private readonly uses: Int32Array;
  private readonly leaving: ReadonlySet<number>;

  constructor({ inputs, constants, steps, outputs, sizes }: Draft) {
    const bySlot = <T extends Slot>(slots: readonly T[]) => {
      const all: (T | undefined)[] = [];
      for (const slot of slots) all[slot.id] = slot;
      return all;
    };
    this.inputs = bySlot(inputs);
    this.constants = bySlot(constants);
    this.uses = new Int32Array(sizes.length);
    for (const step of steps) {
      for (const { id } of step.outputs) this.makers[id] = step;
      for (const { id } of step.inputs) this.uses[id]++;
    }
    this.leaving = new Set(outputs.map((slot) => slot.id));
  }

  leaves({ id }: Slot): boolean {
    return this.leaving.has(id);
  }

  /** How many steps take a value. */
  usesOf({ id }: Slot): number {
    return this.uses[id];
  }

  /** The step that makes a value which nothing else uses, if it is of the given op. */
  onlyUseOf(slot: Slot, op: Step["op"]): Step | undefined {
    const step = this.makers[slot.id];
    return step?.op === op && this.uses[slot.id] === 1 && !this.leaves(slot) ? step : undefined;
  }
}
