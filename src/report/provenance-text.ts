/** How a finding was made, in words. */
import type { Provenance } from "../finding/finding.ts";
import { listed } from "../tensor/words.ts";

/** "SHA-256 4f5d… of config.json and model.safetensors". */
export function checksumText({ checksum }: Provenance): string {
  return checksum ? `SHA-256 ${checksum.sha256} of ${listed(checksum.files, "and")}` : "no checksum of the model";
}

/** Everything but the code, as lines. */
export function provenanceLines(provenance: Provenance): string[] {
  const { version, date, command } = provenance;
  return [`${version}, ${date}`, ...(command ? [command] : []), checksumText(provenance)];
}
