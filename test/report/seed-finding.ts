/** A finding with real numbers: the notebook's 35 prompts on the bundled model, as TransformerLens measured them. */

import { readFileSync } from "node:fs";
import { type Finding, finding } from "../../src/finding/finding.ts";
import { tableOf } from "../../src/finding/table.ts";

interface SeedPrompt {
  readonly prompt: string;
  readonly str_tokens: string[];
  readonly loss: number;
  readonly per_token_loss: number[];
  readonly outlier_pre: number[];
  readonly outlier_post: number[];
  readonly ln_scale: number[];
  readonly ablation_loss: number[];
  readonly dla: {
    readonly neurons_sum: number;
    readonly max_share: number;
    readonly effective_neurons: number;
    readonly n50: number;
    readonly n90: number;
    readonly top: [neuron: number, logits: number][];
  }[];
}

interface Position {
  readonly prompt: number;
  readonly pos: number;
  readonly token: string;
  readonly ablation: number;
  readonly pre: number;
  readonly post: number;
  readonly ratio: number;
  readonly score: number;
  readonly dla: SeedPrompt["dla"][number] | undefined;
}

const EPS = 1e-5;
const run = JSON.parse(readFileSync(new URL("../goldens/seed_run.json", import.meta.url), "utf8"));
const prompts: SeedPrompt[] = run.prompts;

const positions: Position[] = prompts.flatMap((p, prompt) =>
  p.str_tokens.map((token, pos) => {
    const ablation = p.ablation_loss[pos] - p.loss;
    const pre = p.outlier_pre[pos];
    const post = p.outlier_post[pos];
    return { prompt, pos, token, ablation, pre, post, ratio: post / pre, score: ablation / pre, dla: p.dla[pos] };
  }),
);

const top: Position[] = run.top10_flat.map((i: number) => positions[i]);
const rest = positions.filter((p) => !top.includes(p));
const control = rest.filter((_, i) => i % 22 === 7).slice(0, 10);
const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const hover = (p: Position) => `“${p.token}” in prompt ${p.prompt}, position ${p.pos}\nscore ${p.score.toPrecision(4)}`;

