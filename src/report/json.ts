import type { Finding } from "../finding/finding.ts";

/** Characters that JSON allows unescaped, but that a terminal or a reader should not receive raw. */
const UNSAFE =
  /[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\p{Noncharacter_Code_Point}]/gu;

/** The whole finding, indented, with every digit; invisible characters in its texts are escaped, so parsing gives them back unchanged. */
export function renderJson(finding: Finding): string {
  return toJson(finding);
}

/** Any plain data in the same way. */
export function toJson(data: object): string {
  return `${JSON.stringify(data, null, 2).replace(UNSAFE, escaped)}\n`;
}

function escaped(character: string): string {
  return Array.from(
    { length: character.length },
    (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`,
  ).join("");
}
