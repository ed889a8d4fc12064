/** Buttons that save a picture or a table, and those that copy what makes the finding. What they save is in the page, compressed. */
import { fromBase64 } from "../../../tensor/base64.ts";
import { pngWithTexts } from "../../draw/png.ts";
import { type Behaviour, on, type Root, the } from "./root.ts";

/** What a page says in the `data-have` of its files. */
export interface FilesData {
  readonly files: readonly {
    /** Of the element that shows it. */
    readonly id: string;
    readonly title: string;
    /** The file's name, without extension. */
    readonly file: string;
    readonly forms: readonly string[];
  }[];
  /** The texts of a PNG, by keyword. */
  readonly stamp?: Readonly<Record<string, string>>;
  /** What is copied, and its text. */
  readonly copies: readonly (readonly [what: string, text: string])[];
}

/** A picture hears this when it is saved, and may save what it shows instead. */
export const SAVING = "saving";
export interface Saving {
  readonly form: string;
  content: string;
}

const TYPES: Record<string, string> = {
  svg: "image/svg+xml",
  png: "image/png",
  csv: "text/csv",
  json: "application/json",
};
/** How long a button says what it did, and how long what is saved stays in memory, in milliseconds. */
const SAID = 1600;
const STORED = 60_000;

export const files: Behaviour = (root, life) => {
  const store = root.getElementById("files") as HTMLTemplateElement;
  const have: FilesData = JSON.parse(store.dataset.have!);
  let opened: Promise<Record<string, string>[]> | undefined;
  const texts = () => (opened ??= unpacked(store.content.textContent!.trim()));
  have.files.forEach(({ id, title, file, forms }, i) => {
    const place = captionOf(root, id);
    if (!place || forms.length === 0) return;
    const all = group(place, `Save: ${title}`);
    for (const form of forms.includes("svg") ? ["svg", "png", ...forms.slice(1)] : forms) {
      const content = async () => {
        const written = form === "png" ? "svg" : form;
        const detail: Saving = { form: written, content: (await texts())[i][written] };
        root.getElementById(id)!.dispatchEvent(new CustomEvent(SAVING, { detail }));
        if (form === "png") return drawn(detail.content, have.stamp ?? {});
        return new Blob([detail.content], { type: TYPES[form.split(".").at(-1)!] });
      };
      const text = form.toUpperCase().replace(".", " ");
      const label = `Save as ${text}: ${title}`;
      button(all, { text, label, act: async () => save(`${file}.${form}`, await content()) }, life);
    }
  });
  if (have.copies.length === 0) return;
  const copies = group(the(".kicker", root), "Copy what makes this finding");
  for (const [what, text] of have.copies) {
    const label = `Copy ${what} that makes this finding`;
    button(copies, { text: `Copy ${what}`, label, act: () => copy(text), after: "Copied" }, life);
  }
};

function unpacked(packed: string): Promise<Record<string, string>[]> {
  const stream = new Blob([fromBase64(packed)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
}

/** The caption of a figure or table, which may have to be made. */
function captionOf(root: Root, id: string): Element | undefined {
  const shown = root.getElementById(id);
  if (!shown) return undefined;
  const there = shown.querySelector("figcaption, .caption");
  if (there) return there;
  const made = document.createElement("figcaption");
  shown.append(made);
  return made;
}

function group(place: Element, label: string): HTMLElement {
  const made = document.createElement("span");
  made.className = "get";
  made.setAttribute("role", "group");
  made.setAttribute("aria-label", label);
  // The space hangs where a line ends, so that buttons on a line of their own begin where it does.
  place.append("\u2003", made);
  return made;
}

interface ButtonParts {
  readonly text: string;
  readonly label: string;
  readonly act: () => Promise<void>;
  /** What it says when it has acted. */
  readonly after?: string;
}

function button(into: HTMLElement, { text, label, act, after }: ButtonParts, life: AbortSignal): void {
  const made = document.createElement("button");
  const says = (words: string, name: string) => {
    made.textContent = words;
    made.setAttribute("aria-label", name);
  };
  made.type = "button";
  says(text, label);
  const press = async () => {
    let said = after;
    try {
      await act();
    } catch (error) {
      said = (error as Error).message;
    }
    if (!said) return;
    says(said, said);
    setTimeout(() => says(text, label), SAID);
  };
  on(made, "click", press, life);
  into.append(made);
}

function save(name: string, blob: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), STORED);
}

/** An SVG as a PNG with texts, twice its size unless that is more than a canvas holds. */
async function drawn(svg: string, texts: Readonly<Record<string, string>>): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const scale = Math.min(2, Math.sqrt(64e6 / (image.width * image.height)));
  const canvas = document.createElement("canvas");
  canvas.width = Math.ceil(image.width * scale);
  canvas.height = Math.ceil(image.height * scale);
  const context = canvas.getContext("2d")!;
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise<Blob>((done, fail) => {
    canvas.toBlob((made) => (made ? done(made) : fail(new Error("too large"))), TYPES.png);
  });
  const png = pngWithTexts(new Uint8Array(await blob.arrayBuffer()), texts);
  return new Blob([png], { type: TYPES.png });
}

async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    if (!done) throw new Error("not allowed");
  }
}
