/** Products as the runtime likes them: formulas are written as they are read, and plans say what runs for them. */
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { Engine } from "../../src/engine/engine.ts";
import { peakBytes } from "../../src/engine/memory.ts";
import { writeOnnx } from "../../src/engine/onnx.ts";
import { nodeBackend } from "../../src/engine/ort-node.ts";
import { makePlan } from "../../src/engine/plan.ts";
import { interpret } from "../../src/engine/reference.ts";
import { grad } from "../../src/graph/rewrite/grad.ts";
import { Tensor } from "../../src/graph/tensor.ts";
import { type NDArray, ndarray, sizeOf } from "../../src/tensor/array.ts";
import { expectClose } from "../close.ts";
import { numbers } from "../graph/cases.ts";

const engine = new Engine(nodeBackend({ threads: 1 }));
afterAll(() => engine.dispose());

const weight = (shape: readonly number[], seed = 7) => Tensor.leaf(numbers(shape, seed).array!, [], "weight", "W");
const bias = (shape: readonly number[], seed = 8) => Tensor.leaf(numbers(shape, seed).array!, [], "weight", "b");

/** The ops of a plan, each value checked against its definition. */
async function stepsOf(...values: readonly Tensor[]): Promise<string[]> {
  const found = await engine.run(values);
  const expected = interpret(values);
  for (const [i, value] of values.entries()) {
    expect(found[i].shape).toEqual(value.shape);
    expectClose(found[i], expected[i], 1e-5, 1);
  }
  return engine
    .explain(values)
    .plan.steps.map(({ op, attrs }) => [op, ...Object.keys(attrs).filter((a) => a === "flat")].join(" "));
}

describe("in a program, products of few rows with a large weight", () => {
  const plan = (...values: readonly Tensor[]) => makePlan(values, { weightsFirst: true });
  /** The ops of a program's plan, each value checked against its definition. */
  async function stepsOf(...values: readonly Tensor[]): Promise<string[]> {
    const found = await (await engine.program([], values))([]);
    const expected = interpret(values);
    for (const [i, value] of values.entries()) {
      expect(found[i].shape).toEqual(value.shape);
      expectClose(found[i], expected[i], 1e-5, 1);
    }
    return plan(...values).steps.map(({ op, attrs }) => (attrs.flat ? `${op} flat` : op));
  }

  /** Small numbers, so that sums of 512 products are about 1. */
  const small = (shape: readonly number[], seed?: number) => {
    const { dtype, data } = weight(shape, seed).array!;
    return Tensor.leaf({ dtype, shape, data: data.map((x) => x / 20) } as NDArray, [], "weight", "W");
  };
  const large = small([512, 520]);
  const b = bias([520]);
  const rows = (n: number) => numbers([1, n, 512]);

  test("have the weight as their first factor, with their bias or alone, and leave the graph as rows", async () => {
    expect(await stepsOf(rows(4).matmul(large).add(b))).toEqual(["fewRows flat"]);
    expect(await stepsOf(rows(16).matmul(large))).toEqual(["fewRows flat"]);
    expect(await stepsOf(rows(40).matmul(large).tanh())).toEqual(["fewRows", "tanh"]);
    expect(await stepsOf(numbers([5, 512]).matmul(large))).toEqual(["fewRows"]);
    expect(await stepsOf(numbers([2, 2, 3, 512]).matmul(large).add(b).exp())).toEqual(["fewRows", "exp"]);
  });

  test("are as they were for fewer or more rows, and for smaller weights", async () => {
    expect(await stepsOf(rows(3).matmul(large))).toEqual(["matmul"]);
    expect(await stepsOf(rows(41).matmul(large))).toEqual(["matmul"]);
    expect(await stepsOf(rows(16).matmul(small([512, 500])))).toEqual(["matmul"]);
    expect(await stepsOf(rows(16).matmul(numbers([512, 520], 3)))).toEqual(["matmul"]);
  });

  test("take no copy of a weight that lies transposed, as a gradient's does", async () => {
    const value = rows(5).matmul(large.transpose().transpose());
    const x = numbers([1, 5, 520]);
    expect(await stepsOf(x.matmul(large.transpose()))).toEqual(["fewRows flat"]);
    const inputs = (t: Tensor) => plan(t).inputs.map(({ source }) => source.op);
    expect(inputs(x.matmul(large.transpose()))).toEqual([null, null]);
    expect(inputs(value)).toEqual([null, "permute"]);
  });

  test("make no transposed copy of a weight of more than four million numbers", async () => {
    const huge = Tensor.leaf(
      { dtype: "float32", shape: [2048, 2064], data: new Float32Array(2048 * 2064) },
      [],
      "weight",
    );
    const steps = (t: Tensor) => plan(t).steps.map(({ op }) => op);
    expect(steps(numbers([5, 2048]).matmul(huge))).toEqual(["matmul"]);
    expect(steps(numbers([5, 2064]).matmul(huge.transpose()))).toEqual(["fewRows"]);
  });

  test("of queries, keys and values are one", async () => {
    const heads = [0, 1, 2].map((i) => (x: Tensor) => {
      const W = small([8, 512, 64], i);
      return x.einsum("m,hme->he", W).add(bias([8, 64], i + 5));
    });
    const x = rows(6);
    const steps = await stepsOf(...heads.map((head) => head(x).exp()));
    expect(steps.slice(0, 2)).toEqual(["fewRows", "parts"]);
    expect(steps.filter((op) => op === "fewRows")).toHaveLength(1);
  });

  test("are plain products in other runs, whose last digits do not depend on the number of rows", async () => {
    expect(engine.explain([rows(16).matmul(large)]).plan.steps.map(({ op }) => op)).toEqual(["matmul"]);
    const [few, many] = await engine.run([rows(16).matmul(large), rows(80).matmul(large)]);
    expect([...few.data]).toEqual([...many.data.slice(0, few.data.length)]);
  });
});

