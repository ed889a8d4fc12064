/** What a terminal shows of a text: its control sequences left out. */
const SEQUENCES = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*[A-Za-z]|\r`, "g");

export const shown = (text: string): string => text.replaceAll(SEQUENCES, "");