export function seedFinding(): Finding {
  const ratioTop = mean(top.map((p) => p.ratio));
  const ratioRest = mean(rest.map((p) => p.ratio));
  const attributed = positions.filter((p) => p.dla).map((p) => p.dla!);
  const share = mean(attributed.map((d) => d.max_share));
  const shareTop = mean(top.flatMap((p) => (p.dla ? [p.dla.max_share] : [])));
  return finding({
    analysis: "diffuse-mlp",
    question: "Which tokens does the MLP layer matter for, even though no single neuron stands out?",
    summary: [
      {
        text: `The ten positions with the highest score have a largest neuron that carries ${(100 * shareTop).toFixed(1)} % of the MLP's attribution on average, against ${(100 * share).toFixed(1)} % over all positions.`,
        figure: { value: 100 * shareTop, unit: "%", comparedWith: ["all positions"] },
      },
      {
        text: `mlp.ln multiplies by ${ratioTop.toFixed(1)} at the top ten positions and by ${ratioRest.toFixed(1)} at the others.`,
        figure: { value: ratioTop, unit: "", comparedWith: ["eps limit", "control ratio"] },
      },
      {
        text: `Zeroing the MLP at ${top[0].token.trim()} in prompt ${top[0].prompt} raises the loss by ${top[0].ablation.toFixed(3)} nats.`,
        figure: { value: top[0].ablation, unit: "nats", comparedWith: ["control positions"] },
      },
    ],
    method: {
      text: "For each position p the outlier score is max − mean of blocks.0.mlp.hook_mid over d_mlp; the ablation effect is the prompt's mean loss with hook_mid zeroed at p, minus the clean loss. The score is their quotient.\n\nAttribution is exact from hook_post on: a_i = hook_post_i (W_out[i] · W_U[:, t]) / ln_final.hook_scale, in logits of the next token t, with processed weights.",
      references: [
        {
          title: "200 Concrete Open Problems in Mechanistic Interpretability, 4.39c",
          url: "https://www.alignmentforum.org/s/yivyHaCAmMJ3CqSyj/p/o6ptPu7arZrqRCxyz",
          paper: "Neel Nanda, 2022",
        },
        {
          title: "Softmax Linear Units",
          url: "https://transformer-circuits.pub/2022/solu/",
          paper: "Elhage et al., 2022",
        },
      ],
    },
    model: {
      name: "solu-1l-novels",
      config: { n_layers: 1, d_model: 128, d_mlp: 1024, act_fn: "solu_ln", eps: EPS },
    },
    settings: { layer: 0, top: 10, seed: 0, prompts: prompts.length, "exclude BOS": false },
    parts: [
      {
        name: "notebook",
        title: "The notebook's own steps",
        text: "Each token is ablated on its own, and the effect on the prompt's mean loss is divided by how far the largest activation stands out.",
      },
      {
        name: "attribution",
        title: "The question asked of attributions",
        text: "Activations say little about what a neuron does to the output. Here each neuron's direct contribution to the next token's logit is counted instead.",
      },
    ],
    pictures: [
      {
        kind: "tokens",
        name: "prompts",
        part: "notebook",
        title: "What zeroing the MLP at each token does to the loss",
        caption:
          "Blue: the loss rises without the MLP there. The last token of a prompt predicts nothing, so it is always 0.",
        rows: [{ title: "ablation loss difference", unit: "nats" }],
        hover: [{ title: "outlier score before mlp.ln" }, { title: "score" }],
        texts: prompts.map((p, i) => {
          const here = positions.filter((q) => q.prompt === i);
          return {
            label: String(i),
            tokens: p.str_tokens,
            values: [here.map((q) => q.ablation), here.map((q) => q.pre), here.map((q) => q.score)],
            marked: top.filter((q) => q.prompt === i).map((q) => q.pos),
          };
        }),
        marks: "among the top 10 by score",
      },
      {
        kind: "scatter",
        name: "ablation-outlier",
        part: "notebook",
        title: "Ablation effect against inverse outlier score",
        caption: "The score is the product of both axes: it favours positions whose activations are small.",
        x: { label: "1 / (max − mean) of hook_mid" },
        y: { label: "ablation loss difference", unit: "nats" },
        series: [
          {
            name: "other positions",
            x: rest.map((p) => 1 / p.pre),
            y: rest.map((p) => p.ablation),
            titles: rest.map(hover),
          },
          {
            name: "top 10 by score",
            x: top.map((p) => 1 / p.pre),
            y: top.map((p) => p.ablation),
            titles: top.map(hover),
            labels: top.map((p, i) => (i < 3 ? p.token.trim() : "")),
          },
        ],
        references: [{ kind: "y", at: 0, label: "no effect" }],
      },
      {
        kind: "scatter",
        name: "pre-post",
        part: "notebook",
        title: "Outlier score before and after mlp.ln",
        caption:
          "On the line, the layer norm multiplies by its limit 1/√eps: eps alone decides, and the scale says nothing about the token.",
        x: { label: "max − mean before", scale: "log" },
        y: { label: "max − mean after", scale: "log" },
        series: [
          { name: "other positions", x: rest.map((p) => p.pre), y: rest.map((p) => p.post), titles: rest.map(hover) },
          { name: "top 10 by score", x: top.map((p) => p.pre), y: top.map((p) => p.post), titles: top.map(hover) },
        ],
        references: [{ kind: "slope", slope: 1 / Math.sqrt(EPS), label: "slope 1/√eps = 316.2" }],
      },
      {
        kind: "hist",
        name: "ratio",
        part: "notebook",
        title: "Ratio of outlier scores after and before mlp.ln",
        caption: "It equals 1 / mlp.ln.hook_scale. The BOS positions lie far to the left.",
        x: { label: "after / before", domain: [200, 320] },
        of: "positions",
        series: [
          { name: "all", values: positions.map((p) => p.ratio) },
          { name: "top 10 by score", values: top.map((p) => p.ratio) },
        ],
        references: [{ kind: "x", at: 1 / Math.sqrt(EPS), label: "limit 1/√eps = 316.2" }],
      },
      {
        kind: "imshow",
        name: "neurons",
        part: "attribution",
        title: "The largest neurons of the top tokens",
        caption: "Each row is a position; its neurons are sorted by the size of their attribution.",
        values: top.map((p) => p.dla?.top.map(([, logits]) => logits) ?? [null, null, null, null, null]),
        titles: top.map((p) =>
          (p.dla?.top ?? []).map(([neuron, logits]) => `“${p.token}”, neuron ${neuron}: ${logits.toFixed(3)} logits`),
        ),
        x: { label: "neurons, largest first", ticks: ["1st", "2nd", "3rd", "4th", "5th"] },
        y: { ticks: top.map((p) => `${p.token} (${p.prompt}:${p.pos})`) },
        color: { label: "attribution", unit: "logits" },
      },
    ],
    tables: [
      tableOf(
        {
          name: "top",
          title: "Highest scores",
          caption: "Positions that matter and have no large neuron, by the notebook's measure.",
          part: "notebook",
          comparedWith: ["control positions"],
        },
        top,
        [
          [
            {
              name: "prompt",
              title: "prompt",
              axis: "batch",
              format: "integer",
              description: "Index of the prompt, from 0.",
            },
            (p) => p.prompt,
          ],
          [
            {
              name: "pos",
              title: "pos",
              axis: "pos",
              format: "integer",
              description: "Position in the prompt; 0 is BOS.",
            },
            (p) => p.pos,
          ],
          [
            { name: "token", title: "token", format: "token", description: "The token at that position." },
            (p) => p.token,
          ],
          [
            { name: "text", title: "text", format: "text", description: "The prompt." },
            (p) => prompts[p.prompt].prompt,
          ],
          [
            {
              name: "ablation_loss",
              title: "ablation effect",
              unit: "nats",
              description: "Mean loss with hook_mid zeroed there, minus the clean loss.",
            },
            (p) => p.ablation,
          ],
          [{ name: "outlier_pre", title: "outlier before", description: "max − mean of hook_mid." }, (p) => p.pre],
          [
            { name: "outlier_post", title: "outlier after", description: "max − mean of mlp.ln.hook_normalized." },
            (p) => p.post,
          ],
          [{ name: "ratio", title: "ratio", description: "After over before: 1 / mlp.ln.hook_scale." }, (p) => p.ratio],
          [
            {
              name: "score",
              title: "score",
              format: { digits: 1 },
              description: "Ablation effect over outlier before.",
            },
            (p) => p.score,
          ],
        ],
      ),
      tableOf(
        {
          name: "attribution",
          title: "How the attribution is spread over neurons",
          part: "attribution",
          comparedWith: ["all positions"],
        },
        positions,
        [
          [
            {
              name: "prompt",
              title: "prompt",
              axis: "batch",
              format: "integer",
              description: "Index of the prompt, from 0.",
            },
            (p) => p.prompt,
          ],
          [
            { name: "pos", title: "pos", axis: "pos", format: "integer", description: "Position in the prompt." },
            (p) => p.pos,
          ],
          [
            { name: "token", title: "token", format: "token", description: "The token at that position." },
            (p) => p.token,
          ],
          [
            { name: "mlp", title: "MLP attribution", unit: "logits", description: "Sum over neurons." },
            (p) => p.dla?.neurons_sum ?? null,
          ],
          [
            {
              name: "max_share",
              title: "largest neuron",
              format: "percent",
              description: "Its part of the sum of sizes.",
            },
            (p) => p.dla?.max_share ?? null,
          ],
          [
            {
              name: "n50",
              title: "neurons for 50 %",
              axis: "d_mlp",
              format: "integer",
              description: "The fewest that reach half of the sum of sizes.",
            },
            (p) => p.dla?.n50 ?? null,
          ],
          [
            {
              name: "n90",
              title: "neurons for 90 %",
              axis: "d_mlp",
              format: "integer",
              description: "The same for nine tenths.",
            },
            (p) => p.dla?.n90 ?? null,
          ],
        ],
      ),
    ],
    baselines: [
      {
        name: "all positions",
        kind: "control",
        text: `The mean share of the largest neuron over all ${attributed.length} positions that have a next token.`,
        value: 100 * share,
        unit: "%",
      },
      {
        name: "eps limit",
        kind: "reference value",
        text: "1/√eps, the factor of a layer norm whose input has no variance.",
        value: 1 / Math.sqrt(EPS),
      },
      {
        name: "control positions",
        kind: "control",
        text: "The mean ablation effect of ten other positions, every 22nd.",
        value: mean(control.map((p) => p.ablation)),
        unit: "nats",
        samples: control.length,
      },
      {
        name: "control ratio",
        kind: "control",
        text: "The mean ratio of the same ten positions.",
        value: mean(control.map((p) => p.ratio)),
        samples: control.length,
      },
    ],
    caveats: [
      "The loss is a mean over the prompt's tokens, so one position weighs more in a short prompt.",
      "Zeroing hook_mid also changes the final layer norm's scale: the ablation effect is not the direct attribution.",
      "Prompt 9 is two sentences joined by a missing comma, kept as the notebook ran it.",
    ],
  });
}