describe("products with the same large weight, of few rows each", () => {
  const scaled = (x: Tensor) =>
    Tensor.leaf({ ...x.array!, data: x.data.map((v) => Number(v) / 20) } as NDArray, [], "weight", "W");
  const [W, V] = [scaled(weight([512, 512], 3)), scaled(weight([512, 512], 4))];
  const opsOf = (values: readonly Tensor[]) => engine.explain(values).plan.steps.map(({ op }) => op);

  test("are one, whatever axes their rows have, with the digits that each has alone", async () => {
    const xs = [numbers([1, 6, 512], 1), numbers([2, 3, 4, 512], 2), numbers([7, 512], 3)];
    const values = xs.map((x) => x.matmul(W).tanh());
    expect(await stepsOf(...values)).toEqual(["joinedRows", "tanh", "tanh", "tanh"]);
    const together = await engine.run(values);
    for (const [i, value] of values.entries()) {
      const [alone] = await engine.run([value]);
      expect([...together[i].data]).toEqual([...alone.data]);
    }
  });

  test("are one at each depth of two passes next to each other", async () => {
    const pass = (x: Tensor) => x.matmul(W).tanh().matmul(V).tanh().matmul(W);
    const values = [pass(numbers([9, 512], 1)).exp(), pass(numbers([1, 12, 512], 2)).exp()];
    expect((await stepsOf(...values)).filter((op) => /matmul|Rows/.test(op))).toEqual([
      "joinedRows",
      "joinedRows",
      "joinedRows",
    ]);
  });

  test("stay apart where one needs the other, with many or very few rows, and where the weight is small", () => {
    const x = numbers([9, 512]);
    expect(opsOf([x.matmul(W).tanh().matmul(W).exp()])).not.toContain("joinedRows");
    expect(opsOf([x.matmul(W).exp(), numbers([200, 512]).matmul(W).exp()])).not.toContain("joinedRows");
    expect(opsOf([x.matmul(W).exp(), numbers([3, 512]).matmul(W).exp()])).not.toContain("joinedRows");
    const small = weight([512, 500], 5);
    expect(opsOf([x.matmul(small).exp(), x.mul(2).matmul(small).exp()])).not.toContain("joinedRows");
  });

  test("of many passes next to each other hold the memory of a few", () => {
    const passes = (count: number) =>
      Array.from({ length: count }, (_, seed) => {
        const hidden = numbers([20, 512], seed).matmul(W).tanh().matmul(V);
        return hidden.mul(hidden).sum([0, 1]);
      });
    const few = peakBytes(passes(12));
    expect(opsOf(passes(12)).filter((op) => op === "joinedRows")).toHaveLength(2);
    expect(peakBytes(passes(60))).toBeLessThan(1.1 * few);
  });

  test("need each other in no order, however values depend on products", async () => {
    const step = fc.record({ from: fc.nat(20), other: fc.nat(20), weight: fc.nat(2) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 14 }), async (made) => {
        const values: Tensor[] = [numbers([5, 512], 1), numbers([1, 6, 512], 2), numbers([5, 512], 3)];
        for (const { from, other, weight } of made) {
          const x = values[from % values.length];
          const y = values[other % values.length];
          values.push(
            weight < 2
              ? x.matmul([W, V][weight]).tanh()
              : x.shape.join() === y.shape.join()
                ? x.add(y).tanh()
                : x.tanh(),
          );
        }
        await stepsOf(...values.slice(3));
      }),
      { numRuns: 20 },
    );
  });

  test("are products apart for a runtime that gains nothing, with the same numbers", async () => {
    const plain = new Engine({ ...nodeBackend({ threads: 1 }), weightsFirst: false });
    const values = [numbers([1, 6, 512], 1), numbers([7, 512], 2)].map((x) => x.matmul(W).tanh());
    for (const outputs of [values, [...values, ...grad(values[0].sum([0, 1, 2]), [values[0].inputs[0].inputs[0]])]]) {
      const [found, expected] = [await plain.run(outputs), await engine.run(outputs)];
      for (const [i, value] of found.entries()) expectClose(value, expected[i], 1e-5, 1);
    }
    await plain.dispose();
  });
});

