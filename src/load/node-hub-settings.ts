/** Where the Hugging Face hub and its cache are, read from the environment like Python's `huggingface_hub`. */
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { ArgumentError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";
import { type NetworkLimits, networkLimits } from "./network-limits.ts";

export interface HubSettings {
  /** The folder that contains `models--org--name`. */
  readonly cacheDir: string;
  /** The hub's address, without a slash at the end. */
  readonly endpoint: string;
  /** The network is not used. */
  readonly offline: boolean;
  readonly token: string | undefined;
  /** How long to wait for the hub and how often to retry, if not as usual. */
  readonly limits?: Partial<NetworkLimits> | undefined;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * - cache: `HF_HUB_CACHE`, else `HUGGINGFACE_HUB_CACHE`, else `HF_HOME/hub`, else `XDG_CACHE_HOME/huggingface/hub`, else
 *   `~/.cache/huggingface/hub`;
 * - token: `HF_TOKEN`, else `HUGGING_FACE_HUB_TOKEN`, else the file `HF_TOKEN_PATH` or `HF_HOME/token`; none if
 *   `HF_HUB_DISABLE_IMPLICIT_TOKEN` is set;
 * - `HF_ENDPOINT`; `HF_HUB_OFFLINE`, else `TRANSFORMERS_OFFLINE`: 1, on, yes or true.
 *
 * A variable that is set but empty counts as unset.
 */
export async function hubSettings(env: Environment = process.env): Promise<HubSettings> {
  const home =
    path(env, "HF_HOME") ?? join(path(env, "XDG_CACHE_HOME") ?? join(userHome(env), ".cache"), "huggingface");
  return {
    cacheDir: path(env, "HF_HUB_CACHE") ?? path(env, "HUGGINGFACE_HUB_CACHE") ?? join(home, "hub"),
    endpoint: (env.HF_ENDPOINT || "https://huggingface.co").replace(/\/+$/, ""),
    offline: isOn(env.HF_HUB_OFFLINE || env.TRANSFORMERS_OFFLINE),
    token: isOn(env.HF_HUB_DISABLE_IMPLICIT_TOKEN)
      ? undefined
      : (clean(env.HF_TOKEN) ??
        clean(env.HUGGING_FACE_HUB_TOKEN) ??
        clean(await readFile(path(env, "HF_TOKEN_PATH") ?? join(home, "token"), "utf8").catch(() => undefined))),
  };
}

/** A path from the environment, with `~`, `$VAR` and `${VAR}` expanded. */
function path(env: Environment, name: string): string | undefined {
  const value = env[name];
  if (!value) return undefined;
  const expanded = value
    .replace(/^~(?=$|[/\\])/, userHome(env))
    .replace(/\$(\w+)|\$\{([^}]*)\}/g, (whole, plain, braced) => env[plain ?? braced] ?? whole);
  return resolve(expanded);
}

function userHome(env: Environment): string {
  return env.HOME || env.USERPROFILE || homedir();
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && ["1", "ON", "YES", "TRUE"].includes(value.toUpperCase());
}

function clean(token: string | undefined): string | undefined {
  return token?.replace(/[\r\n]/g, "").trim() || undefined;
}

/** @throws ArgumentError for an invalid address, token, folder or limits, without revealing secrets */
export function checkedHub(hub: HubSettings): HubSettings {
  networkLimits(hub.limits);
  const url = URL.canParse(hub.endpoint) ? new URL(hub.endpoint) : undefined;
  if (url?.protocol !== "http:" && url?.protocol !== "https:") {
    throw new ArgumentError(
      `The hub's address, HF_ENDPOINT, is ${shown(hub.endpoint)}, which is not an http or https URL: set it to one such as ` +
        "https://huggingface.co, or unset it.",
      { asked: hub.endpoint },
    );
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw new ArgumentError(
      `The hub's address, HF_ENDPOINT, is ${url.origin} with a name, a password, a query or a fragment (#): set it without; HF_TOKEN identifies you.`,
      { asked: url.origin },
    );
  }
  if (hub.token !== undefined && !/^[\x21-\x7e]+$/.test(hub.token)) {
    throw new ArgumentError(
      "The token for the hub has characters that no token has: copy it again (to HF_TOKEN, or to its file).",
    );
  }
  if (hub.cacheDir.includes("\0")) {
    throw new ArgumentError(`The hub's cache, ${shown(hub.cacheDir)}, is not a path.`, { asked: hub.cacheDir });
  }
  return hub;
}
