import { escapeMarkup } from "../escape.ts";
import { ATTENTION } from "./attention-style.ts";
import { FILES } from "./files-style.ts";
import type { PageNeeds } from "./needs.ts";
import { PIXELS } from "./pixels-style.ts";
import { pageStyle } from "./style.ts";

/** A self-contained HTML page around the body. Nothing is loaded and no other script runs, whatever a token contains. */
export async function pageDocument(title: string, body: string, needs: PageNeeds): Promise<string> {
  // Who mounts pictures, and writes no page, need not load them.
  const { SCRIPTS } = await import("./scripts.ts");
  const features = [...needs.features];
  const scripts = [SCRIPTS.page, ...features.map(({ name }) => SCRIPTS[name])];
  const hashes = scripts.map(({ hash }) => `'${hash}'`).join(" ");
  // Cells drawn as pixels are images inside the page, and so are drawings of which a PNG is made.
  const images = [PIXELS, ATTENTION, FILES].some((feature) => needs.features.has(feature)) ? " img-src data:;" : "";
  const policy = `default-src 'none'; style-src 'unsafe-inline'; script-src ${hashes};${images} base-uri 'none'; form-action 'none'`;
  return (
    `<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n` +
    `<meta http-equiv="Content-Security-Policy" content="${policy}">\n` +
    `<meta name="viewport" content="width=device-width, initial-scale=1">\n` +
    `<title>${escapeMarkup(title)}</title>\n<style>${pageStyle(body, needs)}</style>\n</head>\n` +
    `<body>\n<main>\n${body}\n</main>\n${scripts.map(({ text }) => `<script>${text}</script>`).join("\n")}\n</body>\n</html>\n`
  );
}
