import { escapeMarkup } from "../escape.ts";
import { SCRIPT, SCRIPT_HASH } from "./script.ts";
import { pageStyle, type TokenColors } from "./style.ts";

/** Nothing is loaded and no other script runs, whatever a prompt or a token may hold. */
const POLICY = `default-src 'none'; style-src 'unsafe-inline'; script-src '${SCRIPT_HASH}'; base-uri 'none'; form-action 'none'`;

/** A self-contained HTML page around the body. */
export function pageDocument(title: string, body: string, tokens: TokenColors): string {
  return (
    `<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n` +
    `<meta http-equiv="Content-Security-Policy" content="${POLICY}">\n` +
    `<meta name="viewport" content="width=device-width, initial-scale=1">\n` +
    `<title>${escapeMarkup(title)}</title>\n<style>${pageStyle(body, tokens)}</style>\n</head>\n` +
    `<body>\n<main>\n${body}\n</main>\n<script>${SCRIPT}</script>\n</body>\n</html>\n`
  );
}
