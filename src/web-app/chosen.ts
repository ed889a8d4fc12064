/** Files that were chosen in this page: a link has their name, and not them. */

const PREFIX = "files: ";
const chosen = new Map<string, readonly File[]>();

/** Remembers files. @returns what the state calls the model; other files of the same names are another model */
export function chosenModel(files: readonly File[]): string {
  const names = files.map((file) => file.name).join(", ");
  const called = `${PREFIX}${names.slice(0, 60)}`;
  let name = called;
  for (let number = 2; chosen.has(name); number++) name = `${called} (${number})`;
  chosen.set(name, files);
  return name;
}

/** The files of a model of that name; undefined for one that has none. @throws Error if they were chosen in another page */
export function filesOf(model: string): readonly File[] | undefined {
  if (!model.startsWith(PREFIX)) return undefined;
  const files = chosen.get(model);
  if (files) return files;
  throw new Error(
    `This link is about files on somebody's computer (${model.slice(PREFIX.length)}): choose them again.`,
  );
}
