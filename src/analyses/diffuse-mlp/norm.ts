/** What the notebook concludes from the norm inside the MLP: outlier scores before and after it. */
import { mean } from "simple-statistics";
import type { Baseline } from "../../finding/finding.ts";
import type { View } from "../../finding/view.ts";
import type { Comparisons, GroupComparison } from "../../measures/diffuse-mlp/comparisons.ts";
import { percent } from "../../tensor/words.ts";
import { chosenAndOthers, figure, groupBaselines, POINTS, pointsNote, pValue, type Result } from "./shared.ts";

export const RATIO_LIMIT = "1/√eps";
export const RANDOM_RATIO = "ratio at random positions";

export function ratios({ candidates, random }: Comparisons, ratio: GroupComparison, eps: number, seed: number): Result {
  const ordinary = candidates.filter((p) => !p.bos && p.eps_share !== null);
  const share = mean(ordinary.map((p) => p.eps_share!));
  const { test, bootstrap, rest } = ratio;
  const against =
    test && rest !== undefined
      ? `, compared with ${rest.toFixed(1)} at the others (BOS left out; ${pValue(test.p)})`
      : "";
  const limit: Baseline = {
    name: RATIO_LIMIT,
    kind: "reference value",
    text: "The factor of a layer norm whose input does not vary at all: no ratio can be higher.",
    value: 1 / Math.sqrt(eps),
  };
  const atRandom: Baseline = {
    name: RANDOM_RATIO,
    kind: "control",
    text: `The mean ratio at ${random.length} random positions, drawn as in the notebook, including BOS if it is drawn.`,
    ...{ value: mean(random.map((p) => p.ratio!)), samples: random.length, seed },
  };
  const groups = test ? groupBaselines("ratio", "ratio (BOS left out)", { test, bootstrap }, seed, 1, "") : [];
  const baselines = [limit, ...groups, atRandom];
  return {
    summary: [
      {
        text:
          `mlp.ln multiplies by ${ratio.top.toFixed(1)} at the top positions${against}. The ratio is 1 / hook_scale, and eps is ${percent(share)} of scale² on average: ` +
          "it shows how small the activations are, and cannot show whether the norm smuggles features through.",
        ...figure(ratio.top, "", baselines),
      },
    ],
    baselines,
  };
}

/** @param limit of the ratio: 1/√eps */
export function normViews({ candidates, top }: Comparisons, limit: number): View[] {
  const begins = candidates.filter((p) => p.bos);
  const [bos] = begins;
  const left = bos ? ` The ${begins.length} BOS positions are left out; their ratio is ${bos.ratio!.toFixed(1)}.` : "";
  return [
    {
      ...{ ...POINTS, name: "before-after", part: "notebook", where: { candidate: true } },
      title: "Outlier score before and after mlp.ln",
      caption: `On the line the norm multiplies by its limit 1/√eps: eps decides, whatever the token is. Below the line, the activations are large enough to be normalised.${pointsNote(candidates.length - top.length)}`,
      x: { column: "outlier", label: "max − mean before", scale: "log" },
      y: { column: "outlier_after", label: "max − mean after", scale: "log" },
      series: chosenAndOthers(top.length),
      references: [{ kind: "slope", slope: limit, label: `slope 1/√eps = ${limit.toFixed(1)}` }],
    },
    {
      ...{ kind: "hist", name: "ratio", part: "notebook", table: "positions", where: { candidate: true, bos: false } },
      title: "Ratio of the outlier scores after and before mlp.ln",
      caption: `It equals 1 / mlp.ln.hook_scale.${left}`,
      ...{ value: "ratio", x: { label: "after / before" }, of: "positions" },
      series: [{ name: "all" }, { name: `top ${top.length} by score`, where: { top: true } }],
      references: [{ kind: "x", at: limit, label: `limit ${limit.toFixed(1)}` }],
    },
  ];
}
