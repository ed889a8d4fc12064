/** A finding's pictures and tables as files, one at a time, as they are looked at. */
import { useSignal } from "@preact/signals";
import type { Finding } from "../finding/finding.ts";
import { exported } from "../report/exported.ts";
import { Act, save } from "./acts.tsx";
import { state } from "./store.ts";

const TYPES: Readonly<Record<string, string>> = { svg: "image/svg+xml", csv: "text/csv", json: "application/json" };

/** One of a finding's pictures and tables as a file. */
export function SavePart({ finding }: { readonly finding: Finding }) {
  const parts = exported(finding, state.value.pictures);
  const at = useSignal(0);
  const part = parts[Math.min(at.value, parts.length - 1)];
  if (!part) return null;
  const { svg } = part.forms;
  const png = async () => {
    const { drawOnCanvas } = await import("../report/canvas.ts");
    save(`${part.file}.png`, await drawOnCanvas(await svg(), { scale: 2, background: "white" }), "image/png");
    return "Saved";
  };
  const form = async (ending: string) => {
    save(`${part.file}.${ending}`, await part.forms[ending](), TYPES[ending.split(".").at(-1)!]);
    return "Saved";
  };
  return (
    <span class="part">
      <select
        aria-label="A picture or table to save"
        value={`${at.value}`}
        onChange={(event) => {
          at.value = Number(event.currentTarget.value);
        }}
      >
        {parts.map(({ of, file, title }, i) => (
          <option key={file} value={`${i}`}>
            {of}: {title}
          </option>
        ))}
      </select>
      {Object.keys(part.forms).map((ending) => (
        <Act key={`${part.file} ${ending}`} text={ending.toUpperCase().replace(".", " ")} act={() => form(ending)} />
      ))}
      {part.of === "picture" && <Act text="PNG" act={png} />}
    </span>
  );
}
