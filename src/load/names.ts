/** What a model's name may be, on any platform. */

/** The model that comes with the package, in its folder `models/`. */
export const bundledModel = "solu-1l-novels";

/** `org/name`, or the one-part name of some early models. */
export function isHubId(name: string): boolean {
  return typeof name === "string" && /^\w[\w.-]*(\/[\w.-]+)?$/.test(name) && !/--|\.\./.test(name);
}