test("where there are gradients, products of few rows have the weight first, which lies both ways there, and take no further copy of it", async () => {
  const W = Tensor.leaf(
    {
      dtype: "float32",
      shape: [512, 520],
      data: Float32Array.from(numbers([512, 520], 6).data, (x) => Number(x) / 20),
    },
    [],
    "weight",
    "W",
  );
  const x = numbers([1, 9, 512], 2);
  const hidden = x.matmul(W).tanh();
  const values = [hidden, ...grad(hidden.mul(hidden).sum([0, 1, 2]), [x])];
  const steps = await stepsOf(...values);
  expect(steps.filter((op) => op.startsWith("fewRows") || op === "matmul")).toEqual(["fewRows", "fewRows flat"]);
  const { inputs } = engine.explain(values).plan;
  expect(
    inputs.filter(({ source }) => source.shape.join() === "512,520" || source.shape.join() === "520,512"),
  ).toHaveLength(2);
});

test("an RMSNorm with weights is one step, unless its scale or what it has normalized is asked for", async () => {
  const x = numbers([2, 3, 8]);
  const scale = x.mul(x).mean(-1, true).add(x.constant(1e-5)).sqrt();
  const normalized = x.div(scale);
  const norm = normalized.mul(weight([8]));
  const written = ["mul", "mean", "add", "sqrt", "div", "mul"];
  expect(await stepsOf(norm)).toEqual(["rmsNorm"]);
  expect(await stepsOf(norm, scale)).toEqual(written);
  expect(await stepsOf(norm, normalized)).toEqual(written);
  const heads = numbers([2, 3, 2, 4]);
  const over = heads.div(heads.mul(heads).mean([-2, -1], true).add(heads.constant(1e-5)).sqrt());
  expect(await stepsOf(over.mul(weight([4])))).toEqual(written);
});

