/**
 * Reads the pickle of a PyTorch file as data. A pickle may name any Python function and call it; here a name outside
 * the list of pth-names.ts is an error before anything else happens, and the names on it build plain records.
 */
import { FileFormatError } from "../tensor/errors.ts";
import { PickleError, type PickleHost, readPickle } from "./pickle.ts";
import { PthName, pthName, storageOf } from "./pth-names.ts";
import { PthTensor, PthUnheld } from "./pth-tensor.ts";

/**
 * The object that a torch pickle describes: `PickleDict`, `PickleList`, tuples as arrays, tensors as `PthTensor`.
 * @param file the file's name in errors.
 * @param memory about how many bytes the pickle's objects may take
 * @throws FileFormatError naming a global that is not on the list, or saying that the pickle is broken.
 */
export function readPthPickle(bytes: Uint8Array, file: string, memory: number): unknown {
  try {
    return readPickle(bytes, pthHost(file), memory);
  } catch (cause) {
    if (!(cause instanceof PickleError)) throw cause;
    throw brokenPickle(file, cause);
  }
}

/** What the names in a torch pickle mean. @throws FileFormatError, from its methods, for a name that is not on the list */
export function pthHost(file: string): PickleHost {
  const refused = (does: string, global: string): never => {
    throw new FileFormatError(
      `${file} asks to ${does} "${global}", which is not one of the names that make weights; nothing was run. ` +
        "Save the plain weights instead: torch.save(model.state_dict(), file).",
      { asked: file, found: global },
    );
  };
  const known = new Map<string, PthName>();
  return {
    global(module, name) {
      const global = `${module}.${name}`;
      const found = known.get(global) ?? pthName(module, name) ?? refused("load", global);
      known.set(global, found);
      return found;
    },
    call(callee, args) {
      if (!PthName.is(callee)) throw new PickleError("it calls something that is not a name");
      return callee.make ? callee.make(args) : refused("call", callee.name);
    },
    persistent: storageOf,
    hasFields: (value) => PthTensor.is(value) || PthUnheld.is(value),
  };
}

export function brokenPickle(file: string, cause: PickleError): FileFormatError {
  return new FileFormatError(`The pickle in ${file} is broken or not one that torch.save writes: ${cause.message}.`, {
    asked: file,
    cause,
  });
}
