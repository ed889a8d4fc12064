import { escapeMarkup } from "../escape.ts";
import { ATTENTION } from "./attention-script.ts";
import { FILES } from "./files-script.ts";
import type { PageNeeds } from "./needs.ts";
import { PIXELS } from "./pixels-script.ts";
import { SCRIPT, SCRIPT_HASH } from "./script.ts";
import { pageStyle } from "./style.ts";

/** A self-contained HTML page around the body. Nothing is loaded and no other script runs, whatever a token contains. */
export function pageDocument(title: string, body: string, needs: PageNeeds): string {
  const features = [...needs.features];
  const hashes = [SCRIPT_HASH, ...features.map((feature) => feature.hash)].map((hash) => `'${hash}'`).join(" ");
  // Cells drawn as pixels are images inside the page, and so are drawings of which a PNG is made.
  const images = [PIXELS, ATTENTION, FILES].some((feature) => needs.features.has(feature)) ? " img-src data:;" : "";
  const policy = `default-src 'none'; style-src 'unsafe-inline'; script-src ${hashes};${images} base-uri 'none'; form-action 'none'`;
  const scripts = [SCRIPT, ...features.map((feature) => feature.script)].map((text) => `<script>${text}</script>`);
  return (
    `<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n` +
    `<meta http-equiv="Content-Security-Policy" content="${policy}">\n` +
    `<meta name="viewport" content="width=device-width, initial-scale=1">\n` +
    `<title>${escapeMarkup(title)}</title>\n<style>${pageStyle(body, needs)}</style>\n</head>\n` +
    `<body>\n<main>\n${body}\n</main>\n${scripts.join("\n")}\n</body>\n</html>\n`
  );
}