test("a single row times a weight that is much taller than wide is a product of the weight's parts", async () => {
  const tall = weight([16, 4]);
  expect(await stepsOf(numbers([1, 1, 16]).matmul(tall))).toEqual(["tallProduct"]);
  expect(
    await stepsOf(
      numbers([1, 16])
        .matmul(tall)
        .add(bias([4])),
    ),
  ).toEqual(["tallProduct", "add"]);
  for (const product of [
    numbers([2, 16]).matmul(tall),
    numbers([1, 16]).matmul(weight([16, 12])),
    numbers([1, 18]).matmul(weight([18, 4])),
    numbers([1, 16]).matmul(numbers([16, 4], 3)),
  ]) {
    expect(await stepsOf(product)).toEqual(["matmul"]);
  }
});

describe("x W + b", () => {
  const wide = weight([4, 24]);
  const b = bias([24]);

  test("is one step with the transposed weight, if the weight is wide", async () => {
    expect(await stepsOf(numbers([5, 4]).matmul(wide).add(b))).toEqual(["linear"]);
    expect(await stepsOf(b.add(numbers([5, 4]).matmul(wide)))).toEqual(["linear"]);
  });

  test("leaves the graph as rows, and keeps its shape if it is used", async () => {
    const logits = numbers([2, 3, 4]).matmul(wide).add(b);
    expect(await stepsOf(logits)).toEqual(["linear flat"]);
    expect(await stepsOf(logits.tanh())).toEqual(["linear", "tanh"]);
    expect(await stepsOf(logits, logits.tanh())).toEqual(["linear", "tanh"]);
  });

  test("is one product for several weights of the same few rows, as queries, keys and values have", async () => {
    const heads = [2, 3, 2].map((head, i) => {
      const W = weight([head, 8, 4], i);
      return (x: Tensor) => x.einsum("m,hme->he", W).add(bias([head, 4], i + 5));
    });
    const three = (rows: number) => {
      const x = numbers([1, rows, 8]);
      return heads.map((head) => head(x).exp());
    };
    const one = ["linear", "parts", ...Array.from({ length: 3 }, () => "splitAxis")];
    expect(await stepsOf(...three(1))).toEqual([...one, "exp", "exp", "exp"]);
    expect((await stepsOf(...three(5))).filter((op) => op === "linear")).toHaveLength(3);
  });

  test("is a product and a sum for fewer than four rows, for weights as tall as an MLP's, and for a matrix that is not a weight", async () => {
    const two = ["matmul", "add"];
    expect(await stepsOf(numbers([3, 4]).matmul(wide).add(b))).toEqual(two);
    expect(
      await stepsOf(
        numbers([5, 4])
          .matmul(weight([4, 16]))
          .add(bias([16])),
      ),
    ).toEqual(two);
    expect(
      await stepsOf(
        numbers([5, 4])
          .matmul(numbers([4, 24], 3))
          .add(b),
      ),
    ).toEqual(two);
    expect(
      await stepsOf(
        numbers([2, 5, 4])
          .matmul(weight([2, 4, 24]))
          .add(b),
      ),
    ).toEqual(two);
    expect(
      await stepsOf(
        numbers([5, 4])
          .matmul(wide)
          .add(numbers([5, 24])),
      ),
    ).toEqual(two);
    expect(
      await stepsOf(
        numbers([5, 4])
          .matmul(weight([4, 1]))
          .add(bias([24])),
      ),
    ).toEqual(two);
  });

  test("stays two steps if the product itself is requested or used", async () => {
    const product = numbers([5, 4]).matmul(wide);
    expect(await stepsOf(product, product.add(b))).toEqual(["matmul", "add"]);
    expect(await stepsOf(product.add(b), product.exp())).toContain("matmul");
    expect(await stepsOf(product.add(product))).toEqual(["matmul", "add"]);
  });

  test("shares its weight's layout with the gradient", async () => {
    const x = numbers([5, 4]);
    const [g] = grad(x.matmul(wide).add(b).tanh().sum(), [x]);
    expect(await stepsOf(g)).toContain("linear");
    const { inputs } = engine.explain([g]).plan;
    expect(inputs.filter(({ source }) => source.op === "permute" || source.label === "W")).toHaveLength(1);
  });
});

