/** What a model's name may be, on any platform. */
import { ArgumentError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";

/** What a name that is not local means on the hub: an alias becomes an id. */
export type ResolveName = (name: string) => string | Promise<string>;

/** The models that come with the package, each in its folder of `models/`. */
export const bundledModels = ["solu-1l-novels", "gelu-3l-novels"] as const;

/** The one that "bundled" means. */
export const [bundledModel] = bundledModels;

/** The bundled model that a name means; `undefined` if it means none. */
export function bundledName(name: string): string | undefined {
  return name === "bundled" ? bundledModel : bundledModels.find((one) => one === name);
}

/** `org/name`, or the one-part name of some early models. */
export function isHubId(name: string): boolean {
  return typeof name === "string" && /^\w[\w.-]*(\/[\w.-]+)?$/.test(name) && !/--|\.\./.test(name);
}

/**
 * A name on the hub with its revision taken off: "org/name@step1000".
 * @param revision the one that is asked for separately
 * @throws ArgumentError if the two contradict each other
 */
export function atRevision(
  name: string,
  revision: string | undefined,
): { readonly name: string; readonly revision: string | undefined } {
  const at = name.indexOf("@");
  if (at < 1) return { name, revision };
  const own = name.slice(at + 1);
  if (revision !== undefined && revision !== own) {
    throw new ArgumentError(
      `${shown(name)} names the revision ${shown(own)}, but the option \`revision\` is ${shown(revision)}: give one of them.`,
      { asked: revision, found: own },
    );
  }
  return { name: name.slice(0, at), revision: own };
}
