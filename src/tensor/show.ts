/**
 * Makes outside values fit into a sentence. A file or a caller may supply anything: a list 20,000 levels deep, a
 * string of a megabyte, an object whose `toString` throws. None of it may make an error message long or cause another error.
 */

/** How many levels of a nested value are written out. */
const DEEPEST = 3;
/** How many entries of a list or an object are written out. */
const MOST_ENTRIES = 8;

/** A value as JSON would write it, at most `limit` characters: deep parts, long lists and long strings end in "…". Never throws. */
export function shown(value: unknown, limit = 120): string {
  const text = written(value, DEEPEST, limit);
  return text.length > limit ? `${cut(text, limit - 1)}…` : text;
}

/** A text of any length, cut so that it fits into a sentence: at most `limit` characters, with "…" where some are left out. */
export function shortened(text: string, limit = 300): string {
  return text.length > limit ? `${cut(text, limit - 1)}…` : text;
}

/** The kind of a value, for a sentence: "null", "a list", "an object", "a string". */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  const kind = typeof value;
  return kind === "object" ? "an object" : kind === "boolean" ? String(value) : `a ${kind}`;
}

function written(value: unknown, depth: number, limit: number): string {
  switch (typeof value) {
    case "string":
      return value.length > limit ? `${JSON.stringify(cut(value, limit - 3)).slice(0, -1)}…"` : JSON.stringify(value);
    case "bigint":
      return `${value}n`;
    case "function":
      return "a function";
    case "object":
      break;
    default:
      return String(value);
  }
  if (value === null) return "null";
  try {
    if (Array.isArray(value) || ArrayBuffer.isView(value)) {
      const list = value as unknown as ArrayLike<unknown>;
      if (depth === 0 && list.length > 0) return "[…]";
      const items = Array.from({ length: Math.min(list.length ?? 0, MOST_ENTRIES) }, (_, i) =>
        written(list[i], depth - 1, limit),
      );
      return `[${[...items, ...(list.length > MOST_ENTRIES ? ["…"] : [])].join(", ")}]`;
    }
    const name = Object.getPrototypeOf(value)?.constructor?.name;
    if (typeof name === "string" && name !== "Object") return `a ${shortened(name, 40)}`;
    const keys = Object.keys(value);
    if (depth === 0 && keys.length > 0) return "{…}";
    const fields = keys
      .slice(0, MOST_ENTRIES)
      .map((key) => `${written(key, 0, limit)}: ${written((value as Record<string, unknown>)[key], depth - 1, limit)}`);
    return `{${[...fields, ...(keys.length > MOST_ENTRIES ? ["…"] : [])].join(", ")}}`;
  } catch {
    return "an object"; // it has a getter, or is a proxy, that throws
  }
}

/** The first `length` UTF-16 units, never splitting a surrogate pair. */
function cut(text: string, length: number): string {
  return text.slice(0, length).replace(/[\ud800-\udbff]$/, "");
}
