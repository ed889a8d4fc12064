/** What the fields of mixtures of experts must say together. */
import { ConfigError } from "../../tensor/errors.ts";
import { shown } from "../../tensor/show.ts";
import { counted } from "../../tensor/words.ts";
import type { HookedTransformerConfig } from "./config.ts";

/** @throws ConfigError for experts that contradict themselves or other fields, and for their fields in a model without any */
export function checkExperts(c: HookedTransformerConfig): void {
  const { numExperts: count, expertsPerToken: perToken } = c;
  if (count === null) {
    const { mlpTypes, expertDMlp, sharedExpertDMlp, expertLimit } = c;
    const set = { experts_per_token: perToken, mlp_types: mlpTypes, expert_d_mlp: expertDMlp };
    const others = { shared_expert_d_mlp: sharedExpertDMlp, expert_limit: expertLimit };
    const [stray] = Object.entries({ ...set, ...others }).find(([, value]) => value !== null) ?? [];
    if (stray !== undefined)
      refuse(`${stray} is set, but num_experts is null: the model has no experts. Set both.`, stray, count);
    return;
  }
  if (perToken === null) {
    refuse(
      `num_experts is ${count}, but experts_per_token is null: say how many each position has.`,
      "experts_per_token",
      perToken,
    );
  }
  if (perToken > count) {
    refuse(
      `experts_per_token is ${perToken}, but there are only ${counted(count, "expert")} (num_experts).`,
      perToken,
      count,
    );
  }
  if (c.attnOnly)
    refuse("num_experts is set, but the model has no MLPs (attn_only). Set one of them.", "num_experts", count);
  if (!c.gatedMlp) refuse("Experts are gated MLPs: with num_experts, set gated_mlp.", "gated_mlp", c.gatedMlp);
  if (c.actFn?.endsWith("_ln")) {
    const plain = c.actFn.replace(/_ln$/, "");
    refuse(
      `Experts have no norm of their neurons, as act_fn ${shown(c.actFn)} asks: use ${shown(plain)}.`,
      c.actFn,
      plain,
    );
  }
  if (c.actFn === "xielu") {
    refuse('act_fn "xielu" learns numbers, which experts do not have: use another one.', c.actFn, count);
  }
  if (c.mlpTypes && c.mlpTypes.length !== c.nLayers) {
    const each = `"dense" or "experts" for each of the ${c.nLayers} layers`;
    refuse(`mlp_types must have ${each}, but has ${c.mlpTypes.length}.`, "mlp_types", c.mlpTypes);
  }
}

function refuse(message: string, asked: unknown, found: unknown): never {
  throw new ConfigError(message, { asked, found });
}
