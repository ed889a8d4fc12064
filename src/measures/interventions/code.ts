/** The code that makes changes of a run: TypeScript, and Python for TransformerLens. */
import { markUnseen } from "../../tensor/visible.ts";
import type { Intervention } from "./options.ts";
import { interventionName, placeOf } from "./place.ts";

/** A run with changes. */
export interface ChangedRun {
  /** What the model is opened by. */
  readonly model: string;
  readonly prompt: string;
  readonly changes: readonly Intervention[];
}

/** Lines before the hooks, and what a hook puts in the value's place. */
interface Part {
  readonly before: readonly string[];
  readonly value: string;
}

const text = (value: string) => JSON.stringify(value);
/** A change in words, on one line. */
const comment = (change: Intervention) => markUnseen(interventionName(change));

/** A program for this package. */
export function typescriptOf({ model, prompt, changes }: ChangedRun): string {
  const parts = changes.map((change, i) => typescriptPart(change, i));
  const hooks = changes.flatMap((change, i) => {
    const { point, where } = placeOf(change);
    const axes = Object.entries(where).map(([axis, index]) => `${axis}: ${index}`);
    const made = axes.length > 0 ? `x.set({ ${axes.join(", ")} }, ${parts[i].value})` : whole(parts[i].value);
    return [`  // ${comment(change)}`, `  [${text(point)}, (x: Tensor) => ${made}],`];
  });
  return [
    `import { HookedTransformer, type Tensor } from "glassformer";`,
    "",
    `const model = await HookedTransformer.fromPretrained(${text(model)});`,
    `const prompt = ${text(prompt)};`,
    ...parts.flatMap(({ before }) => before),
    "const fwdHooks = [",
    ...hooks,
    "] as const;",
    `const logits = await model.runWithHooks(prompt, { fwdHooks, logitsPos: -1 });`,
    "",
  ].join("\n");
}

/** A whole value, replaced. */
const whole = (value: string) =>
  value === "0" ? "x.mul(0)" : value.startsWith("x.") ? value : `x.mul(0).add(${value})`;

function typescriptPart({ by, factor, from = "", against, position, ...change }: Intervention, i: number): Part {
  const { point } = placeOf({ ...change, position });
  const run = (name: string, prompt: string) =>
    `const [, ${name}] = await model.runWithCache(${prompt}, { namesFilter: ${text(point)} });`;
  const at = (name: string) => `${name}.get(${text(point)})`;
  switch (by) {
    case "zero":
      return { before: [], value: "0" };
    case "scale":
      return { before: [], value: `x.mul(${factor})` };
    case "mean":
      return {
        before: [run(`clean${i}`, "prompt"), `const mean${i} = ${at(`clean${i}`)}.mean(["batch", "pos"], true);`],
        value: `mean${i}`,
      };
    case "patch":
      return {
        before: [run(`other${i}`, text(from))],
        value: at(`other${i}`) + (position === undefined ? "" : `.at({ pos: [${position}] })`),
      };
    default: {
      const minus = against ? `.sub(${at(`start${i}`)}.at({ pos: [-1] }))` : "";
      return {
        before: [
          run(`end${i}`, text(from)),
          ...(against ? [run(`start${i}`, text(against))] : []),
          `const direction${i} = ${at(`end${i}`)}.at({ pos: [-1] })${minus};`,
        ],
        value: `x.add(direction${i}.mul(${factor}))`,
      };
    }
  }
}

/** A program for TransformerLens 2.18. */
export function pythonOf({ model, prompt, changes }: ChangedRun): string {
  const parts = changes.map((change, i) => pythonPart(change, i));
  const functions = changes.flatMap((change, i) => {
    const index = indexOf(change);
    return [
      "",
      `def change${i}(x, hook):  # ${comment(change)}`,
      `    x[${index}] = ${parts[i].value}`,
      "    return x",
      "",
    ];
  });
  const hooks = changes.map((change, i) => `(${text(placeOf(change).point)}, change${i})`);
  return [
    "from transformer_lens import HookedTransformer",
    "",
    `model = HookedTransformer.from_pretrained(${text(model)})`,
    `prompt = ${text(prompt)}`,
    ...parts.flatMap(({ before }) => before),
    ...functions,
    `logits = model.run_with_hooks(prompt, fwd_hooks=[${hooks.join(", ")}])[:, -1]`,
    "",
  ].join("\n");
}

/** What of a value is changed, as Python's index. */
function indexOf(change: Intervention): string {
  const { where } = placeOf(change);
  const pos = where.pos === undefined ? ":" : `[${where.pos}]`;
  const within = where.head ?? where.d_mlp;
  return [":", pos, ...(within === undefined ? [] : [`${within}`])].join(", ");
}

function pythonPart(change: Intervention, i: number): Part {
  const { by, factor, from = "", against } = change;
  const { point } = placeOf(change);
  const index = indexOf(change);
  const within = index.split(", ").slice(2);
  const run = (name: string, prompt: string) =>
    `_, ${name} = model.run_with_cache(${prompt}, names_filter=${text(point)})`;
  const at = (name: string, ...indices: readonly string[]) => `${name}[${text(point)}][${indices.join(", ")}]`;
  switch (by) {
    case "zero":
      return { before: [], value: "0" };
    case "scale":
      return { before: [], value: `${factor} * x[${index}]` };
    case "mean":
      return { before: [run(`clean${i}`, "prompt")], value: `${at(`clean${i}`, ":", ":", ...within)}.mean((0, 1))` };
    case "patch":
      return { before: [run(`other${i}`, text(from))], value: at(`other${i}`, ...index.split(", ")) };
    default: {
      const last = (name: string) => at(name, ":", "-1:", ...within);
      const direction = against ? `(${last(`end${i}`)} - ${last(`start${i}`)})` : last(`end${i}`);
      return {
        before: [run(`end${i}`, text(from)), ...(against ? [run(`start${i}`, text(against))] : [])],
        value: `x[${index}] + ${factor} * ${direction}`,
      };
    }
  }
}
