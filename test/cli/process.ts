/** The command as people run it: the built package, in its own process and its own folder. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { type Installed, installed } from "../repository/installed.ts";

export interface Ended {
  /** As shells have it: 128 + its number, where a signal ended the process. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string | Uint8Array;
  readonly env?: Record<string, string>;
  /** After this many milliseconds: SIGINT. */
  readonly interruptAfter?: number;
  /** Once stderr says this, the signal; by default SIGINT. */
  readonly interruptAt?: RegExp;
  readonly signal?: NodeJS.Signals;
  /** How many signals, one after the other. */
  readonly signals?: number;
  /** Leaves standard input open. */
  readonly keepInput?: boolean;
}

/** A process that has not ended by then is killed, with exit code 137. */
const LIMIT_MS = 100_000;

export class Cli {
  readonly there: Installed;
  /** Where commands run. */
  readonly folder = mkdtempSync(join(tmpdir(), "glassformer-cli-"));

  private constructor(there: Installed) {
    this.there = there;
  }

  static async build(): Promise<Cli> {
    return new Cli(await installed());
  }

  remove(): void {
    this.there.remove();
    rmSync(this.folder, { recursive: true, force: true });
  }

  readonly run = (args: readonly string[], options: RunOptions = {}): Promise<Ended> => {
    const main = join(this.there.folder, "dist/cli/main.js");
    const child = spawn(process.execPath, [main, ...args], {
      cwd: this.folder,
      env: { PATH: process.env.PATH, HOME: this.folder, NO_COLOR: "1", ...options.env },
    });
    let stdout = "";
    let stderr = "";
    let interrupted = false;
    child.stdout.setEncoding("utf8").on("data", (text) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      stderr += text;
      if (interrupted || !options.interruptAt?.test(stderr)) return;
      interrupted = true;
      for (let i = 0; i < (options.signals ?? 1); i++) {
        setTimeout(() => child.kill(options.signal ?? "SIGINT"), 100 * i);
      }
    });
    if (!options.keepInput) child.stdin.end(options.input ?? "");
    if (options.interruptAfter !== undefined) setTimeout(() => child.kill("SIGINT"), options.interruptAfter);
    const limit = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
    return new Promise((resolve) =>
      child.on("close", (code, signal) => {
        clearTimeout(limit);
        resolve({ code: code ?? 128 + constants.signals[signal!], stdout, stderr });
      }),
    );
  };

  /** A file of the working folder. */
  readonly given = (name: string, content: string | Uint8Array): string => {
    writeFileSync(join(this.folder, name), content);
    return name;
  };
}
