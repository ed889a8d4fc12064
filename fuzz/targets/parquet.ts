/** Parquet files of each codec, bytes changed, mostly in the footer that says where everything is. */
import { memorySource, readTexts } from "../../src/index.ts";
import { joined, mutateBytes } from "../mutate.ts";
import { outcomeOf } from "../outcome.ts";
import type { Target } from "../target.ts";
import { bytesOf } from "./files.ts";

const CODECS = ["none", "snappy", "gzip", "brotli", "zstd", "lz4"];

export const parquet: Target = {
  name: "parquet",
  description: "Parquet files of each codec; what is read are texts, at most as many as the file has rows",
  async prepare() {
    const files = CODECS.map((codec) => bytesOf(`test/training/fixtures/${codec}.parquet`));
    return (random) => {
      const file = random.pick(files);
      const footer = file.length - 8 - new DataView(file.buffer).getUint32(file.length - 8, true);
      const bytes = random.chance(0.6)
        ? joined(file.subarray(0, footer), mutateBytes(random, file.slice(footer)))
        : mutateBytes(random, file);
      return outcomeOf(
        () => readTexts(memorySource("t.parquet", bytes)),
        (found) => (found.every((x) => typeof x === "string") ? undefined : "a text that is not one"),
      );
    };
  },
};
