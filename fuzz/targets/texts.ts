/** Texts to train on, from text files and JSON lines; bytes changed. What is read are the file's own texts. */
import { memorySource, readTexts } from "../../src/index.ts";
import { jsonOf, mutateBytes, mutateJson } from "../mutate.ts";
import { outcomeOf } from "../outcome.ts";
import type { Target } from "../target.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const ROWS = [{ text: "one", n: 1 }, { text: "naïve café 🐈" }, { n: 2, text: "three\nlines" }];

export const texts: Target = {
  name: "texts",
  description: "text files and JSON lines; each text that is read is a text of the file",
  async prepare() {
    return (random) => {
      const name = random.pick(["t.txt", "t.jsonl", "t.ndjson"]);
      const rows = random.chance(0.6) ? mutateJson(random, ROWS) : ROWS;
      const list: unknown[] = Array.isArray(rows) ? rows : [rows];
      const text = list.map(jsonOf).join("\n");
      const bytes = random.chance(0.5) ? mutateBytes(random, encode(text)) : encode(text);
      const maxTexts = random.chance(0.3) ? random.between(1, 3) : undefined;
      return outcomeOf(
        () => readTexts(memorySource(name, bytes), { maxTexts }),
        (found) => {
          if (found.length > (maxTexts ?? Infinity)) return `${found.length} texts instead of ${maxTexts}`;
          if (!found.every((x) => typeof x === "string")) return "a text that is not one";
          const decoded = new TextDecoder().decode(bytes);
          if (name === "t.txt")
            return found.every((x) => decoded.includes(x)) ? undefined : "a text that is not in the file";
          const lines = decoded.split("\n").filter((line) => line.trim() !== "");
          return found.every((x, i) => JSON.parse(lines[i]).text === x) ? undefined : "a text that is not in its line";
        },
      );
    };
  },
};
