/** The scripts of a report's page, from the modules in src/report/page/client: `npm run scripts` writes src/report/page/scripts.ts. */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build, type Rolldown } from "vite";
import { BEHAVIOURS } from "../src/report/page/client/behaviours.ts";

const page = fileURLToPath(new URL("../src/report/page/", import.meta.url));
const target = `${page}scripts.ts`;

/** What is there now. */
export function presentScripts(): string {
  return readFileSync(target, "utf8");
}

/** What the modules make: each behaviour as a script that runs in a page, with the hash that the page's policy allows. */
export async function pageScripts(): Promise<string> {
  const entries: string[] = [];
  for (const name of Object.keys(BEHAVIOURS)) {
    const text = await bundled(name);
    const hash = `sha256-${createHash("sha256").update(text).digest("base64")}`;
    entries.push(`  ${name}: {\n    hash: "${hash}",\n    text: ${JSON.stringify(text)},\n  },\n`);
  }
  return (
    "/** What a page does, as scripts with their hashes for its policy. Made from client/ by `npm run scripts`: not to be edited. */\n" +
    `export const SCRIPTS = {\n${entries.join("")}} as const;\n\n` +
    "/** The name of one of them. */\nexport type ScriptName = keyof typeof SCRIPTS;\n"
  );
}

/** Within strings the minifier writes control characters as they are: a page has none of them. */
function escaped(code: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about.
  return code.replace(/[\0-\t\v-\x1f\x7f]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

/** One behaviour, as a script that runs it in the whole page. */
async function bundled(name: string): Promise<string> {
  const entry = `
    import { ${name} } from "${page}client/${name}.ts";
    ${name}(document, new AbortController().signal);
  `;
  const virtual = {
    name: "entry",
    resolveId: (id: string) => (id === "entry" ? "\0entry" : undefined),
    load: (id: string) => (id === "\0entry" ? entry : undefined),
  };
  const { output } = (await build({
    configFile: false,
    logLevel: "warn",
    plugins: [virtual],
    build: {
      modulePreload: false,
      rollupOptions: { input: "entry", output: { format: "iife" } },
      minify: "oxc",
      target: "es2022",
      write: false,
    },
  })) as Rolldown.RolldownOutput;
  const text = escaped(output[0].code.trim());
  if (/<\/script|<!--/i.test(text))
    throw new Error(`The script "${name}" cannot stand in a page: it has </script or <!--.`);
  return text;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = await pageScripts();
  if (text !== presentScripts()) writeFileSync(target, text);
}
