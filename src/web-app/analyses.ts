import type { Analysis } from "../analyses/analysis.ts";
import { ArgumentError } from "../tensor/errors.ts";

/** The analysis with a name, without the others: its file is called as it is. @throws ArgumentError if there is none */
export async function analysisCalled(name: string): Promise<Analysis> {
  const file: Record<string, unknown> = await import(`../analyses/${name}.ts`);
  const found = Object.values(file).find((value): value is Analysis => isAnalysis(value) && value.name === name);
  if (found) return found;
  throw new ArgumentError(`There is no analysis ${name}.`, { asked: name });
}

/** A function of that file may have the analysis' name, too. */
const isAnalysis = (value: unknown): value is Analysis => typeof value === "object" && value !== null && "run" in value;
