/** A folder with the bundled model's weights, and a vocabulary that attacks terminals, spreadsheets and pages. */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const BUNDLED = fileURLToPath(new URL("../../models/solu-1l-novels/", import.meta.url));

/** What a token, a name or a prompt may contain. */
export const HOSTILE = [
  ...[
    "\x1b[2J\x1b]0;owned\x07",
    "\x1b]52;c;b3duZWQ=\x07",
    "\x9b31m",
    "\x9d0;owned\x9c",
    "\x07",
    "\x08\x08",
    "\x00",
    "\x7f",
  ],
  ...[
    "a\rb",
    "a\nb",
    "a\tb",
    "\u0085",
    "\u2028",
    "\u2029",
    "\u202eoverride",
    "\u2066isolate",
    "\u061c",
    "\u200b",
    "\ufeff",
  ],
  ...["\u00a0", "\u3000", "\u2003", "\u1680", "\u3164", "\u115f", "\uffa0", "\u17b4", "\u034f", "\ufe0f", "\u{e0041}"],
  ...["\u2800", "\ufffc", "\ufdd0", "\ufffe", "\uffff", "\ue000", "\u0378", "\u0301", "\u180e", "\u00ad"],
  ...["=1+1", "+1", "-1", "@SUM(1)", "=HYPERLINK('x')", "\t=1", "<script>", "&amp;", "'", '"', "]]>", "<!--"],
];

/** The default words of analyses, each a separate token. Every other word is the unknown token, and hostile. */
export function hostileModel(parent: string, words: readonly string[], name = "m\x1b[31m\u202e"): string {
  const folder = join(parent, name);
  mkdirSync(folder, { recursive: true });
  const config = JSON.parse(readFileSync(join(BUNDLED, "config.json"), "utf8"));
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  copyFileSync(join(BUNDLED, "model.safetensors"), join(folder, "model.safetensors"));
  const hostile = (i: number) => `${HOSTILE[i % HOSTILE.length]}${i < HOSTILE.length ? "" : `${i}`}`;
  const texts = [...new Set(words), ...Array.from({ length: config.d_vocab }, (_, i) => hostile(i))];
  const vocab = Object.fromEntries(texts.slice(0, config.d_vocab).map((text, id) => [text, id]));
  const tokenizer = {
    version: "1.0",
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: { type: "WhitespaceSplit" },
    post_processor: null,
    decoder: { type: "Fuse" },
    model: { type: "WordLevel", vocab, unk_token: HOSTILE[0] },
  };
  writeFileSync(join(folder, "tokenizer.json"), JSON.stringify(tokenizer));
  writeFileSync(
    join(folder, "tokenizer_config.json"),
    JSON.stringify({ bos_token: HOSTILE[1], pad_token: HOSTILE[2] }),
  );
  return folder;
}
