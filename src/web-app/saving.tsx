/** What can be taken out of the page: the link, a state too long for one, the whole report, the finding, and code. */
import { useSignal } from "@preact/signals";
import type { Finding } from "../finding/finding.ts";
import { exported } from "../report/exported.ts";
import { sentence } from "./latest.ts";
import { fragmentOf, LONGEST_LINK } from "./link.ts";
import { state } from "./store.ts";

/** Offers something as a file. */
function save(name: string, content: string | Uint8Array, type: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content as BlobPart], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** A button that says for a moment what came of it. */
export function Act({ text, act }: { readonly text: string; readonly act: () => Promise<string> | string }) {
  const said = useSignal("");
  return (
    <button
      type="button"
      onClick={async () => {
        try {
          said.value = await act();
        } catch (error) {
          said.value = sentence(error);
        }
        setTimeout(() => {
          said.value = "";
        }, 2000);
      }}
    >
      {said.value || text}
    </button>
  );
}

export async function copied(text: string): Promise<string> {
  await navigator.clipboard.writeText(text);
  return "Copied";
}

/** The link of the state; one that is too long is a file instead. */
async function share(): Promise<string> {
  const fragment = await fragmentOf(state.peek());
  if (fragment.length > LONGEST_LINK) {
    save("glassformer-state.json", JSON.stringify(state.peek()), "application/json");
    return "Too long for a link: saved as a file";
  }
  await navigator.clipboard.writeText(`${location.origin}${location.pathname}${fragment}`);
  return "Link copied";
}

export function Share() {
  return <Act text="Copy link" act={share} />;
}

/** The finding as files: the whole of it, or one of its pictures and tables. */
export function SaveFinding({ finding }: { readonly finding: Finding }) {
  const whole = async (format: "html" | "json", type: string) => {
    const { render } = await import("../report/render.ts");
    save(`${finding.analysis}.${format}`, await render(finding, format), type);
    return "Saved";
  };
  const { command, code } = finding.provenance ?? {};
  return (
    <div class="saving">
      <Act text="Save the report" act={() => whole("html", "text/html")} />
      <Act text="Save as JSON" act={() => whole("json", "application/json")} />
      {command && <Act text="Copy command" act={() => copied(command)} />}
      {code && <Act text="Copy TypeScript" act={() => copied(code)} />}
      <SavePart finding={finding} />
    </div>
  );
}

const TYPES: Readonly<Record<string, string>> = { svg: "image/svg+xml", csv: "text/csv", json: "application/json" };

function SavePart({ finding }: { readonly finding: Finding }) {
  const parts = exported(finding);
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
    save(`${part.file}.${ending}`, await part.forms[ending](), TYPES[ending]);
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
        <Act key={`${part.file} ${ending}`} text={ending.toUpperCase()} act={() => form(ending)} />
      ))}
      {part.of === "picture" && <Act text="PNG" act={png} />}
    </span>
  );
}
