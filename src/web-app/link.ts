/** A state as a URL's fragment, and back: `#1.` and its JSON, compressed. The number is the version of the form. */
import { ArgumentError } from "../tensor/errors.ts";
import { changesFromStart, START, type State, stateFrom } from "./state.ts";

const VERSION = 1;

/** Browsers take longer addresses, but what people paste them into cuts them. */
export const LONGEST_LINK = 8000;

/** "" for the state at the start. */
export async function fragmentOf(state: State): Promise<string> {
  const changes = changesFromStart(state);
  if (Object.keys(changes).length === 0) return "";
  const bytes = await through(new CompressionStream("deflate-raw"), new TextEncoder().encode(JSON.stringify(changes)));
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return `#${VERSION}.${btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")}`;
}

/** @throws ArgumentError for a fragment that is not one of this page's, or of a later version */
export async function stateOf(fragment: string): Promise<State> {
  if (fragment === "" || fragment === "#") return START;
  const [, version, packed] = /^#(\d+)\.([\w-]+)$/.exec(fragment) ?? [];
  if (version === undefined) throw unreadable("it is not one that this page made, or a part of it is missing");
  if (Number(version) > VERSION) throw unreadable("a later version of glassformer made it: update this one");
  const text = await unpacked(packed).catch(() => {
    throw unreadable("a part of it is missing");
  });
  try {
    return stateFrom(JSON.parse(text));
  } catch (error) {
    throw unreadable(error instanceof ArgumentError ? error.message : "what it holds is not JSON");
  }
}

function unreadable(why: string): ArgumentError {
  return new ArgumentError(`This link cannot be read: ${why}`.replace(/\.?$/, "."));
}

async function unpacked(packed: string): Promise<string> {
  const text = atob(packed.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  return new TextDecoder().decode(await through(new DecompressionStream("deflate-raw"), bytes));
}

async function through(stream: GenericTransformStream, bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const read = new Blob([bytes]).stream().pipeThrough(stream as ReadableWritablePair<Uint8Array, BufferSource>);
  return new Uint8Array(await new Response(read).arrayBuffer());
}
