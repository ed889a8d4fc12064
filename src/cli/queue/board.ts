/** What the server says of scans besides their shards: which there are, and which workers are there. All times are the server's. */
import type { Redis } from "ioredis";
import type { ScanSettings } from "../scan/settings.ts";
import type { Part } from "../scan/sources.ts";

/** Every key on the server begins with this. */
export const PREFIX = "glassformer";
const SCANS = `${PREFIX}:scans`;
const workersOf = (id: string) => `${PREFIX}:workers:${id}`;
const cancelledOf = (id: string) => `${PREFIX}:cancelled:${id}`;
const CANCELLED_FOR_S = 7 * 86_400;
const COUNTER = `${PREFIX}:counter`;

/** A worker that has not been heard of for this long is not counted. */
const GONE_AFTER_S = 10;

/** A scan on the server: everything that a worker has to know. */
export interface QueuedScan {
  /** Also the name of its queue, and what the folder's mark says. */
  readonly id: string;
  /** Which scan of the server it is: earlier ones are done first. */
  readonly number: number;
  readonly settings: ScanSettings;
  /** The texts and the model, as they are named where the scan was begun. */
  readonly data: readonly string[];
  readonly model: string;
  readonly adapter: string | null;
  readonly folder: string;
  /** How often a shard is tried. */
  readonly attempts: number;
  /** A worker that gives no sign of life for this many seconds loses its shards to others. */
  readonly takeover: number;
}

/** A job of the queue. The scan's settings, which say the model, the texts and the version, are in `scan` as a hash. */
export interface ShardJob {
  readonly scan: string;
  readonly shard: number;
  readonly part: Part;
}

/** What a worker says of itself. */
export interface WorkerState {
  readonly host: string;
  readonly pid: number;
  readonly tokensPerSecond: number;
  /** Shards that it is doing. */
  readonly doing: number;
  /** Why it takes no shard. */
  readonly waits?: string;
}

/** Sets a field to the server's time and a text. */
const BEAT = `redis.call("HSET", KEYS[1], ARGV[1], redis.call("TIME")[1] .. ":" .. ARGV[2])`;
const PRESENT = `
local now = tonumber(redis.call("TIME")[1])
local found = {}
local all = redis.call("HGETALL", KEYS[1])
for i = 1, #all, 2 do
  if now - tonumber(string.match(all[i + 1], "^%d+")) > tonumber(ARGV[1]) then redis.call("HDEL", KEYS[1], all[i])
  else table.insert(found, (string.gsub(all[i + 1], "^%d+:", ""))) end
end
return found`;

export class Board {
  private readonly redis: Redis;

  constructor(redis: Redis) {
    this.redis = redis;
  }

  /** The scans that are to be done, the earliest first. */
  async scans(): Promise<QueuedScan[]> {
    const all = Object.values(await this.redis.hgetall(SCANS)).map((text) => JSON.parse(text) as QueuedScan);
    return all.sort((a, b) => a.number - b.number);
  }

  async has(id: string): Promise<boolean> {
    return (await this.redis.hexists(SCANS, id)) === 1;
  }

  async put(scan: Omit<QueuedScan, "number">): Promise<void> {
    const there = await this.redis.hget(SCANS, scan.id);
    const number = there === null ? await this.redis.incr(COUNTER) : (JSON.parse(there) as QueuedScan).number;
    await this.redis.hset(SCANS, scan.id, JSON.stringify({ ...scan, number } satisfies QueuedScan));
    await this.redis.del(cancelledOf(scan.id));
  }

  async remove(id: string): Promise<void> {
    await this.redis.multi().hdel(SCANS, id).del(workersOf(id)).exec();
  }

  /** Takes a scan off, and says so to whoever watches it. */
  async cancel(id: string): Promise<void> {
    await this.redis.set(cancelledOf(id), "1", "EX", CANCELLED_FOR_S);
    await this.remove(id);
  }

  async isCancelled(id: string): Promise<boolean> {
    return (await this.redis.exists(cancelledOf(id))) === 1;
  }

  async beat(id: string, worker: string, state: WorkerState): Promise<void> {
    await this.redis.eval(BEAT, 1, workersOf(id), worker, JSON.stringify(state));
  }

  async leave(id: string, worker: string): Promise<void> {
    await this.redis.hdel(workersOf(id), worker);
  }

  /** The workers of a scan that are there. */
  async workers(id: string): Promise<WorkerState[]> {
    const texts = (await this.redis.eval(PRESENT, 1, workersOf(id), GONE_AFTER_S)) as string[];
    return texts.map((text) => JSON.parse(text) as WorkerState);
  }
}
