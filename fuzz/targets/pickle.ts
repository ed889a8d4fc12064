/** The pickle inside a .pth, changed with correct checksums: opcodes, numbers, strings; nothing may be read out of bounds. */
import { memorySource, readPth } from "../../src/index.ts";
import { joined, mutateBytes } from "../mutate.ts";
import { outcomeOf } from "../outcome.ts";
import type { Random } from "../random.ts";
import type { Target } from "../target.ts";
import { entriesOf } from "../zip-reader.ts";
import { writeZip } from "../zip-writer.ts";
import { bytesOf, PTH_FILES } from "./files.ts";

export const pickle: Target = {
  name: "pickle",
  description:
    "the pickle of a .pth with correct checksums; tensors may only have numbers of their storages, and no more than those",
  async prepare() {
    const files = PTH_FILES.map((path) => entriesOf(bytesOf(path)));
    return (random) => {
      const entries = random.pick(files);
      const stored = entries.reduce((n, { name, data }) => n + (name.endsWith(".pkl") ? 0 : data.length), 0);
      const changed = entries.map((entry) =>
        entry.name.endsWith("data.pkl") ? { ...entry, data: changedPickle(random, entry.data) } : entry,
      );
      const bytes = writeZip(changed);
      return outcomeOf(
        () => readPth(memorySource("m.pth", bytes)),
        (read) => {
          let numbers = 0;
          for (const [name, { shape, data }] of read) {
            numbers += data.length;
            if (!shape.every((n) => Number.isSafeInteger(n) && n >= 0)) return `"${name}" has the shape [${shape}]`;
            if (shape.reduce((n, size) => n * size, 1) !== data.length)
              return `"${name}" [${shape}] has ${data.length} numbers`;
          }
          return numbers > 64 * stored + 64 ? `${numbers} numbers out of ${stored} bytes` : undefined;
        },
      );
    };
  },
};

/** Opcodes of the pickle protocols 0 to 5, including those that call, set or persist. */
const OPCODES = new TextEncoder().encode("(.0125FIJKLMNPQRSTUVXabcdeghijlopqrstu}])GBC");
const MORE_OPCODES = [
  0x80, 0x81, 0x82, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f, 0x90, 0x91, 0x92, 0x93, 0x94,
  0x95, 0x96,
];
const GLOBALS = [
  "os\nsystem",
  "builtins\neval",
  "torch._utils\n_rebuild_tensor_v2",
  "collections\nOrderedDict",
  "torch\nSize",
  "torch\nFloatStorage",
  "torch.nn.modules.linear\nLinear",
  "numpy\ndtype",
  "torch.serialization\n_get_layout",
];

function changedPickle(random: Random, pickle: Uint8Array): Uint8Array {
  if (random.chance(0.5)) return mutateBytes(random, pickle);
  const at = random.below(pickle.length);
  const opcode = () => Uint8Array.of(random.chance(0.5) ? random.pick([...OPCODES]) : random.pick(MORE_OPCODES));
  const between = random.pick([
    () => opcode(),
    () => joined(opcode(), random.bytes(random.below(9))),
    () => new TextEncoder().encode(`c${random.pick(GLOBALS)}\n`),
    () => new TextEncoder().encode(`c${random.pick(GLOBALS)}\n(S'x'\ntR`),
    () => new TextEncoder().encode(`(i${random.pick(GLOBALS)}\n`),
    () =>
      joined(
        new TextEncoder().encode("}X\u0009\u0000\u0000\u0000__proto__"),
        opcode(),
        opcode(),
        Uint8Array.of(0x73, 0x62),
      ),
  ])();
  return joined(pickle.subarray(0, at), between, pickle.subarray(at + (random.chance(0.5) ? between.length : 0)));
}
