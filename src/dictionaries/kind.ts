/** What counts as a dictionary, without the code of dictionaries: a page loads that when there is one. */
import { FUNCTION, type Kind, OBJECT } from "../tensor/kinds.ts";
import type { Dictionary } from "./dictionary.ts";

export const DICTIONARY: Kind = {
  accepts: (v) => OBJECT.accepts(v) && FUNCTION.accepts((v as Partial<Dictionary>).placedIn),
  describe: "a Dictionary",
};
