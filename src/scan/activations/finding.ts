/** How large the saved activations are, as a finding. */
import { modelFacts } from "../../analyses/model-facts.ts";
import { type Finding, finding } from "../../finding/finding.ts";
import { column, tableOf } from "../../finding/table.ts";
import type { View } from "../../finding/view.ts";
import type { Model } from "../../lens/model.ts";
import { counted, listed, quoted } from "../../tensor/words.ts";
import { CONTEXT_CELLS, placeOf } from "../context.ts";
import type { Point } from "../points.ts";
import type { ScanAbout } from "../scan.ts";
import type { ActivationsSummaries } from "./summaries.ts";

const UNIT = "numbers of size 1";
const NAMED = 3;

export function activationsFinding(
  model: Model,
  points: readonly Point[],
  { store, fromPosition, top }: { readonly store: string; readonly fromPosition: number; readonly top: number },
  { norms, distributions, largest }: ActivationsSummaries,
  about: ScanAbout,
): Finding {
  const tokens = norms.count(0);
  const rows = points.map(({ name, shape, width }, p) => ({
    hook: name,
    shape: shape.join(" × "),
    width,
    bytes: tokens * width * (store === "float16" ? 2 : 4),
    mean: tokens === 0 ? null : norms.mean(p),
    sd: tokens === 0 ? null : Math.sqrt(norms.variance(p)),
    median: tokens === 0 ? null : distributions.quantile(0.5, p),
    p95: tokens === 0 ? null : distributions.quantile(0.95, p),
    max: tokens === 0 ? null : norms.max(p),
  }));
  const examples = points.flatMap(({ name }, p) =>
    largest
      .of(p)
      .map(({ value, payload }, i) => ({ hook: name, rank: i + 1, norm: value, ...placeOf(model, payload) })),
  );
  const megabytes = rows.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6;
  const named = examples.filter(({ hook }) => hook === points[0].name).slice(0, NAMED);
  return finding({
    analysis: "scan",
    question: "What do these hook points hold at every token?",
    summary: [
      {
        text: `${counted(points.length, "hook point")} at ${counted(tokens, "token")} are saved, ${megabytes.toFixed(1)} MB as ${store}.`,
      },
      ...(rows[0].mean === null
        ? []
        : [
            {
              text: `What ${rows[0].hook} holds has a norm of ${rows[0].mean.toFixed(2)} on average, at most ${rows[0].max!.toFixed(2)}.`,
              figure: { value: rows[0].mean, unit: "", comparedWith: [UNIT] as [string] },
            },
            {
              text: `It is largest at ${listed(named.map(({ token, norm }) => `${quoted(token)} (${norm.toFixed(2)})`))}.`,
            },
          ]),
    ],
    method: {
      text: "The corpus is cut into rows of tokens, none of which has parts of two texts. What each hook point holds at a token is saved as a row of numbers, in the order of the corpus.",
      references: [],
    },
    model: modelFacts(model),
    settings: { scan: "activations", store, "from position": fromPosition, top, ...about.settings },
    pictures: [NORMS],
    tables: [
      tableOf({ name: "points", title: "Every hook point", comparedWith: [UNIT] }, rows, [
        column("hook", "The hook point.", { title: "hook point", format: "text" }),
        column("shape", "The shape of what it holds for a token.", { format: "text" }),
        column("width", "How many numbers that is.", { format: "integer", detail: true }),
        column("bytes", "How many bytes all of it takes.", { format: "integer" }),
        column("mean", "The mean of its norm.", { title: "mean norm", digits: 2 }),
        column("sd", "The standard deviation of its norm.", { digits: 2 }),
        column("median", "Half of the norms are smaller.", { digits: 2 }),
        column("p95", "A twentieth of the norms are larger.", { title: "95 %", digits: 2, detail: true }),
        column("max", "The largest norm.", { digits: 2 }),
      ]),
      tableOf({ name: "largest", title: "Tokens with the largest norms" }, examples, [
        column("hook", "The hook point.", { title: "hook point", format: "text" }),
        column("rank", "1 is the largest.", { format: "integer" }),
        column("norm", "The norm there.", { digits: 2 }),
        ...CONTEXT_CELLS,
      ]),
    ],
    baselines: [
      {
        name: UNIT,
        kind: "reference value",
        text: `The norm of ${points[0].width} numbers of size 1, as many as ${points[0].name} holds: the root of how many they are.`,
        value: Math.sqrt(points[0].width),
      },
    ],
    caveats: [
      "The last digits of float32 numbers depend on how rows are batched.",
      ...(store === "float16" ? ["Numbers above 65504 do not exist in float16, and are saved as infinite."] : []),
      ...model.notes,
    ],
  });
}

const NORMS: View = {
  ...{ kind: "bar", name: "norms", table: "points", horizontal: true },
  title: "How large each hook point is",
  caption: "The mean of the norm, and the largest.",
  x: "hook",
  y: { column: ["mean", "max"], label: "norm" },
};
