import type { Finding } from "../analyses/finding.ts";

/** What JSON allows as it is, and a terminal or a reader should not be given so. */
const UNSAFE =
  /[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\p{Noncharacter_Code_Point}]/gu;

/** The finding as it is, indented, with every digit; what cannot be seen in its texts is escaped, which reads back the same. */
export function renderJson(finding: Finding): string {
  return `${JSON.stringify(finding, null, 2).replace(UNSAFE, escaped)}\n`;
}

function escaped(character: string): string {
  return Array.from(
    { length: character.length },
    (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`,
  ).join("");
}
