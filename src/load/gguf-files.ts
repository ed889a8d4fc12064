/** Finds a repository's GGUF file, or llama2.c's, and opens it with the other parts of it, if llama.cpp split it. */
import { FileFormatError, UnknownNameError, WeightsError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";
import { firstOf } from "../tensor/words.ts";
import type { LoadOptions, ModelFiles } from "./files.ts";
import type { GgufFile } from "./gguf.ts";
import { hasWeights } from "./weights.ts";

const GGUF = /^[^/]+\.gguf$/i;
/** A part of a file that was split, as llama.cpp's gguf-split names it. */
const PART = /-(\d{5})-of-(\d{5})\.gguf$/i;
/** Files beside a model's that have the format, but are of something else: an image encoder, a matrix of importance. */
const OTHER = /^(mmproj|imatrix)[^/]*\.gguf$/i;

/** llama2.c's tokenizer, beside its models. */
const LLAMA2C_TOKENIZER = "tokenizer.bin";

/** A file of llama2.c's: the checkpoint, if it is one; else the only .bin of a repository without a configuration. */
async function llama2cPath(
  files: ModelFiles,
  checkpoint: string | undefined,
  options: LoadOptions,
): Promise<string | undefined> {
  const paths = await files.list(options);
  if (paths.includes("config.json")) return undefined;
  const found = checkpoint === undefined ? paths.filter((path) => /^[^/]+\.bin$/.test(path)) : [checkpoint];
  const models = found.filter((path) => path.endsWith(".bin") && path !== LLAMA2C_TOKENIZER);
  if (models.length !== 1) return undefined;
  const { isLlama2c } = await import("./llama2c.ts");
  return (await isLlama2c(await files.open(models[0], options), options.signal)) ? models[0] : undefined;
}

/** A model that is a file by itself: GGUF's, or llama2.c's. Undefined for other repositories. @throws as what reads them */
export async function openStandalone(
  files: ModelFiles,
  checkpoint: string | undefined,
  options: LoadOptions,
): Promise<GgufFile | undefined> {
  const gguf = await ggufPath(files, checkpoint, options);
  if (gguf !== undefined) return openGgufParts(files, gguf, options);
  const path = await llama2cPath(files, checkpoint, options);
  if (path === undefined) return undefined;
  const hasTokenizer = (await files.list(options)).includes(LLAMA2C_TOKENIZER);
  const tokenizer = hasTokenizer ? await files.open(LLAMA2C_TOKENIZER, options) : undefined;
  const { openLlama2c } = await import("./llama2c.ts");
  return openLlama2c(await files.open(path, options), tokenizer, options.signal);
}

/**
 * The path of the GGUF file to read: the checkpoint, if it is one; else the only one of a repository that has no other weights.
 * @throws WeightsError for several
 */
async function ggufPath(
  files: ModelFiles,
  checkpoint: string | undefined,
  options: LoadOptions,
): Promise<string | undefined> {
  if (checkpoint !== undefined) return /\.gguf$/i.test(checkpoint) ? checkpoint : undefined;
  const paths = await files.list(options);
  const all = paths.filter((path) => GGUF.test(path) && !OTHER.test(path));
  const first = all.filter((path) => (partOf(path)?.[0] ?? 1) === 1);
  const found = first.length > 0 ? first : all; // a later part without the first is refused when it is opened
  if (found.length === 0 || hasWeights(paths)) return undefined;
  if (found.length === 1) return found[0];
  throw new WeightsError(
    `${files.name} has several GGUF files: ${firstOf(found)}. Name one of them with the option checkpoint, or pass its path instead of the folder's.`,
    { asked: files.name, found },
  );
}

/** Which part of how many a file is, by its name. */
function partOf(path: string): readonly [number, number] | undefined {
  const found = PART.exec(path);
  return found ? [Number(found[1]), Number(found[2])] : undefined;
}

/** A file, with all its parts. @throws FileFormatError for a part that is missing or not one of it */
async function openGgufParts(files: ModelFiles, path: string, options: LoadOptions): Promise<GgufFile> {
  const { openGguf } = await import("./gguf.ts");
  const first = await openGguf(await files.open(path, options), options);
  const count = first.metadata.get("split.count") ?? 1;
  if (typeof count !== "number" || count <= 1) return first;
  const [number, of] = partOf(path) ?? [];
  if (number !== 1 || of !== count) {
    throw new FileFormatError(
      `${files.name === path || files.name.endsWith(`/${path}`) ? files.name : `${path} of ${files.name}`} is a part of a model in ${count} files: name the first of them, which ends in -00001-of-${five(count)}.gguf.`,
      { asked: path, found: count },
    );
  }
  const parts = [first];
  for (let i = 2; i <= count; i++)
    parts.push(await openPart(files, path.replace(PART, `-${five(i)}-of-${five(count)}.gguf`), i, options));
  const owners = new Map<string, GgufFile>();
  parts.forEach((part, i) => {
    for (const name of part.shapes.keys()) {
      if (owners.has(name)) {
        throw new FileFormatError(
          `Part ${i + 1} of ${path} of ${files.name} has ${shown(name)}, but so does an earlier part.`,
          {
            asked: name,
            found: path,
          },
        );
      }
      owners.set(name, part);
    }
  });
  const total = first.metadata.get("split.tensors.count") ?? owners.size;
  if (total !== owners.size) {
    throw new FileFormatError(
      `${path} of ${files.name} announces ${shown(total)} tensors, but its parts have ${owners.size}.`,
      {
        asked: total,
        found: owners.size,
      },
    );
  }
  return {
    metadata: first.metadata,
    kinds: new Map(parts.flatMap(({ kinds }) => [...kinds])),
    shapes: new Map(parts.flatMap(({ shapes }) => [...shapes])),
    read: (name, signal) => owners.get(name)!.read(name, signal),
    readRows: (name, take, signal) => owners.get(name)!.readRows!(name, take, signal),
  };
}

async function openPart(files: ModelFiles, path: string, number: number, options: LoadOptions): Promise<GgufFile> {
  const source = await files.open(path, options).catch((error: unknown) => {
    if (!(error instanceof UnknownNameError)) throw error;
    throw new FileFormatError(
      `${files.name} is in several files, of which ${path} is missing: put it into the same folder.`,
      {
        asked: path,
        cause: error,
      },
    );
  });
  const { openGguf } = await import("./gguf.ts");
  const part = await openGguf(source, options);
  if (part.metadata.get("split.no") === number - 1) return part;
  throw new FileFormatError(
    `${path} of ${files.name} says that it is part ${shown(part.metadata.get("split.no"))} (from 0), not ${number - 1}.`,
    {
      asked: number - 1,
      found: part.metadata.get("split.no"),
    },
  );
}

const five = (n: number): string => String(n).padStart(5, "0");
