/** The backend of pages in a worker, where there is none; `test/browser/worker.test.ts` has it in a browser. */
import { expect, test } from "vitest";
import { errorData, errorOf } from "../../src/engine/worker-messages.ts";
import { ArgumentError, GlassformerError, MemoryError, ShapeError } from "../../src/tensor/errors.ts";
import { runInWorker, workerBackend } from "../../src/worker.ts";

test.each([workerBackend, runInWorker])("in Node %o says what to use instead", (start) => {
  expect(() => start()).toThrow(GlassformerError);
  expect(() => start()).toThrow(/in Node use nodeBackend\(\)/);
});

test.each([{ threads: 0 }, { threads: 1.5 }, { device: "tpu" }, { thread: 2 }])("%j is refused", (options) => {
  expect(() => workerBackend(options as never)).toThrow(ArgumentError);
});

test.each([
  new ShapeError("Index 9 is outside its axis.", { asked: "9" }),
  new MemoryError("There was not enough memory.", { asked: 5, cause: new Error("std::bad_alloc") }),
  new ArgumentError("There is no device.", { asked: "cuda", found: ["cpu"] }),
])("an error is the same after the way between threads: $name", (error) => {
  const sent = structuredClone(errorData(error));
  const { name, message, asked, found } = error;
  const received = errorOf(sent);
  expect(received).toBeInstanceOf(error.constructor);
  expect(received).toMatchObject({ name, message, asked, found });
  expect((received.cause as Error | undefined)?.message).toBe((error.cause as Error | undefined)?.message);
});
