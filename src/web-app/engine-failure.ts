/** Notices that onnxruntime failed: what is left of it then is unknown, and its memory never shrinks, so the worker has to go. */
import type { Backend } from "../engine/backend.ts";
import { ArgumentError, ShapeError } from "../tensor/errors.ts";

let failure: string | undefined;

/** Why the engine cannot go on; undefined while it can. */
export const engineFailure = (): string | undefined => failure;

/** A backend whose failures are noticed. */
export function watched(backend: Backend): Backend {
  const noticed = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      // The request was wrong, or there is no such device.
      const isOurs = error instanceof ShapeError || error instanceof ArgumentError;
      if (!isOurs) failure = (error as Error).message;
      throw error;
    }
  };
  return {
    ...backend,
    async createSession(model, outputs) {
      const session = await noticed(backend.createSession(model, outputs));
      return {
        run: (feeds, fixed) => noticed(session.run(feeds, fixed)),
        release: () => session.release(),
      };
    },
  };
}