describe("heads", () => {
  const x = numbers([2, 3, 4], 1);
  const W_Q = weight([2, 4, 5]);
  const b_Q = bias([2, 5]);
  const heads = (seed: number) => numbers([2, 3, 2, 5], seed);

  test("x W_Q + b_Q is one product of all heads, whatever the number of rows", async () => {
    expect(await stepsOf(x.einsum("m,hme->he", W_Q).add(b_Q))).toEqual(["linear", "splitAxis"]);
    expect(await stepsOf(numbers([1, 4]).einsum("m,hme->he", W_Q).add(b_Q))).toEqual(["linear", "splitAxis"]);
    const [layout] = engine.explain([x.einsum("m,hme->he", W_Q).add(b_Q)]).plan.inputs.slice(1);
    expect(layout.source.shape).toEqual([10, 4]);
  });

  test("each head's own x W_Q + b_Q is one product per head", async () => {
    const own = numbers([2, 3, 2, 4]).einsum("hm,hme->he", W_Q).add(b_Q);
    expect(await stepsOf(own)).toEqual(["permute", "matmul", "permute", "add"]);
  });

  test("q·k and the mixing of v are one product per head", async () => {
    expect(await stepsOf(heads(1).einsum("qhe,khe->hqk", heads(2)))).toEqual([
      "permute",
      "permute",
      "permute",
      "matmul",
    ]);
    expect(await stepsOf(numbers([2, 2, 3, 3]).einsum("hqk,khe->qhe", heads(3)))).toEqual([
      "permute",
      "matmul",
      "permute",
    ]);
  });

  test("the sum over heads of z W_O is one product, without a copy of the weight", async () => {
    const out = heads(4)
      .einsum("he,hem->m", weight([2, 5, 4]))
      .add(bias([4]));
    expect(await stepsOf(out)).toEqual(["mergeAxes", "matmul", "add"]);
    expect(await stepsOf(heads(4).einsum("he,hem->hm", weight([2, 5, 4])))).toEqual(["permute", "matmul", "permute"]);
  });

  test("more rows in front of one side broadcast", async () => {
    const cells = numbers([4, 2, 3, 2, 5], 5);
    expect(await stepsOf(heads(1).einsum("qhe,khe->hqk", cells))).toContain("matmul");
    expect(await stepsOf(cells.einsum("he,hem->m", weight([2, 5, 4])))).toEqual(["mergeAxes", "matmul"]);
  });

  test("a weight's gradient is summed over batch and positions within one product", async () => {
    const W = numbers([2, 4, 5], 7);
    const [g] = grad(x.einsum("m,hme->he", W).tanh().sum(), [W]);
    const steps = await stepsOf(g);
    expect(steps.filter((op) => op === "matmul")).toHaveLength(2);
    expect(steps).not.toContain("einsum");
  });
});

test("an einsum that is not a matrix product stays one", async () => {
  const [a, b] = [numbers([2, 3, 4]), numbers([3, 4], 2)];
  expect(await stepsOf(a.einsum("bpm,pm->bp", b))).toEqual(["einsum"]); // b has no axis of its own
  expect(await stepsOf(a.einsum("bpm,m->b", numbers([4], 3)))).toEqual(["einsum"]); // p is summed over alone
  expect(await stepsOf(b.einsum("pm,pm->pm", b))).toEqual(["einsum"]); // nothing is summed over
  expect(await stepsOf(numbers([4]).einsum("m,mv->v", numbers([4, 2])))).toEqual(["einsum"]); // no rows
  expect(await stepsOf(b.einsum("pm,pm,p->m", b, numbers([3])))).toEqual(["einsum"]);
});

