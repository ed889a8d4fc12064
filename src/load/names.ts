/** What a model's name may be, on any platform. */
import { ArgumentError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";

/** The model that comes with the package, in its folder `models/`. */
export const bundledModel = "solu-1l-novels";

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
