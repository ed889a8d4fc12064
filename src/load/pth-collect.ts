/** The tensors of a checkpoint's pickle, by name: the keys that lead to each, joined with dots. */
import { FileFormatError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";
import { PickleDict, PickleList } from "./pickle.ts";
import { PthStorage, PthTensor, PthUnheld } from "./pth-tensor.ts";

/** Deeper nesting than any checkpoint has; this also stops at a dictionary that contains itself. */
const DEEPEST = 64;
/**
 * A list may be referenced many times, each time with everything in it: no checkpoint has this many values per byte
 * of its pickle, nor this many tensors, each of which takes about a hundred bytes there.
 */
const MOST_VALUES = (pickleBytes: number) => 100 + 4 * pickleBytes;
const MOST_PARTS = (pickleBytes: number) => Math.min(2_000_000, 100 + pickleBytes);
const MOST_TENSORS = (pickleBytes: number) => Math.min(100_000, 100 + Math.floor(pickleBytes / 16));
const LONGEST_NAME = 10_000;

/** Called for each tensor that is in a file but not in the result. @param why ends a sentence: "it is sparse" */
export type OnSkipped = (name: string, why: string) => void;

/**
 * All tensors by name. Other values are left out; unsupported tensors go to `onSkipped`.
 * @param file the file's name in errors.
 * @param pickleBytes the pickle's size, which limits how many values are visited
 * @throws FileFormatError if two tensors have the same name, or the nesting is endless
 */
export function collectTensors(
  root: unknown,
  file: string,
  pickleBytes: number,
  onSkipped: OnSkipped,
): Map<string, PthTensor> {
  const tensors = new Map<string, PthTensor>();
  const places = new Map<string, readonly (string | number)[]>();
  const keys: (string | number)[] = [];
  const count = (n: number, most: number, what: string) => {
    if (n <= most) return;
    throw new FileFormatError(`${file} has more than ${most} ${what}, so it is not a model's checkpoint.`, {
      asked: file,
    });
  };
  let seen = 0;
  let parts = 0;

  /** @param why why the values in it have no name */
  const visit = (value: unknown, name: string, why?: string): void => {
    count(++parts, MOST_PARTS(pickleBytes), "lists and tensors");
    if (name.length > LONGEST_NAME) {
      throw new FileFormatError(
        `${file} has a name of ${name.length} characters, ${shown(name)}, which cannot be a weight's.`,
        {
          asked: file,
        },
      );
    }
    if (PthTensor.is(value) || PthUnheld.is(value) || PthStorage.is(value)) {
      if (why !== undefined) {
        onSkipped(name, why);
        return;
      }
      const before = places.get(name);
      if (before) {
        throw new FileFormatError(
          `${file} has two tensors with the name ${shown(name)}: ${placeOf(before)} and ${placeOf(keys)}. Rename one of them.`,
          { asked: name, found: [before, [...keys]] },
        );
      }
      places.set(name, [...keys]);
      count(places.size, MOST_TENSORS(pickleBytes), "tensors");
      if (PthTensor.is(value)) tensors.set(name, value);
      else onSkipped(name, PthUnheld.is(value) ? value.why : "it is a bare storage, not a tensor");
      return;
    }
    const children = PickleDict.is(value)
      ? value.entries
      : PickleList.is(value)
        ? value.items.entries()
        : Array.isArray(value)
          ? value.entries()
          : undefined;
    if (!children) return;
    if (keys.length >= DEEPEST) {
      throw new FileFormatError(`${file} nests more than ${DEEPEST} levels deep at ${shown(name)}.`, { asked: name });
    }
    for (const [key, child] of children) {
      count(++seen, MOST_VALUES(pickleBytes), "values");
      if (typeof child !== "object" || child === null) continue;
      keys.push(key);
      visit(child, name ? `${name}.${key}` : `${key}`, why);
      keys.pop();
    }
    if (!PickleDict.is(value)) return;
    for (const child of value.unnamed) {
      count(++seen, MOST_VALUES(pickleBytes), "values");
      if (typeof child !== "object" || child === null) continue;
      keys.push("?");
      visit(child, name ? `${name}.?` : "?", "a key that leads to it is neither a string nor a whole number");
      keys.pop();
    }
  };
  visit(root, "");
  return tensors;
}

/** The keys as Python writes them: ["model"]["W"]. */
function placeOf(keys: readonly (string | number)[]): string {
  return keys.map((key) => `[${shown(key, 60)}]`).join("") || "the whole";
}
