/** BERT's `vocab.txt`: a token on each line, whose number is its id. */
import { BERT } from "../classes/bert.ts";
import { tokenizerClass } from "../classes/index.ts";
import type { Settings } from "../classes/settings.ts";
import { type Assembled, assemble } from "./assembled.ts";

/** @param className another class may have the same kind of vocabulary and other tokens around the text */
export function assembleWordPiece(vocabTxt: string, className: string | undefined, settings: Settings): Assembled {
  const own = tokenizerClass(className);
  const { usual, pipeline, around } = own?.pipeline?.(settings).model.type === "WordPiece" ? own : BERT;
  const lines = vocabTxt.replace(/\r\n/g, "\n").split("\n");
  if (lines.at(-1) === "") lines.pop();
  // Of two equal lines, the later one counts, as in Python.
  const vocab = Object.fromEntries(lines.map((token, id) => [token, id]));
  return assemble({ pipeline: pipeline!(settings), vocabulary: { vocab }, usual, around, settings });
}
