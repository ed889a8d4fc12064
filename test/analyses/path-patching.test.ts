import { beforeAll, describe, expect, it } from "vitest";
import { pathPatching } from "../../src/analyses/path-patching.ts";
import type { Finding } from "../../src/finding/finding.ts";
import { rowsOf } from "../../src/finding/table.ts";
import { HookedTransformer } from "../../src/node.ts";
import { drawn } from "../../src/report/views/picture-of.ts";

const rows = (found: Finding) => rowsOf(found.tables, "paths");

describe("path-patching on the bundled model", () => {
  let model: HookedTransformer;
  let found: Finding;
  beforeAll(async () => {
    model = await HookedTransformer.fromPretrained("solu-1l-novels");
    found = await pathPatching(model);
  });

  it("tries every path to the MLP and to the logits, and leaves a gap where there is none", () => {
    expect(rows(found)).toHaveLength(2 * 6 + 1);
    const [picture] = drawn(found).pictures;
    if (picture.kind !== "imshow") throw new Error("not a heatmap");
    expect(picture.y?.ticks).toEqual(["embed", "pos_embed", "L0H0", "L0H1", "L0H2", "L0H3", "L0MLP"]);
    expect(picture.x?.ticks).toEqual(["L0MLP", "logits"]);
    expect(picture.values.at(-1)![0]).toBeNull();
  });

  it("loses nothing along paths from values that are the same in both prompts", () => {
    for (const { sender, lost } of rows(found)) if (sender === "pos_embed") expect(lost).toBeCloseTo(0, 5);
  });

  it("finds that the MLP informs the logits, and that two heads inform the MLP", () => {
    expect(found.summary[0].text).toMatch(/^Most travels from L0MLP to logits/);
    const top = rowsOf(found.tables, found.tables[0].name)
      .slice(1, 3)
      .map((row) => `${row.sender} ${row.receiver}`);
    expect(top.sort()).toEqual(["L0H1 L0MLP", "L0H3 L0MLP"]);
    expect(found.summary[0].figure!.comparedWith.length).toBeGreaterThan(0);
  });

  it("takes senders and receivers, and refuses combinations without a path", async () => {
    const some = await pathPatching(model, { senders: ["embed"], receivers: ["L0H1.v", "L0H3.v"] });
    expect(rows(some)).toHaveLength(2);
    const none = pathPatching(model, { senders: ["L0MLP"], receivers: ["L0H0.q"] });
    await expect(none).rejects.toThrow(/There is no path/);
    await expect(pathPatching(model, { senders: ["L0H9"] })).rejects.toThrow(/has no L0H9/);
    await expect(pathPatching(model, { clean: "The queen said" })).rejects.toThrow(/position by position/);
  });
});
