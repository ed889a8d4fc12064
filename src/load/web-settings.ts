/** Where a page's models come from and are stored: its equivalent of environment variables. */
import { either, OBJECT, oneOf, TEXT } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import type { NetworkLimits } from "./network-limits.ts";

/** Where a page's models come from, and whether they are stored between visits. */
export interface WebHubSettings {
  /** The hub's address; elsewhere `HF_ENDPOINT`. */
  readonly endpoint: string;
  /** Sent to the hub only; elsewhere `HF_TOKEN`. Users of the page can see it. */
  readonly token?: string | undefined;
  /** The name of the store in the browser that has the files of the hub and of URLs, or `false` to store none. */
  readonly cache: string | false;
  /** The address of the folder that has the bundled models' folders, relative to the page. */
  readonly bundled: string;
  /** How long to wait for a server and how often to retry, if not as usual. */
  readonly limits?: Partial<NetworkLimits> | undefined;
}

const SETTINGS: OptionKinds<WebHubSettings> = {
  endpoint: TEXT,
  token: TEXT,
  cache: either(TEXT, oneOf([false])),
  bundled: TEXT,
  limits: OBJECT,
};

/** @throws ArgumentError for a setting that does not exist, or of the wrong kind */
export function checkSettings(of: string, settings: Partial<WebHubSettings>): void {
  checkOptions(of, settings, SETTINGS as OptionKinds<Partial<WebHubSettings>>);
}

let defaults: WebHubSettings = { endpoint: "https://huggingface.co", cache: "glassformer", bundled: "models/" };

/** The settings that hold unless a call has its own. */
export function webSettings(): WebHubSettings {
  return defaults;
}

/**
 * Where a page's models come from, and whether they are stored, from now on, field by field: `setHub({ endpoint: "https://hub.example.org" })`.
 * @throws ArgumentError for a setting that does not exist, or of the wrong kind
 */
export function setHub(settings: Partial<WebHubSettings>): void {
  checkSettings("setHub", settings);
  defaults = { ...defaults, ...settings };
}
