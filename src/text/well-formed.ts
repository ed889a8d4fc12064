/** Half a surrogate pair is not a character: Hugging Face's files never contain one, and a text has U+FFFD instead. */

export function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

export function wellFormed(text: string): string {
  return isWellFormed(text) ? text : text.replace(/\p{Surrogate}/gu, "\uFFFD");
}
