/** The checksum of a model's configuration and weights. */
import type { Checksum } from "../finding/finding.ts";
import { type ByteSource, type ModelFiles, memorySource, weightFiles } from "../load/index.ts";
import { atCheckpoint } from "./checkpoints.ts";

/** The SHA-256 of bytes, in hexadecimal. */
export type Sha256 = (source: ByteSource) => Promise<string>;

/** @returns undefined if the files cannot be read again */
export async function checksumOf(opened: ModelFiles, sha256: Sha256): Promise<Checksum | undefined> {
  try {
    const { files } = await atCheckpoint(opened, {});
    const paths = [
      ...((await files.list()).includes("config.json") ? ["config.json"] : []),
      ...(await weightFiles(files)),
    ];
    // As sha256sum names them in the folder of a training run: with the folder of the checkpoint.
    const folder = files === opened ? "" : `${files.name.slice(opened.name.length + 1)}/`;
    let lines = "";
    for (const path of paths) lines += `${await sha256(await files.open(path))}  ${folder}${path}\n`;
    const whole = await sha256(memorySource("checksums", new TextEncoder().encode(lines)));
    return { sha256: whole, files: paths.map((path) => folder + path) };
  } catch {
    return undefined;
  }
}
