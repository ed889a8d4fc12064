/** .pth files from torch with changed bytes: checksums cover the contents since 1.6, so the result must be what was written. */
import { memorySource, type NDArray, readPth } from "../../src/index.ts";
import { mutateBytes } from "../mutate.ts";
import { outcomeOf } from "../outcome.ts";
import type { Target } from "../target.ts";
import { bytesOf, LEGACY_FILES, PTH_FILES } from "./files.ts";
import { sameTensors } from "./tensors.ts";

export const pth: Target = {
  name: "pth",
  description: "bytes of files from torch; the result must be what was written, where there are checksums",
  async prepare() {
    const files: { bytes: Uint8Array; tensors: Map<string, NDArray> | undefined }[] = [];
    for (const path of LEGACY_FILES) files.push({ bytes: bytesOf(path), tensors: undefined });
    for (const path of PTH_FILES) {
      const bytes = bytesOf(path);
      files.push({ bytes, tensors: await readPth(memorySource("m.pth", bytes)) });
    }
    return (random) => {
      const { bytes, tensors } = random.pick(files);
      const changed = mutateBytes(random, bytes);
      return outcomeOf(
        () => readPth(memorySource("m.pth", changed)),
        (read) => tensors && sameTensors(read, tensors),
      );
    };
  },
};
