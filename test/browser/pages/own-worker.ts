/** A worker that somebody wrote, with the whole library in it. */
import * as glassformer from "../../../src/web.ts";

const { HookedTransformer, imshow, logitLens } = glassformer;

async function answer(url: string) {
  const model = await HookedTransformer.fromPretrained(url);
  const { summary } = await logitLens(model, { prompt: "The old man looked at" });
  const png = await imshow([[1, -1]])
    .png()
    .then(
      () => "drawn",
      (error) => `${error.name}: ${error.message}`,
    );
  return { summary, png };
}

addEventListener("message", async ({ data }: MessageEvent<string>) => {
  postMessage(await answer(data).catch((error) => ({ summary: [], png: `${error.name}: ${error.message}` })));
});
