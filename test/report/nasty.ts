/** A finding in which every text tries to break out of the markup, with tokens that are hard to show. */

import { type Finding, finding } from "../../src/finding/finding.ts";
import { tableOf } from "../../src/finding/table.ts";

export const ATTACK = `</script></style></title><img src=x onerror="window.broken=1"><svg onload='window.broken=1'>&nbsp;"'`;
const HARD_TOKENS = [
  ATTACK,
  "\n",
  "\t",
  " lead",
  "\u0000",
  "\ud83d",
  "\u202eevil",
  "\u200b",
  "",
  "日本",
  "🙂",
  "\u00a0",
];

const numbers = HARD_TOKENS.map((_, i) => i - 4);
const square = numbers.map((_, q) => numbers.map((_, k) => (k <= q ? 1 / (q + 1) : 0)));
const ranked = HARD_TOKENS.map((token, i) => ({ token, value: -i }));
const base = (name: string) => ({ name, title: ATTACK, caption: ATTACK });
const axis = { label: ATTACK, unit: ATTACK };

export const nastyFinding: Finding = finding({
  analysis: ATTACK,
  question: ATTACK,
  summary: [{ text: ATTACK, figure: { value: 1, unit: ATTACK, comparedWith: [ATTACK] } }],
  method: {
    text: ATTACK,
    references: [
      { title: ATTACK, url: `javascript:window.broken=1`, paper: ATTACK },
      { title: ATTACK, url: `https://example.org/"onclick="window.broken=1` },
    ],
  },
  model: { name: ATTACK, config: { [ATTACK]: ATTACK } },
  settings: { [ATTACK]: ATTACK },
  parts: [{ name: ATTACK, title: ATTACK, text: ATTACK }],
  pictures: [
    {
      kind: "tokens",
      ...base("tokens"),
      rows: [{ title: ATTACK, unit: ATTACK }],
      texts: [{ label: ATTACK, tokens: HARD_TOKENS, values: [numbers], marked: [0] }],
      marks: ATTACK,
    },
    {
      kind: "scatter",
      ...base("scatter"),
      x: axis,
      y: axis,
      series: [
        { name: ATTACK, x: numbers, y: numbers, titles: HARD_TOKENS, labels: HARD_TOKENS },
        { name: "b", x: [1], y: [1] },
      ],
      references: [{ kind: "slope", slope: 1, label: ATTACK }],
    },
    { kind: "line", ...base("line"), x: axis, y: axis, series: [{ name: ATTACK, y: numbers, titles: HARD_TOKENS }] },
    { kind: "hist", ...base("hist"), x: axis, of: ATTACK, series: [{ name: ATTACK, values: numbers }] },
    {
      kind: "imshow",
      ...base("imshow"),
      values: [numbers],
      titles: [HARD_TOKENS],
      x: { label: ATTACK, ticks: HARD_TOKENS },
      y: { label: ATTACK, ticks: [ATTACK] },
      color: { label: ATTACK, unit: ATTACK },
    },
    {
      kind: "facets",
      ...base("facets"),
      facets: [{ title: ATTACK, values: [numbers] }],
      x: { label: ATTACK, ticks: HARD_TOKENS },
      y: { label: ATTACK, ticks: [ATTACK] },
      color: { label: ATTACK, unit: ATTACK },
    },
    {
      kind: "attention",
      ...base("attention"),
      tokens: HARD_TOKENS,
      heads: [ATTACK, "H1"].map((name) => ({ name, pattern: square })),
      focus: ATTACK,
      label: ATTACK,
    },
    {
      kind: "activations",
      ...base("activations"),
      texts: [{ label: ATTACK, tokens: HARD_TOKENS, values: numbers.map((v) => [[v, 0]]) }],
      layer: { label: ATTACK },
      neuron: { label: ATTACK, ticks: [ATTACK, "b"] },
      chosen: { layer: 0, neuron: 0 },
      color: { label: ATTACK, unit: ATTACK },
    },
    {
      kind: "graph",
      ...base("graph"),
      columns: 2,
      rows: [ATTACK, "b"],
      groups: [
        { name: ATTACK, shape: "box" },
        { name: "b", shape: "disc" },
      ],
      nodes: [
        ...HARD_TOKENS.map((token) => ({ name: token, label: token, column: 0, row: 0, group: ATTACK, words: ATTACK })),
        { name: ATTACK, column: 1, row: 1, group: "b", place: ATTACK },
      ],
      edges: [{ from: 0, to: HARD_TOKENS.length, weight: -1 }],
      unit: ATTACK,
    },
    {
      kind: "topk",
      ...base("topk"),
      columns: [{ name: ATTACK, top: ranked, bottom: ranked }],
      of: ATTACK,
      color: { label: ATTACK, unit: ATTACK },
    },
    {
      kind: "logit-lens",
      ...base("logit-lens"),
      tokens: HARD_TOKENS,
      next: HARD_TOKENS,
      layers: [
        {
          name: ATTACK,
          cells: HARD_TOKENS.map((token) => ({
            top: [{ token, probability: 0.5 }],
            right: { probability: 0.5, rank: 0 },
          })),
        },
      ],
    },
  ],
  tables: [
    tableOf({ ...base("table"), part: ATTACK, comparedWith: [ATTACK] }, HARD_TOKENS, [
      [
        { name: ATTACK, title: ATTACK, unit: ATTACK, axis: ATTACK, format: "token", description: ATTACK },
        (token) => token,
      ],
      [{ name: "text", title: "text", description: ATTACK }, (token) => token],
    ]),
  ],
  baselines: [{ name: ATTACK, kind: "control", text: ATTACK, value: 1, unit: ATTACK }],
  caveats: [ATTACK],
});
