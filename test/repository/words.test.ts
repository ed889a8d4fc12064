/** Plain English, as CONTRIBUTING.md lists it: phrases that are not, and where they stand. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "./installed.ts";

/** What is not written, and what is written instead. */
const PHRASES: readonly (readonly [phrase: RegExp, instead: string])[] = [
  [/\bin truth\b/i, "actually"],
  [/\b(a|one|each|another|second) training(?! (run|step|text|loop|graph|set|data|screen))\b/i, "a training run"],
  [/\btrainings\b/i, "training runs"],
  [/(?<!\bthere )\b(is|are|was|were) no (?!longer\b|more\b|less\b|fault\b|point\b)/i, "is not a …"],
  [/\b(foreseen?|foresees|foretells?|foretold)\b/i, "predicted"],
  [/\blikeliest\b/i, "most probable, closest match"],
  [/\b(unless|than|as|is|are|was|be|not) told\b|\bis told of\b/i, "says, shows, by default"],
  [/\b(it|which|that|what|name|type|ending|error|message|file|system|sentence) (tells|told)\b/i, "says, shows"],
  [/\bunless given\b/i, "default: …"],
  [/\bso many (?=[a-z]+(?! that))/i, "this many"],
  [/\b(of|to|on) one's own\b/i, "its own"],
  [/\banew\b|\bonce more\b/i, "again"],
  [/\bat once\b/i, "immediately, at the same time"],
  [/\bfor ever\b/i, "forever"],
  [/\b(held|holds?|hold) (\w+ ){0,3}against\b/i, "compared with, checked against"],
  [/\b(taken?|taking) up again\b/i, "resumed"],
  [/\bmend(s|ed|ing)?\b/i, "fix, correct"],
  [/\bwhat (is|was) (given|asked for)\b/i, "name the thing"],
  [/\b(goes|go|going) on (with|from)\b/i, "continues"],
];

/** Where a phrase is quoted on purpose, or is the author's of a text that a test reads. */
const ALLOWED = new Set(["CONTRIBUTING.md", "test/repository/words.test.ts"]);
/** Texts that others wrote. */
const QUOTED = /^(test\/(goldens|.*fixtures|text\/hugging-face)|docs\/gallery|models|src\/analyses\/passage\.ts)/;

const folders = ["src", "test", "docs", "scripts", "fuzz", "bench", "examples"];
const files = folders
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((at) => join(folder, at)),
  )
  .concat("README.md", "CONTRIBUTING.md")
  .filter((file) => /\.(ts|md)$/.test(file) && !ALLOWED.has(file) && !QUOTED.test(file));

describe("the words of the source, the tests and the documents", () => {
  const texts = files.map((file) => [file, readFileSync(join(root, file), "utf8").split("\n")] as const);
  test.each(PHRASES)("are not %s (write: %s)", (phrase) => {
    const found = texts.flatMap(([file, lines]) =>
      lines.flatMap((line, i) => (phrase.test(line) ? [`${file}:${i + 1}: ${line.trim().slice(0, 160)}`] : [])),
    );
    expect(found).toEqual([]);
  });
});
