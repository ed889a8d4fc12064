/** Half a surrogate pair is no character: no file of Hugging Face's holds one, and a text has U+FFFD for it. */

export function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

export function wellFormed(text: string): string {
  return isWellFormed(text) ? text : text.replace(/\p{Surrogate}/gu, "\uFFFD");
}
