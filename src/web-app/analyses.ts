import type { Analysis } from "../analyses/analysis.ts";
import { ArgumentError } from "../tensor/errors.ts";

/** The analysis with a name, without the others: its file is called as it is. @throws ArgumentError if there is none */
export async function analysisCalled(name: string): Promise<Analysis> {
  const file: Record<string, unknown> = await import(`../analyses/${name}.ts`);
  const found = Object.values(file).find((value) => (value as Partial<Analysis> | null)?.name === name);
  if (found) return found as Analysis;
  throw new ArgumentError(`There is no analysis ${name}.`, { asked: name });
}
