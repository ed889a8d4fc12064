/** A connection to a queue's server, once the server has been found fit; it then outlives restarts of the server. */
import type { Redis, RedisOptions } from "ioredis";
import { ArgumentError } from "../../tensor/errors.ts";
import { neededAddress, type QueueAddress } from "./address.ts";

/** BullMQ's scripts need this version of Redis; Valkey began at 7.2. */
const LEAST_VERSION = [6, 2] as const;
const CONNECT_MS = 5000;
const LONGEST_WAIT_MS = 2000;
/** Waiting times are counted by clocks: of the server, and of whoever puts a shard off. */
const CLOCKS_MAY_DIFFER_S = 30;

/** A server that is connected. */
export interface QueueServer {
  readonly redis: Redis;
  /** Its address, for messages. */
  readonly shown: string;
}

type Libraries = Pick<typeof import("ioredis"), "Redis">;

/** @throws ArgumentError if they are not installed */
export async function queueLibraries(
  load: () => Promise<Libraries> = async () => {
    await import("bullmq");
    return import("ioredis");
  },
): Promise<Libraries> {
  try {
    return await load();
  } catch (cause) {
    throw new ArgumentError(
      "A queue needs BullMQ and its client of Redis, which are not installed: run npm install bullmq ioredis.",
      { asked: "bullmq", cause },
    );
  }
}

/** Connects to the server at a typed address. @throws ArgumentError as `connect` does */
export async function connectedQueue(text: string | undefined, say: (line: string) => void): Promise<QueueServer> {
  const address = neededAddress(text);
  return { redis: await connect(address, say), shown: address.shown };
}

/**
 * Connects to a server.
 * @param say what happens to the connection later on
 * @throws ArgumentError for a server that does not answer, asks for a password, is too old, or has another time
 */
async function connect(address: QueueAddress, say: (line: string) => void): Promise<Redis> {
  const { Redis } = await queueLibraries();
  const options = optionsOf(address);
  await checkServer(new Redis({ ...options, retryStrategy: () => null, maxRetriesPerRequest: 0 }), address, say);
  const connection = new Redis({
    ...options,
    maxRetriesPerRequest: null,
    retryStrategy: (times) => Math.min(100 * times, LONGEST_WAIT_MS),
  });
  let lost = false;
  connection.on("error", () => {
    if (!lost) say(`${address.shown} does not answer: trying again until it does.`);
    lost = true;
  });
  connection.on("close", () => {
    if (connection.status === "end" || lost) return;
    lost = true;
    say(`Lost the connection to ${address.shown}: trying again until it answers.`);
  });
  connection.on("ready", () => {
    if (lost) say(`${address.shown} answers again.`);
    lost = false;
  });
  return connection;
}

/** Whether a server was lost in the middle of something, which can be done again once it is back. */
export function isLost(error: unknown): boolean {
  const { message = "", code = "" } = error as Partial<NodeJS.ErrnoException>;
  const lost = /Connection is closed|Stream isn't writeable|LOADING|max retries per request/i.test(message);
  return lost || ["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT"].includes(code);
}

function optionsOf({ host, port, db, username, password, tls }: QueueAddress): Omit<RedisOptions, "replyMapping"> {
  return {
    ...{ host, port, db, lazyConnect: true, connectTimeout: CONNECT_MS },
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls ? { tls: { servername: host } } : {}),
  };
}

async function checkServer(probe: Redis, address: QueueAddress, say: (line: string) => void): Promise<void> {
  let first: Error | undefined;
  probe.on("error", (error: Error) => {
    first ??= error;
  });
  // A server that accepts a connection and says nothing would be waited for forever.
  const timer = setTimeout(() => {
    first ??= new Error("no answer within 5 seconds");
    probe.disconnect();
  }, CONNECT_MS);
  try {
    await probe.connect();
    // A connection goes on in database 0 if there is none of its number.
    await probe.select(address.db);
    const [server, memory] = [await probe.info("server"), await probe.info("memory")];
    checkVersion(server, address);
    const [seconds] = await probe.time();
    checkClock(Number(seconds) - Date.now() / 1000, address);
    const { maxmemory, maxmemory_policy: policy = "noeviction" } = fieldsOf(memory);
    if (Number(maxmemory) > 0 && policy !== "noeviction") {
      say(
        `${address.shown} deletes what it holds once its memory is full (maxmemory-policy ${policy}): shards may be done twice. Set it to noeviction.`,
      );
    }
  } catch (error) {
    if (error instanceof ArgumentError) throw error;
    throw refused(first ?? (error as Error), address);
  } finally {
    clearTimeout(timer);
    probe.disconnect();
  }
}

function checkVersion(info: string, { shown }: QueueAddress): void {
  const { redis_version: version = "?", server_name: name = "redis" } = fieldsOf(info);
  const [major, minor] = version.split(".").map(Number);
  if (name === "valkey" || major > LEAST_VERSION[0] || (major === LEAST_VERSION[0] && minor >= LEAST_VERSION[1]))
    return;
  throw new ArgumentError(
    `${shown} is Redis ${version}, which is too old for a queue of shards: it needs Redis ${LEAST_VERSION.join(".")} or later, or Valkey.`,
    { asked: LEAST_VERSION.join("."), found: version },
  );
}

function checkClock(ahead: number, { shown }: QueueAddress): void {
  if (Math.abs(ahead) <= CLOCKS_MAY_DIFFER_S) return;
  const [size, way] = [Math.round(Math.abs(ahead)).toLocaleString("en"), ahead < 0 ? "ahead of" : "behind"];
  throw new ArgumentError(
    `This machine's clock is ${size} seconds ${way} that of ${shown}, and a shard that is to be tried again would wait for the wrong time: set the clock.`,
    { asked: CLOCKS_MAY_DIFFER_S, found: ahead },
  );
}

function fieldsOf(info: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    info.split(/\r?\n/).flatMap((line) => (line.includes(":") ? [line.split(/:(.*)/, 2)] : [])),
  );
}

function refused(error: Error & { code?: string }, { shown }: QueueAddress): ArgumentError {
  const { message, code } = error;
  const because = (why: string) => new ArgumentError(`${shown} ${why}`, { asked: shown, cause: error });
  if (/^NOAUTH|Authentication required/i.test(message)) {
    return because(
      "asks for a password: put it into the environment as REDISCLI_AUTH, or write redis://:password@host.",
    );
  }
  if (/WRONGPASS|invalid password|invalid username/i.test(message)) return because("refuses the password: correct it.");
  if (/AUTH.*without any password/i.test(message)) return because("has no password, but one was given: leave it out.");
  if (/NOPERM/.test(message)) return because(`does not let this user do what a queue needs (${message}).`);
  if (/DB index/i.test(message))
    return because("has no database of that number: leave it out, or choose a smaller one.");
  if (/MISCONF|READONLY|LOADING|protected mode/i.test(message)) return because(`refuses: ${message}`);
  if (/Protocol error|ParserError|RESP type/i.test(`${error.name} ${message}`)) {
    return because("does not speak the language of Redis: name the port of a Redis or Valkey server.");
  }
  const why = WHY[code ?? ""] ?? message.replace(/\.$/, "");
  return because(`does not answer (${why}): start redis-server or valkey-server there, or correct --queue.`);
}

const WHY: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there",
  ENOTFOUND: "there is no such host",
  EAI_AGAIN: "the host's name cannot be looked up",
  ETIMEDOUT: "no answer within 5 seconds",
  EHOSTUNREACH: "no way leads there",
  ENETUNREACH: "no way leads there",
};
