/** What runs an analysis again: a command line, and TypeScript. */

/** What was run, on which model, with which options. */
export interface Written {
  /** "logit-lens". */
  readonly analysis: string;
  readonly model: string;
  /** The analysis' own options; those that are left out are undefined. */
  readonly options: object;
  /** The options of `fromPretrained`. */
  readonly opening?: object;
  /** Changes of its run. */
  readonly changes?: { readonly prompt: string; readonly of: readonly object[] };
}

/** An option's name, as typed: `excludeBos` is `--exclude-bos`. */
export const dashed = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** The command line. @param typed options as typed, by name; false and undefined are left out @param args what stands before them */
export function commandLine(
  name: string,
  typed: Readonly<Record<string, unknown>>,
  args: readonly string[] = [],
): string {
  const words = Object.entries(typed).flatMap(([name, value]) => {
    if (value === undefined || value === false) return [];
    const flag = dashed(name);
    if (value === true) return [flag];
    const values = (Array.isArray(value) ? value : [value]).map((one) => `${one}`);
    // A value that looks like an option is only a value after "=".
    return values.some((one) => one.startsWith("-"))
      ? values.map((one) => `${flag}=${quoted(one)}`)
      : [flag, ...values.map(quoted)];
  });
  return ["npx glassformer", name, ...args.map(quoted), ...words].join(" ");
}

/** A word of a shell's command line. */
function quoted(word: string): string {
  return /^[\w./~:@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** The TypeScript. */
export function codeOf({ analysis, model, options, opening = {}, changes }: Written): string {
  const written = (value: object) => {
    const fields = Object.entries(value).filter(([, field]) => field !== undefined);
    return fields.length === 0
      ? ""
      : `{ ${fields.map(([name, field]) => `${name}: ${JSON.stringify(field)}`).join(", ")} }`;
  };
  const opened = [JSON.stringify(model), written(opening)].filter(Boolean).join(", ");
  const changed = changes
    ? [
        `const changed = await changedModel(model, ${JSON.stringify(changes.prompt)}, [`,
        ...changes.of.map((change) => `  ${written(change)},`),
        "]);",
      ]
    : [];
  return [
    `import { analysisCalled, ${changes ? "changedModel, " : ""}HookedTransformer } from "glassformer";`,
    "",
    `const model = await HookedTransformer.fromPretrained(${opened});`,
    ...changed,
    `const finding = await analysisCalled(${JSON.stringify(analysis)}).run(${changes ? "changed" : "model"}, ${written(options) || "{}"});`,
    "",
  ].join("\n");
}