test("axes may have other names on each side", async () => {
  const q = numbers([2, 3, 2, 5]).rename(["batch", "query", "head", "d_head"]);
  const k = numbers([2, 4, 2, 5], 2).rename(["batch", "key", "kv_head", "d_head"]);
  const scores = q.einsum("qhe,khe->hqk", k);
  expect(scores.axes).toEqual(["batch", "head", "query", "key"]);
  expect(await stepsOf(scores)).toContain("matmul");
});

test("another length uses the same session", async () => {
  const scores = (length: number) => numbers([1, length, 2, 5]).einsum("qhe,khe->hqk", numbers([1, length, 2, 5], 2));
  const rows = (length: number) =>
    numbers([1, length, 4])
      .einsum("m,hme->he", weight([2, 4, 5]))
      .add(bias([2, 5]));
  const key = (length: number) => engine.explain([scores(length), rows(length)]).plan.key;
  expect(key(3)).toBe(key(7));
});

test("any product of a value and a weight, with or without a bias, equals its definition", async () => {
  const size = fc.integer({ min: 1, max: 3 });
  const letters = fc.shuffledSubarray([..."abcde"], { minLength: 1, maxLength: 3 });
  const example = fc
    .record({
      sizes: fc.array(size, { minLength: 5, maxLength: 5 }),
      front: fc.array(size, { maxLength: 2 }),
      first: letters,
      second: letters,
      swapped: fc.boolean(),
      biased: fc.boolean(),
    })
    .chain((drawn) =>
      fc
        .shuffledSubarray([...new Set([...drawn.first, ...drawn.second])], { minLength: 1 })
        .map((result) => ({ ...drawn, result })),
    );
  await fc.assert(
    fc.asyncProperty(example, async ({ sizes, front, first, second, result, swapped, biased }) => {
      const shapeOf = (of: readonly string[]) => of.map((letter) => sizes["abcde".indexOf(letter)]);
      const x = numbers([...front, ...shapeOf(first)]);
      const w = weight(shapeOf(second));
      const value = swapped
        ? w.einsum(`${second.join("")},${first.join("")}->${result.join("")}`, x)
        : x.einsum(`${first.join("")},${second.join("")}->${result.join("")}`, w);
      await stepsOf(biased ? value.add(bias(shapeOf(result))) : value);
    }),
    { numRuns: 60 },
  );
});

describe("what a mask hides", () => {
  const scores = (texts: number, pos: number) =>
    Tensor.leaf(ndarray("float32", [texts, 4, pos, pos], new Float32Array(texts * 4 * pos * pos)));
  const mask = (...shape: readonly number[]) => Tensor.leaf(ndarray("bool", shape, new Uint8Array(sizeOf(shape))));
  const opOf = (x: Tensor, hides: Tensor, hidden = -Infinity) =>
    makePlan([x.where(hides, x.constant(hidden))]).steps.map(({ op }) => op);

  test("of large attention is hidden by a sum, and of anything else by a choice", () => {
    expect(opOf(scores(2, 384), mask(384, 384))).toEqual(["masked"]);
    expect(opOf(scores(2, 384), mask(2, 1, 384, 384))).toEqual(["masked"]);
    expect(opOf(scores(2, 100), mask(100, 100))).toEqual(["where"]);
    expect(opOf(scores(2, 384), mask(384, 384), 0)).toEqual(["where"]);
    expect(opOf(scores(2, 384), mask(2, 4, 384, 384))).toEqual(["where"]);
  });

  test("is a branch only on a runtime that may choose by numbers, as the largest of numbers is", () => {
    const x = scores(2, 384);
    for (const value of [x.where(mask(384, 384), x.constant(-Infinity)), x.max(-1), x.argmax(), x.topK(3).values]) {
      const text = (branches: boolean) => Buffer.from(writeOnnx(makePlan([value]), { branches })).toString("latin1");
      expect(text(true)).toContain("then_branch");
      expect(text(false)).not.toContain("then_branch");
    }
  });
});
