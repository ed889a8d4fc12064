/** The Hugging Face id of a model, by the list of known models, which is loaded for it. @throws as `resolveModelName` */
export async function resolveListed(name: string): Promise<string> {
  return (await import("./aliases.ts")).resolveModelName(name);
}
