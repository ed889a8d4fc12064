/**
 * Tokenizes SentencePiece's words on their own, and remembers them: if no token reaches over the beginning of a word, the tokens of
 * a text are those of its words, because every way to tokenize it has a boundary there.
 */

/** How SentencePiece writes a space. */
const SPACE = "▁";
/** How many words are remembered, and the longest that are. */
const MOST_WORDS = 50_000;
const LONGEST_WORD = 100;

/**
 * @param tokens all that the model can make of more than one character
 * @param idsOf the tokens of any text; "▁" itself must be a token
 */
export function wordByWord(
  tokens: readonly string[],
  idsOf: (text: string) => readonly number[],
): (text: string) => readonly number[] {
  if (tokens.some(crosses)) return idsOf;
  const known = new Map<string, readonly number[]>();
  return (text) => {
    if (!text.includes(SPACE, 1)) return idsOf(text);
    const ids: number[] = [];
    for (const word of wordsApart(text)) {
      let own = known.get(word);
      if (own === undefined) {
        own = idsOf(word);
        if (known.size >= MOST_WORDS) known.clear();
        if (word.length <= LONGEST_WORD) known.set(word, own);
      }
      for (const id of own) ids.push(id);
    }
    return ids;
  };
}

/** Whether a token has the beginning of a word inside it. */
function crosses(token: string): boolean {
  for (let at = token.indexOf(SPACE, 1); at > 0; at = token.indexOf(SPACE, at + 1)) {
    if (token[at - 1] !== SPACE) return true;
  }
  return false;
}

/** The parts of a text that begin with spaces after something else. */
function* wordsApart(text: string): Generator<string> {
  let start = 0;
  for (let at = text.indexOf(SPACE, 1); at > 0; at = text.indexOf(SPACE, at + 1)) {
    if (text[at - 1] === SPACE) continue;
    yield text.slice(start, at);
    start = at;
  }
  yield text.slice(start);
}
