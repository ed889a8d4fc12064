/** What can be taken out of the page: the link, a state too long for one, the whole report, the finding, and code. */
import { useSignal } from "@preact/signals";
import { sentence } from "./computing.ts";
import { fragmentOf, LONGEST_LINK } from "./link.ts";
import { result, state } from "./store.ts";

/** Offers text as a file. */
function save(name: string, text: string, type: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
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

/** The whole finding as a file. Its pictures and tables have buttons of their own. */
export function SaveFinding() {
  const found = result.value?.finding;
  if (!found) return null;
  const whole = async (format: "html" | "json", type: string) => {
    const { render } = await import("../report/render.ts");
    save(`${found.analysis}.${format}`, await render(found, format), type);
    return "Saved";
  };
  return (
    <div class="saving">
      <Act text="Save the report" act={() => whole("html", "text/html")} />
      <Act text="Save as JSON" act={() => whole("json", "application/json")} />
      {found.provenance?.command && <Act text="Copy command" act={() => copied(found.provenance!.command!)} />}
      {found.provenance?.code && <Act text="Copy TypeScript" act={() => copied(found.provenance!.code!)} />}
    </div>
  );
}
