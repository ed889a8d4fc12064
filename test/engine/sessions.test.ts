import { expect, test } from "vitest";
import type { Backend, Session } from "../../src/engine/backend.ts";
import { Engine } from "../../src/engine/engine.ts";
import { Sessions } from "../../src/engine/sessions.ts";
import { tensor } from "../../src/graph/from-numbers.ts";
import type { Tensor } from "../../src/graph/tensor.ts";

/** A backend whose sessions tell when they live and which give zeros, as many as there are outputs. */
function pretended({ maxSessions = 4, failing = () => false }: { maxSessions?: number; failing?: () => boolean } = {}) {
  const seen = { living: 0, most: 0, compiled: 0, usedAfterRelease: 0, inside: 0 };
  const pause = () => new Promise((resolve) => setTimeout(resolve, 0));
  const backend: Backend = {
    name: "pretended",
    maxSessions,
    async createSession(_model, outputs): Promise<Session> {
      seen.compiled++;
      seen.most = Math.max(seen.most, ++seen.living);
      await pause();
      let released = false;
      return {
        async run() {
          seen.inside++;
          await pause();
          if (released) seen.usedAfterRelease++;
          seen.inside--;
          if (failing()) throw new Error("the run failed");
          return outputs.map(() => ({ dtype: "float32", shape: [1], data: new Float32Array(1) }) as const);
        },
        async release() {
          released = true;
          seen.living--;
        },
      };
    },
  };
  return { engine: new Engine(backend), seen };
}

/** A structure of its own for each number: its bits say which op comes at each place. */
function structure(i: number): Tensor {
  let x = tensor([1]);
  for (let bit = 0; bit < 13; bit++) x = (i >> bit) & 1 ? x.mul(0.5) : x.add(0.1);
  return x;
}

test("5,000 structures at the same time: no run loses its session, and few sessions live at any time", async () => {
  const { engine, seen } = pretended();
  const runs = Array.from({ length: 5000 }, (_, i) => engine.run([structure(i)]));
  await Promise.all(runs);
  expect(seen).toMatchObject({ most: 4, compiled: 5000, usedAfterRelease: 0 });
  expect(seen.living).toBeLessThanOrEqual(4);
});

test("a structure that many request at the same time is compiled once, even if they had to wait for room", async () => {
  const { engine, seen } = pretended({ maxSessions: 1 });
  await Promise.all(Array.from({ length: 60 }, (_, i) => engine.run([structure(i < 30 ? 0 : 1)])));
  expect(seen.compiled).toBe(2);
});

test("the session unused for longest goes first", async () => {
  const { engine } = pretended({ maxSessions: 2 });
  const [a, b, c] = [structure(1), structure(2), structure(3)];
  for (const x of [a, b, a, c]) await engine.run([x]);
  expect([a, b, c].map((x) => engine.explain([x]).reused)).toEqual([true, false, true]);
});

test("forget and dispose wait for the runs in a session, and a later run compiles again", async () => {
  for (const end of ["forget", "dispose"] as const) {
    const { engine, seen } = pretended();
    const running = Promise.all([engine.run([structure(1)]), engine.run([structure(1)])]);
    await new Promise((resolve) => setTimeout(resolve, 5));
    const ended = end === "forget" ? engine.forget([structure(1)]) : engine.dispose();
    const later = engine.run([structure(1)]);
    await ended;
    await running;
    await later;
    expect(seen).toMatchObject({ usedAfterRelease: 0, living: 1, compiled: 2 });
  }
});

test("a session whose run failed is not used again, and makes room", async () => {
  let failing = true;
  const { engine, seen } = pretended({ maxSessions: 1, failing: () => failing });
  await expect(engine.run([structure(1)])).rejects.toThrow("the run failed");
  expect(seen.living).toBe(0);
  failing = false;
  await engine.run([structure(1)]);
  expect(seen).toMatchObject({ compiled: 2, living: 1 });
});

test("a session that could not be compiled is not kept, and makes room", async () => {
  const sessions = new Sessions(1);
  const good: Session = { run: async () => [], release: async () => {} };
  const run = (key: string, compile: () => Promise<Session>) => sessions.use(key, { compile, run: async () => key });
  const refuse = () => {
    throw new Error("no");
  };
  const both = [run("a", refuse), run("a", refuse)];
  await Promise.all(both.map((one) => expect(one).rejects.toThrow("no")));
  expect(await run("a", async () => good)).toBe("a");
  expect(await run("b", async () => good)).toBe("b");
  expect(sessions.created).toBe(3);
});

test("an aborted run ends immediately with the signal's reason; its session finishes by itself and serves the next run", async () => {
  let finish = () => {};
  const never = new Promise<void>((resolve) => {
    finish = resolve;
  });
  let runs = 0;
  const engine = new Engine({
    name: "slow",
    createSession: async () => ({
      async run() {
        if (runs++ === 0) await never;
        return [{ dtype: "float32", shape: [1], data: Float32Array.of(7) }];
      },
      release: async () => {},
    }),
  });
  const controller = new AbortController();
  const reason = new Error("enough");
  const run = engine.run([structure(1)], { signal: controller.signal });
  await new Promise((resolve) => setTimeout(resolve, 5));
  controller.abort(reason);
  await expect(run).rejects.toBe(reason);
  expect((await engine.run([structure(1)]))[0].item()).toBe(7);
  finish();
  expect((await engine.run([structure(1)]))[0].item()).toBe(7);
  expect(engine.sessionsCreated).toBe(1);
});

test("an aborted run that waits for room does not compile anything", async () => {
  const { engine, seen } = pretended({ maxSessions: 1 });
  const controller = new AbortController();
  const first = engine.run([structure(1)]);
  const second = engine.run([structure(2)], { signal: controller.signal });
  const third = engine.run([structure(3)]);
  controller.abort();
  await expect(second).rejects.toThrow();
  await Promise.all([first, third]);
  expect(seen.compiled).toBe(2);
});

test("unused sessions together keep a bounded number of bytes", async () => {
  const sessions = new Sessions(10);
  let living = 0;
  const compile = async (): Promise<Session> => {
    living++;
    return {
      run: async () => [],
      async release() {
        living--;
      },
    };
  };
  const use = (key: string, bytes: number) => sessions.use(key, { compile, run: async () => key, bytes });
  for (const key of ["a", "b", "c", "d"]) await use(key, 5e7);
  expect(["a", "b", "c", "d"].map((key) => sessions.has(key))).toEqual([false, false, true, true]);
  await use("large", 5e9);
  expect(sessions.bytesOf("large")).toBe(5e9);
  await sessions.forget("c");
  expect(living).toBe(1);
});
