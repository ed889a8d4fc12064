/** What onnxruntime throws, as the error that it is: too little memory, or a fault of ours. */
import { GlassformerError, MemoryError, ShapeError } from "../tensor/errors.ts";
import { shortened } from "../tensor/show.ts";

/** How onnxruntime, WebAssembly and JavaScript say that there is no more memory. */
const NO_MEMORY = [
  /bfc_arena/i,
  /failed to allocate memory/i,
  /bad_?alloc/i,
  /out of memory|\bOOM\b/i,
  /array buffer allocation failed/i,
  /invalid (typed )?array length|invalid array buffer length/i,
  /could not allocate/i,
  /tensor shape is too large/i,
];

/**
 * An error of onnxruntime's as one of ours.
 * @param doing what it was asked to do: "compile a graph", "run a graph"
 */
export function told(error: unknown, doing: string): GlassformerError {
  if (error instanceof GlassformerError) return error;
  const message = error instanceof Error ? error.message : `it threw ${String(error)}`;
  if (NO_MEMORY.some((words) => words.test(message))) {
    return new MemoryError(
      `onnxruntime could not ${doing} because there was not enough memory: ask for fewer values, or for fewer or shorter rows at a time.`,
      { cause: error },
    );
  }
  // In a page: its WebAssembly could not be fetched, or may not run.
  if (/no available backend found/i.test(message)) {
    const reason = message.replace(/^.*?no available backend found\.?\s*(ERR:)?\s*/i, "").split(/\r?\n/)[0];
    return new GlassformerError(
      `onnxruntime could not start here: ${shortened(firstLine(reason), 400)} In a page, check the connection, that the site serves the .wasm file of its build, and that its Content-Security-Policy allows WebAssembly ('wasm-unsafe-eval'); then reload the page.`,
      { cause: error },
    );
  }
  if (/out of (data )?bounds|out of range/i.test(message)) {
    const numbers = /idx=(-?\d+)[^[]*\[(-?\d+),\s*(-?\d+)\]/.exec(message);
    return new ShapeError(
      numbers
        ? `Index ${numbers[1]} is outside its axis, which takes ${numbers[2]} to ${numbers[3]}.`
        : "An index that was computed or fed as numbers is outside its axis.",
      { asked: numbers?.[1], cause: error },
    );
  }
  return new GlassformerError(
    `onnxruntime could not ${doing}: ${shortened(firstLine(message))} This is a bug in glassformer, not in your request: please report it with this message.`,
    { cause: error },
  );
}

function firstLine(message: string): string {
  const line = message.trim().split(/\r?\n/)[0];
  return /[.?!]$/.test(line) ? line : `${line}.`;
}
