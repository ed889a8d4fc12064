/**
 * Steering: a vector is added to the residual stream while the model generates. The vector is the difference between what the
 * model has there after two prompts; adding it pushes what follows towards the first. Run it with
 *
 *     node --import tsx examples/steering.ts
 *
 * Outside this repository, import from "glassformer". Method: activation addition, Turner et al. 2023
 * (arxiv.org/abs/2308.10248).
 */
import { pathToFileURL } from "node:url";
import { HookedTransformer } from "../src/node.ts";

export async function steering() {
  const model = await HookedTransformer.fromPretrained("solu-1l-novels");
  const site = "blocks.0.hook_resid_post";

  // The direction from "he" to "she": the stream after a prompt about a lady, minus that after one about a gentleman.
  const [, lady] = await model.runWithCache("The lady was so tired that", { namesFilter: site });
  const [, gentleman] = await model.runWithCache("The gentleman was so tired that", { namesFilter: site });
  const direction = await lady.get(site).sub(gentleman.get(site)).at({ pos: -1 }).mean("batch").compute();

  // How much the next token is " she" rather than " he", with multiples of the vector added at the last token.
  const prompt = "The doctor was so tired that";
  const [she, he] = [model.toSingleToken(" she"), model.toSingleToken(" he")];
  const differences: number[] = [];
  for (const times of [-2, -1, 0, 1, 2]) {
    const logits = await model.runWithHooks(prompt, {
      fwdHooks: [[site, (x) => x.set({ pos: -1 }, x.add(direction.mul(times)))]],
      logitsPos: -1,
    });
    differences.push(logits.data[she] - logits.data[he]);
  }

  // The same during generation: one line, a hook on every step.
  const write = (times: number) =>
    model
      .hooks({ fwdHooks: [[site, (x) => x.add(direction.mul(times))]] })
      .generate(prompt, { maxNewTokens: 12, doSample: false });
  return { differences, plain: await write(0), towardsShe: await write(2), towardsHe: await write(-2) };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { differences, ...texts } = await steering();
  console.log("logit of she over he, -2 to 2 times the vector:", differences.map((x) => x.toFixed(2)).join(" "));
  for (const [name, text] of Object.entries(texts)) console.log(`${name}: ${text}`);
}
