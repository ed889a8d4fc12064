/** A Redis or Valkey server of its own: on a free port of this machine, with its data in a temporary folder. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PROGRAMS = ["redis-server", "valkey-server"];

export class RedisServer {
  readonly port: number;
  private readonly folder = mkdtempSync(join(tmpdir(), "glassformer-redis-"));
  private readonly more: readonly string[];
  private child: ChildProcess | undefined;

  private constructor(port: number, more: readonly string[]) {
    this.port = port;
    this.more = more;
  }

  /** @param more settings, as on the server's command line */
  static async start(...more: readonly string[]): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), more);
    await server.start();
    return server;
  }

  get address(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it, with the data that it had. */
  async start(): Promise<void> {
    const program = PROGRAMS.find((name) => spawnSync(name, ["--version"]).status === 0);
    if (!program) throw new Error("Neither redis-server nor valkey-server is installed: apt-get install redis-server.");
    const data = ["--dir", this.folder, "--appendonly", "yes", "--save", ""];
    const args = ["--port", `${this.port}`, "--bind", "127.0.0.1", ...data, ...this.more];
    this.child = spawn(program, args, { stdio: "ignore" });
    for (let tries = 0; !(await this.accepts()); tries++) {
      if (tries > 200 || this.child.exitCode !== null)
        throw new Error(`${program} did not start on port ${this.port}.`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Ends it as a power cut would: kill -9. */
  async kill(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (!child || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private accepts(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect(this.port, "127.0.0.1", () => {
        socket.destroy();
        resolve(true);
      });
      socket.on("error", () => resolve(false));
    });
  }
}

/** A port of this machine that nothing listens on. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
