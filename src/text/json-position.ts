/** Where a text stops being JSON. `JSON.parse` reports this in some engines, for some errors, in varying words. */

// One token of JSON at the current position: a string, a number, a literal or punctuation.
const TOKEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids raw control characters in strings
  /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|[{}[\],:]/y;
const SPACE = /[ \t\n\r]*/y;

/** The offset (UTF-16) of the first token that JSON does not allow there, or the text's length if it ends too early. */
export function jsonErrorOffset(text: string): number {
  let at = 0;
  const next = (): { token: string; start: number } => {
    SPACE.lastIndex = at;
    SPACE.exec(text);
    const start = SPACE.lastIndex;
    TOKEN.lastIndex = start;
    const token = TOKEN.exec(text)?.[0] ?? "";
    at = start + token.length;
    return { token, start };
  };

  // What may come next: a value, something inside an open array or object, or the end.
  const open: ("[" | "{")[] = [];
  let expect: "value" | "value or ]" | "key or }" | "key" | ":" | "after value" = "value";
  for (;;) {
    const { token, start } = next();
    const first = token[0];
    const inside = open.at(-1);
    if (expect === ":") {
      if (token !== ":") return start;
      expect = "value";
    } else if (expect === "after value") {
      if (inside !== undefined && token === ",") expect = inside === "[" ? "value" : "key";
      else if (inside !== undefined && token === (inside === "[" ? "]" : "}")) open.pop();
      else return start; // including the end of a valid text
    } else if ((expect === "value or ]" && token === "]") || (expect === "key or }" && token === "}")) {
      open.pop();
      expect = "after value";
    } else if (expect === "key" || expect === "key or }") {
      if (first !== '"') return start;
      expect = ":";
    } else if (token === "[" || token === "{") {
      open.push(token);
      expect = token === "[" ? "value or ]" : "key or }";
    } else if (token === "" || /[\]},:]/.test(first)) return start;
    else expect = "after value";
  }
}
