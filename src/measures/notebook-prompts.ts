/**
 * The 35 prompts of the seed notebook, as it ran them. It lists 36 sentences, but a comma is missing after the tenth, and
 * Python joins neighbouring strings: prompt 9 is two sentences without a space between them. It stays that way, because the
 * notebook's numbers depend on it.
 */
export const NOTEBOOK_PROMPTS: readonly string[] = [
  "I am happy.",
  "The sun shines.",
  "Cats meow.",
  "Dogs bark.",
  "Birds fly.",
  "Time flies.",
  "Love conquers.",
  "Dreams inspire.",
  "Music heals.",
  "Laughter echoes.The sky is blue.",
  "I love pizza.",
  "She walks to work.",
  "He plays guitar.",
  "We went to the beach.",
  "They are watching a movie.",
  "I need some coffee.",
  "The cat is sleeping.",
  "He ran to catch the bus.",
  "She smiled and waved goodbye.",
  "The book is on the table.",
  "They laughed at the joke.",
  "I want to learn coding.",
  "We had a great time.",
  "He asked me a question.",
  "She sings beautifully.",
  "The sun sets in the west.",
  "They went hiking in the mountains.",
  "I forgot my keys at home.",
  "He bought a new car.",
  "She enjoys playing tennis.",
  "We had dinner at a fancy restaurant.",
  "They are planning a trip to Europe.",
  "I saw a shooting star last night.",
  "She wrote a letter to her friend.",
  "The dog chased its tail.",
];

/** What readers of results on these prompts should know. */
export const NOTEBOOK_PROMPTS_NOTE =
  'Prompt 9 is two sentences, "Laughter echoes." and "The sky is blue.", joined because the notebook\'s list lacks a comma ' +
  "between them; it is left as the notebook ran it.";
