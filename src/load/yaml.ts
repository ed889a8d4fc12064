/** YAML as plain data: objects, lists, strings, numbers, true, false, null. */
import { FileFormatError } from "../tensor/errors.ts";
import { OBJECT } from "../tensor/kinds.ts";

/** The aliases of a document, each of which repeats what it stands for. */
const MOST_ALIASES = 100;

/**
 * A YAML text as an object. Tags, which would make other things of its values, are refused, as is more than one document.
 * @param what the text's name in an error
 * @throws FileFormatError for anything else
 */
export async function parseYamlObject(text: string, what: string): Promise<Record<string, unknown>> {
  const { parseAllDocuments, visit } = await import("yaml");
  const refuse = (why: string, cause?: unknown): never => {
    throw new FileFormatError(`${what} ${why}.`, { asked: what, cause });
  };
  const documents = parseAllDocuments(text, { schema: "core", logLevel: "silent" });
  if (!Array.isArray(documents) || documents.length === 0) return refuse("is empty");
  if (documents.length > 1) return refuse(`has ${documents.length} documents, where one is read`);
  const [document] = documents;
  visit(document, {
    Node(_key, node) {
      if ("tag" in node && node.tag !== undefined) {
        refuse(`has the tag ${node.tag}, which would make something other than plain data of a value`);
      }
    },
  });
  if (document.errors.length > 0)
    return refuse(
      `is not YAML: ${document.errors[0].message.split("\n")[0].replace(/\.$|:$/, "")}`,
      document.errors[0],
    );
  const value = plain(document, refuse);
  return OBJECT.accepts(value) ? (value as Record<string, unknown>) : refuse("should be a mapping of names to values");
}

function plain(
  document: { toJS(options: { maxAliasCount: number }): unknown },
  refuse: (why: string, cause?: unknown) => never,
): unknown {
  try {
    return document.toJS({ maxAliasCount: MOST_ALIASES });
  } catch (cause) {
    return refuse(`cannot be read: ${(cause as Error).message.replace(/\.$/, "")}`, cause);
  }
}
