/** Where a change is: its hook point, and which part of the value there. */
import type { Intervention } from "./options.ts";

type Where = Pick<Intervention, "what" | "layer" | "head" | "neuron" | "position">;

export interface InterventionPlace {
  readonly point: string;
  /** Indices by axis; none for the whole value. */
  readonly where: Readonly<Record<string, number>>;
}

export function placeOf({ what, layer, head, neuron, position }: Where): InterventionPlace {
  const at = position === undefined ? {} : { pos: position };
  switch (what) {
    case "head":
      return { point: `blocks.${layer}.attn.hook_z`, where: { ...at, head: head! } };
    case "neuron":
      return { point: `blocks.${layer}.mlp.hook_post`, where: { ...at, d_mlp: neuron! } };
    case "attention":
      return { point: `blocks.${layer}.hook_attn_out`, where: at };
    case "mlp":
      return { point: `blocks.${layer}.hook_mlp_out`, where: at };
    default:
      return { point: `blocks.${layer}.hook_resid_post`, where: at };
  }
}

/** "L0H3 at position 2: zero". */
export function interventionName({
  what,
  layer,
  head,
  neuron,
  position,
  by,
  factor,
  from,
  against,
}: Intervention): string {
  const of = { head: `L${layer}H${head}`, neuron: `L${layer}N${neuron}` } as Readonly<Record<string, string>>;
  const place = of[what] ?? `${what} of layer ${layer}`;
  const done: Readonly<Record<Intervention["by"], string>> = {
    zero: "zero",
    mean: "mean",
    scale: `times ${factor}`,
    patch: `from “${from}”`,
    add: `plus ${factor} · (“${from}”${against ? ` − “${against}”` : ""})`,
  };
  return `${place}${position === undefined ? "" : ` at position ${position}`}: ${done[by]}`;
}
