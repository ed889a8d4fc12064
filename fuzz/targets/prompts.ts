/** Files of prompts: lines, JSON lists, JSON Lines; bytes changed. What is read are the file's own texts. */
import { parsePrompts } from "../../src/index.ts";
import { jsonOf, mutateBytes, mutateJson } from "../mutate.ts";
import { outcomeOf } from "../outcome.ts";
import type { Target } from "../target.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const LIST = ["It was the best of times", " a", "naïve café 🐈", "tab\tand \u2028 separator"];
const OBJECTS = [{ prompt: "one" }, { text: "two", n: 1 }, "three"];

export const prompts: Target = {
  name: "prompts",
  description: "files of prompts in each format; each prompt that is read is a text of the file, and not empty",
  async prepare() {
    return (random) => {
      const name = random.pick(["p.txt", "p.json", "p.jsonl", "-"]);
      const lines = random.chance(0.5) ? LIST : OBJECTS;
      const values = random.chance(0.6) ? mutateJson(random, lines) : lines;
      const list: unknown[] = Array.isArray(values) ? values : [values];
      const text =
        name === "p.json"
          ? jsonOf(values)
          : list
              .map((x) => (name === "p.jsonl" ? jsonOf(x) : String(typeof x === "string" ? x : "line")))
              .join(random.pick(["\n", "\r\n"]));
      const bytes = random.chance(0.6) ? mutateBytes(random, encode(text)) : encode(text);
      return outcomeOf(
        () => parsePrompts(bytes, name),
        (found) => {
          if (found.length === 0) return "no prompts, and no error";
          if (!found.every((prompt) => typeof prompt === "string" && prompt !== "")) return "a prompt that is not text";
          if (name !== "p.txt" && name !== "-") return undefined;
          const decoded = new TextDecoder().decode(bytes);
          return found.every((prompt) => decoded.includes(prompt)) ? undefined : "a prompt that is not in the file";
        },
      );
    };
  },
};
