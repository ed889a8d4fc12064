import type { Feature } from "./needs.ts";

const STYLE = `
.get { display: inline-flex; gap: 2px; margin-left: 6px; white-space: nowrap; vertical-align: baseline; }
.get button { all: unset; cursor: pointer; font-size: 0.72rem; line-height: 1.4; padding: 0 5px; border-radius: 3px; color: var(--soft); letter-spacing: 0.02em; font-weight: 400; }
.get button:hover { background: var(--chip); color: var(--ink); } .get button:focus-visible { outline: 2px solid var(--accent); outline-offset: 0; }
.kicker .get { margin-left: 12px; } .kicker .get button { font-size: 0.78rem; }
@media (max-width: 600px) { .kicker .get { margin-left: -5px; } }
@media print { .get { display: none; } }
`;

/** Buttons that save a picture or a table, and those that copy what makes the finding. What they save is in the page, compressed. */
const SCRIPT = `(() => {
  const store = document.getElementById("files"), have = JSON.parse(store.dataset.have);
  let opened;
  const files = () => opened ??= new Response(
    new Blob([Uint8Array.from(atob(store.content.textContent.trim()), (c) => c.charCodeAt(0))]).stream().pipeThrough(new DecompressionStream("gzip")),
  ).json();
  const TYPES = { svg: "image/svg+xml", png: "image/png", csv: "text/csv", json: "application/json" };
  const save = (name, blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob); link.download = name; link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  };
  const drawn = async (svg) => {
    const image = new Image(), canvas = document.createElement("canvas");
    image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(svg);
    await image.decode();
    const scale = Math.min(2, Math.sqrt(64e6 / (image.width * image.height)));
    canvas.width = Math.ceil(image.width * scale); canvas.height = Math.ceil(image.height * scale);
    const context = canvas.getContext("2d");
    context.fillStyle = "white"; context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    return new Promise((done, fail) => canvas.toBlob((blob) => blob ? done(blob) : fail(new Error("too large")), TYPES.png));
  };
  const copy = async (text) => {
    try { await navigator.clipboard.writeText(text); } catch {
      const area = document.createElement("textarea");
      area.value = text; document.body.append(area); area.select();
      const done = document.execCommand("copy");
      area.remove();
      if (!done) throw new Error("not allowed");
    }
  };
  const button = (group, text, label, act, after) => {
    const made = document.createElement("button");
    made.type = "button"; made.textContent = text; made.setAttribute("aria-label", label);
    made.addEventListener("click", async () => {
      let said = after;
      try { await act(); } catch (error) { said = error.message; }
      if (!said) return;
      made.textContent = said; made.setAttribute("aria-label", said);
      setTimeout(() => { made.textContent = text; made.setAttribute("aria-label", label); }, 1600);
    });
    group.append(made);
  };
  const group = (place, label) => {
    const made = document.createElement("span");
    made.className = "get"; made.setAttribute("role", "group"); made.setAttribute("aria-label", label);
    place.append(made);
    return made;
  };
  have.files.forEach(({ id, title, file, forms }, i) => {
    const root = document.getElementById(id);
    if (!root || forms.length === 0) return;
    let place = root.querySelector("figcaption, .caption");
    if (!place) { place = document.createElement("figcaption"); root.append(place); }
    const all = group(place, "Save: " + title);
    for (const form of forms.includes("svg") ? ["svg", "png", ...forms.slice(1)] : forms) {
      const content = async () => {
        const texts = (await files())[i];
        return form === "png" ? drawn(texts.svg) : new Blob([texts[form]], { type: TYPES[form] });
      };
      button(all, form.toUpperCase(), "Save as " + form.toUpperCase() + ": " + title, async () => save(file + "." + form, await content()));
    }
  });
  if (have.copies.length === 0) return;
  const copies = group(document.querySelector(".kicker"), "Copy what makes this finding");
  for (const [what, text] of have.copies) button(copies, "Copy " + what, "Copy the " + what + " that makes this finding", () => copy(text), "Copied");
})();`;

/** Saving and copying. */
export const FILES: Feature = {
  style: STYLE,
  script: SCRIPT,
  hash: "sha256-V6LM/gs7sBV5Dtzhr3PcD12I8nojDtbi4HHilc6hDHk=",
};
