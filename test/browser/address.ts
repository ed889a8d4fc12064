/** The address that `glassformer serve` prints. */
import type { ChildProcess } from "node:child_process";

export function addressOf(server: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    server.stdout!.once("data", (text) => resolve(`${text}`.trim()));
    server.once("exit", (code) => reject(new Error(`serve ended with ${code}`)));
  });
}
