/** How a name becomes files where the caller does not say: as the platform has it. */
import { type OpenOptions, platform } from "../platform.ts";
import { GlassformerError } from "../tensor/errors.ts";
import type { ModelFiles } from "./files.ts";
import type { ResolveName } from "./names.ts";

/** @throws GlassformerError if no platform's entry was imported. */
export async function openDefault(name: string, resolve: ResolveName, options: OpenOptions): Promise<ModelFiles> {
  const { open } = platform();
  if (open) return open(name, resolve, options);
  throw new GlassformerError(
    `No platform is loaded that could open "${name}": import from "glassformer", or pass \`files\`.`,
    { asked: name },
  );
}
