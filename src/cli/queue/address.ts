/** Where a queue's server is, as it is typed: `redis://host:port/db`. */
import { ArgumentError } from "../../tensor/errors.ts";

/** A server, and how it is shown: without its password. */
export interface QueueAddress {
  readonly shown: string;
  readonly host: string;
  readonly port: number;
  readonly db: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly tls: boolean;
}

const TLS: Readonly<Record<string, boolean>> = { "redis:": false, "rediss:": true, "valkey:": false, "valkeys:": true };
const PORT = 6379;

/** @throws ArgumentError without one */
export function neededAddress(text: string | undefined): QueueAddress {
  if (text !== undefined) return queueAddress(text);
  throw new ArgumentError("Name the server whose queue has the shards: --queue redis://host.", { asked: "--queue" });
}

/** @throws ArgumentError */
function queueAddress(text: string): QueueAddress {
  const refuse = (why: string) =>
    new ArgumentError(
      `--queue ${withoutPassword(text)} ${why}: write redis://host, redis://host:port or redis://host:port/0.`,
      {
        asked: withoutPassword(text),
      },
    );
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !(url.protocol in TLS)) throw refuse("is not the address of a Redis or Valkey server");
  if (url.hostname === "") throw refuse("names no host");
  const [, db = ""] = /^\/?(\d*)$/.exec(url.pathname) ?? [];
  if (url.pathname.length > 1 && db === "") throw refuse("has something other than a database's number after its host");
  const port = url.port === "" ? PORT : Number(url.port);
  return {
    shown: `${url.protocol}//${url.hostname}:${port}${db === "" || db === "0" ? "" : `/${db}`}`,
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port,
    db: Number(db),
    username: url.username === "" ? undefined : decodeURIComponent(url.username),
    // As redis-cli has it: a password on the command line can be seen by everyone on the machine.
    password: url.password === "" ? process.env.REDISCLI_AUTH : decodeURIComponent(url.password),
    tls: TLS[url.protocol],
  };
}

const withoutPassword = (text: string) => text.replace(/\/\/[^@/]*@/, "//");
