/** The question about a prompt's last position, as a finding's settings. */
import type { Scalar } from "../../finding/table.ts";
import type { Answer } from "../../measures/answer.ts";
import { quoted } from "../../tensor/words.ts";

export function answerSettings({ prompt, asked }: Answer): Record<string, Scalar> {
  return { prompt: quoted(prompt.text), asked };
}
