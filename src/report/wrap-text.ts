import { visibleControls } from "../tensor/visible.ts";
import { textWidth, wordsOf } from "./token-text.ts";

/** Words in lines of at most `width` columns; lines after the first are indented by the width of the bullet. */
export function wrapText(text: string, width: number, bullet = ""): string[] {
  const indent = " ".repeat(bullet.length);
  const lines: string[] = [];
  let line = bullet;
  let empty = true;
  for (const word of wordsOf(visibleControls(text))) {
    if (!empty && textWidth(line) + 1 + textWidth(word) > width) {
      lines.push(line);
      line = indent;
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line];
}
