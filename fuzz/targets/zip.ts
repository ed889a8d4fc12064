/** Zips that lie about what they hold: sizes, names, methods, checksums, places, doubles, and other folders. */
import { memorySource, type NDArray, readPth } from "../../src/index.ts";
import { outcomeOf } from "../outcome.ts";
import type { Random } from "../random.ts";
import type { Target } from "../target.ts";
import { entriesOf } from "../zip-reader.ts";
import { writeZip, type ZipEntry, type ZipFields } from "../zip-writer.ts";
import { bytesOf, PTH_FILES } from "./files.ts";
import { sameTensors } from "./tensors.ts";

export const zip: Target = {
  name: "zip",
  description:
    "archives whose headers contradict their contents, each other or themselves; the result must be what was written",
  async prepare() {
    const files: { entries: ZipEntry[]; tensors: Map<string, NDArray> }[] = [];
    for (const path of PTH_FILES) {
      const bytes = bytesOf(path);
      files.push({ entries: entriesOf(bytes), tensors: await readPth(memorySource("m.pth", bytes)) });
    }
    return (random) => {
      const { entries, tensors } = random.pick(files);
      const bytes = lying(random, entries);
      return outcomeOf(
        () => readPth(memorySource("m.pth", bytes)),
        (read) => sameTensors(read, tensors),
      );
    };
  },
};

function lying(random: Random, honest: readonly ZipEntry[]): Uint8Array {
  let entries = [...honest];
  const end: { count?: number; size?: number; offset?: number } = {};
  for (let n = random.between(1, 2); n > 0; n--) {
    const i = random.below(entries.length);
    const entry = entries[i];
    switch (random.below(7)) {
      case 0:
        entries[i] = { ...entry, local: lie(random, entry) };
        break;
      case 1:
      case 2: {
        const said = lie(random, entry);
        // Renamed in the directory next to another with its old name, it would be an archive of other numbers: the directory counts.
        if (said.name !== undefined && entries.some((e) => e !== entry && e.name === entry.name)) break;
        entries[i] = { ...entry, central: said, ...(random.chance(0.5) ? { local: said } : {}) };
        break;
      }
      case 3: // a second entry of that name, with other contents
        if (entry.central?.name !== undefined) break;
        entries.splice(random.below(entries.length + 1), 0, {
          name: entry.name,
          data: random.bytes(entry.data.length),
        });
        break;
      case 4: // a second archive next to the first
        entries = [
          ...entries,
          ...honest.map((e) => ({
            name: `other/${e.name.split("/").slice(1).join("/")}`,
            data: random.bytes(e.data.length),
          })),
        ];
        if (random.chance(0.5)) entries.reverse();
        break;
      case 5:
        // Of two with the same name, the one with other contents would be left, which is an honest archive.
        if (entries.some((e) => e !== entry && e.name === entry.name)) break;
        entries.splice(i, 1);
        if (entries.length === 0) return writeZip([]);
        break;
      default:
        Object.assign(
          end,
          random.pick([
            { count: random.below(70000) & 0xffff },
            { size: random.below(1e6) },
            { offset: random.below(5000) },
          ]),
        );
    }
  }
  return writeZip(entries, end);
}

function lie(random: Random, { name, data }: ZipEntry): Partial<ZipFields> {
  return random.pick<Partial<ZipFields>>([
    { size: random.pick([0, data.length + 1, data.length * 2, 0xffffffff, 2 ** 31]) },
    { packed: random.pick([0, data.length - 1, data.length + 1, 0xffffffff, 2 ** 31]) },
    { method: random.pick([8, 1, 12, 14, 93, 99]) },
    { flags: random.pick([1, 8, 0x40, 0x2000, 0xffff]) },
    { crc: random.below(2 ** 31) },
    { offset: random.pick([0, 1, 30, 2 ** 31, 0xffffffff]) },
    { name: random.pick([`${name}x`, name.slice(1), "../x/data.pkl", name.toUpperCase(), "", "archive/data.pkl"]) },
  ]);
}
