/** Buttons that do something with what the page shows, and files that it offers. */
import { useSignal } from "@preact/signals";
import { sentence } from "./latest.ts";

/** Offers something as a file. */
export function save(name: string, content: string | Uint8Array, type: string): void {
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
