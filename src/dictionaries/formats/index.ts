/** Every format in which a dictionary is read, in the order in which files are looked at. */
import { dictionaryLearning } from "./dictionary-learning.ts";
import type { DictionaryFormat } from "./format.ts";
import { gemmaScope } from "./gemma-scope.ts";
import { gemmaScope2 } from "./gemma-scope-2.ts";
import { kissaneConmy } from "./kissane-conmy.ts";
import { llamaScope, llamaScopeR1 } from "./llama-scope.ts";
import { torchFile } from "./openai.ts";
import { saelens } from "./saelens.ts";
import { sparsify } from "./sparsify.ts";

export const DICTIONARY_FORMATS: readonly DictionaryFormat[] = [
  ...[
    saelens,
    gemmaScope,
    gemmaScope2,
    llamaScope,
    llamaScopeR1,
    dictionaryLearning,
    sparsify,
    kissaneConmy,
    torchFile,
  ],
];
