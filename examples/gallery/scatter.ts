/** A point for each of many things: how long the tokens' embeddings are, and their rows of the unembedding. */
import { HookedTransformer, scatter } from "../../src/node.ts";

const model = await HookedTransformer.fromPretrained("solu-1l-novels");
const some = Array.from({ length: 400 }, (_, i) => 300 + i);
const read = model.W_E.at({ d_vocab: some });
const written = model.W_U.at({ d_vocab: some });

export default scatter(await read.norm("d_model").compute(), await written.norm("d_model").compute(), {
  title: "Tokens 300 to 699",
  x: "length of the row of W_E",
  y: "length of the column of W_U",
  titles: some.map((id) => model.toString([id])),
});
