/** `glassformer serve`: the page, on this machine alone. */
import type { OptionRecords } from "../options/records.ts";
import { command } from "./command.ts";
import { listenAt, pageServer } from "./page-server.ts";
import { webFolders } from "./web-folders.ts";

const OPTIONS = {
  port: {
    type: "integer",
    least: 1,
    most: 65_535,
    placeholder: "N",
    description: "the port to listen at",
    defaultText: "one that is free",
  },
} as const satisfies OptionRecords;

export const serveCommand = command({
  name: "serve",
  group: "A first look:",
  summary: "Serve the page: the same in a browser",
  description:
    "Serves the page to browsers on this machine, and prints its address. Models run in the page itself: nothing is sent anywhere, and only models that you choose are fetched. It ends with Ctrl-C.",
  options: OPTIONS,
  examples: ["serve", "serve --port 8080"],
  async run({ port }, { terminal }) {
    const server = pageServer(await webFolders());
    terminal.stdout.write(`http://127.0.0.1:${await listenAt(server, port)}/\n`);
    terminal.stderr.write("Open this address in a browser. Ctrl-C ends it.\n");
    await new Promise((closed) => server.once("close", closed));
  },
});
