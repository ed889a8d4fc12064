/** What can be taken out of the page: the link, a state too long for one, the whole report, the finding, and code. */
import { type Signal, signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Finding } from "../finding/finding.ts";
import { Act, save } from "./acts.tsx";
import { fragmentOf, LONGEST_LINK } from "./link.ts";
import { state } from "./store.ts";

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

/** What saves parts of a finding, once it is loaded. */
const part: Signal<typeof import("./save-part.tsx").SavePart | undefined> = signal(undefined);

interface SaveProps {
  readonly finding: Finding;
  /** Whether pictures and tables can be saved one by one: the code for that is not loaded before the first result. */
  readonly inParts: boolean;
}

/** The finding as files: the whole of it, or one of its pictures and tables. */
export function SaveFinding({ finding, inParts }: SaveProps) {
  const whole = async (format: "html" | "json", type: string) => {
    const { render } = await import("../report/render.ts");
    save(`${finding.analysis}.${format}`, await render(finding, format), type);
    return "Saved";
  };
  const SavePart = part.value;
  useEffect(() => {
    if (!inParts) return;
    void import("./save-part.tsx").then((loaded) => {
      part.value = loaded.SavePart;
    });
  }, [inParts]);
  const { command, code } = finding.provenance ?? {};
  return (
    <div class="saving">
      <Act text="Save the report" act={() => whole("html", "text/html")} />
      <Act text="Save as JSON" act={() => whole("json", "application/json")} />
      {command && <Act text="Copy command" act={() => copied(command)} />}
      {code && <Act text="Copy TypeScript" act={() => copied(code)} />}
      {inParts && SavePart && <SavePart finding={finding} />}
    </div>
  );
}
