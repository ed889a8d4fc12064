/** How a name becomes files where the caller does not say: the platform's entry registers its way here. */
import { GlassformerError } from "../tensor/errors.ts";
import type { LoadOptions, ModelFiles } from "./files.ts";

export interface OpenOptions extends LoadOptions {
  readonly revision?: string | undefined;
}

/** Opens what a name means on this platform. `resolve` turns an alias into a hub id, if the name is nothing local. */
export type OpenModel = (name: string, resolve: (name: string) => string, options: OpenOptions) => Promise<ModelFiles>;

let platform: OpenModel | undefined;

export function setDefaultOpen(open: OpenModel): void {
  platform = open;
}

/** @throws GlassformerError if no platform's entry was imported. */
export function openDefault(
  name: string,
  resolve: (name: string) => string,
  options: OpenOptions,
): Promise<ModelFiles> {
  if (platform) return platform(name, resolve, options);
  throw new GlassformerError(
    `Nothing here knows how to open "${name}": import from "glassformer", or pass \`files\`.`,
    { asked: name },
  );
}
