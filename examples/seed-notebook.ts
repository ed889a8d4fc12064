/**
 * The notebook that this library grew from, line by line: which tokens does the MLP of a one-layer SoLU model matter
 * for, even though no single neuron stands out? (Problem 4.39c of Neel Nanda's 200 open problems.) Run it with
 *
 *     node --import tsx examples/seed-notebook.ts
 *
 * Outside this repository, import from "glassformer".
 */
import { writeFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { HookedTransformer, imshow, line, NOTEBOOK_PROMPTS, scatter, type Tensor, tensor } from "../src/node.ts";

// max - mean over the neurons: how far the largest activation stands out. [batch pos d_mlp] to [batch pos]
const outlierScores = (x: Tensor) => x.max("d_mlp").sub(x.mean("d_mlp"));

interface Result {
  readonly prompt: string;
  readonly tokens: Tensor;
  readonly strTokens: readonly string[];
  readonly originalLoss: number;
  readonly outliers: readonly number[];
}

export async function seedNotebook() {
  // The notebook's prompts. One comma is missing in its list, so prompt 9 is two sentences; they are left as they were run.
  const prompts = NOTEBOOK_PROMPTS;
  const model = await HookedTransformer.fromPretrained("solu-1l-novels", {
    centerUnembed: true,
    centerWritingWeights: true,
    foldLn: true,
    refactorFactoredAttnMatrices: true,
  });

  // For each prompt: its tokens, its loss, and a hook that looks at the neurons on the way.
  const layerName = "blocks.0.mlp.hook_mid";
  const results: Result[] = [];
  for (const prompt of prompts) {
    const tokens = model.toTokens(prompt);
    const originalLoss = (await model.forward(tokens, { returnType: "loss" })).item();
    let outliers: number[] = [];
    await model.runWithHooks(tokens, {
      fwdHooks: [
        [
          layerName,
          async (x) => {
            // Awaiting numbers cuts the run here, and nowhere else.
            outliers = (await outlierScores(x).compute()).row(0).toArray();
          },
        ],
      ],
    });
    results.push({ prompt, tokens, strTokens: model.toStrTokens(prompt), originalLoss, outliers });
  }

  // The notebook's ablation: a whole forward pass for each position, with that position zeroed.
  const slowly = async (tokens: Tensor) => {
    const losses: number[] = [];
    for (let pos = 0; pos < tokens.shape[1]; pos++) {
      const loss = await model.runWithHooks(tokens, {
        returnType: "loss",
        fwdHooks: [[layerName, (x) => x.set({ pos }, 0)]],
      });
      losses.push(loss.item());
    }
    return losses;
  };

  // The same in one run: the hook returns one more axis, with a row for each position in which that position is zeroed.
  // Everything before the hook is computed once; everything after it has the new axis too.
  const inOneRun = async (tokens: Tensor) => {
    const places = Array.from(tokens.data, (_, i) => i);
    const keep = tensor(
      places.map((row) => [places.map((pos) => [row === pos ? 0 : 1])]),
      { axes: ["ablated", "batch", "pos", "d_mlp"] },
    );
    const losses = await model.runWithHooks(tokens, {
      returnType: "loss",
      lossPerToken: true, // [ablated batch pos]
      fwdHooks: [[layerName, (x) => x.unsqueeze(0, "ablated").mul(keep)]],
    });
    return (await losses.mean(["batch", "pos"]).compute()).toArray() as number[];
  };

  const first = results.slice(0, 3);
  const slow = await Promise.all(first.map(({ tokens }) => slowly(tokens)));
  const ablated: number[][] = [];
  for (const { tokens } of results) ablated.push(await inOneRun(tokens));

  // Score every position: high loss without it, but no activation that stands out.
  const positions = results.flatMap(({ strTokens, originalLoss, outliers }, prompt) =>
    strTokens.map((token, pos) => {
      const ablationLossDiff = ablated[prompt][pos] - originalLoss;
      return { prompt, pos, token, ablationLossDiff, outlier: outliers[pos], score: ablationLossDiff / outliers[pos] };
    }),
  );
  const topK = positions
    .map((_, i) => i)
    .sort((a, b) => positions[b].score - positions[a].score)
    .slice(0, 10);

  // Does the norm inside the MLP scale those up more than others?
  const compareOutlierScores = async (indices: readonly number[]) => {
    const compared = [];
    for (const i of indices) {
      const { prompt, pos } = positions[i];
      const [, cache] = await model.runWithCache(results[prompt].tokens, { returnType: null });
      const at = (name: string) => outlierScores(cache.get(name)).at({ pos }).compute();
      const pre = (await at("blocks.0.mlp.hook_mid")).item();
      const post = (await at("blocks.0.mlp.ln.hook_normalized")).item();
      compared.push({ ...positions[i], pre, post, ratio: post / pre });
    }
    return compared;
  };

  const compared = await compareOutlierScores(topK);
  // The notebook drew ten others at random; here they are every 29th.
  const others = await compareOutlierScores(positions.map((_, i) => i).filter((i) => i % 29 === 5));

  const [, cache] = await model.runWithCache(results[0].tokens, { namesFilter: layerName });
  const pictures = {
    neurons: imshow(cache.get(layerName).row(0), { title: "hook_mid of the first prompt", x: "neuron", y: "pos" }),
    scores: line(
      positions.map((p) => p.score),
      { title: "Score of each position" },
    ),
    proxies: scatter(
      positions.map((p) => 1 / p.outlier),
      positions.map((p) => p.ablationLossDiff),
      { title: "The two proxies", x: "inverse outlier score", y: "ablation loss difference" },
    ),
  };
  return { results, slow, ablated, positions, topK, compared, others, pictures };
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { compared, others, pictures } = await seedNotebook();
  const print = (rows: typeof compared) => {
    for (const { prompt, pos, pre, post, ratio } of rows) {
      console.log(`[${prompt} : ${pos}] Pre: ${pre.toFixed(5)}; Post: ${post.toFixed(5)}; Ratio: ${ratio.toFixed(5)}`);
    }
  };
  console.log("Increases in outlier score in allegedly most important positions");
  print(compared);
  console.log("Increases in outlier score in other positions");
  print(others);
  for (const [name, picture] of Object.entries(pictures)) await writeFile(`${name}.svg`, await picture.svg());
}
