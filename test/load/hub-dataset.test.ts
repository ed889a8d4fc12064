/** Datasets of the hub by name: which files, at which commit, and only the bytes that are read. */
import { createHash } from "node:crypto";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { datasetFiles, openDatasetFile } from "../../src/load/node-hub-dataset.ts";
import { readTexts } from "../../src/node.ts";
import { commit, commitOf, type HubFile, TestHub } from "./hub-server.ts";

const ID = "org/some-texts";
const NAME = `hf://${ID}`;
const LIMITS = { tries: 3, retryMs: 5, answerMs: 5000, stallMs: 500, slowMs: 60_000, slowBytes: 1 };

const texts = (word: string, count = 300) => Array.from({ length: count }, (_, i) => `${word} number ${i}.`);
function parquet(values: readonly string[]): HubFile {
  const hash = (value: string) => createHash("sha512").update(value).digest("base64");
  const other = values.map((value) => [0, 1, 2, 3].map((i) => hash(`${value} ${i}`)).join(""));
  const columnData = [
    { name: "other", data: other, type: "STRING" as const },
    { name: "text", data: [...values], type: "STRING" as const },
  ];
  return { large: true, content: new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize: [100] })) };
}
const other: HubFile = { large: false, content: new TextEncoder().encode("# About\n") };

let hub: TestHub | undefined;
const serve = async (files: Readonly<Record<string, HubFile>>, branches = {}) => {
  hub = await TestHub.start(ID, { "README.md": other, ...files }, branches);
};
const reaching = (more: object = {}) => ({
  settings: { endpoint: hub!.endpoint, offline: false, token: undefined, limits: LIMITS, ...more },
});
const files = (name = NAME, more: object = {}) => datasetFiles(name, { ...reaching(), ...more });
const open = (name: string) => openDatasetFile(name, reaching());
beforeEach(() => {
  hub = undefined;
});
afterEach(() => hub?.stop());

describe("a dataset of the hub", () => {
  it("is its Parquet files of one split, in order, at the commit that its branch is now", async () => {
    await serve({
      "data/test-00000-of-00001.parquet": parquet(texts("a test")),
      "data/train-00001-of-00002-4746b8785c874cc7.parquet": parquet(texts("second")),
      "data/train-00000-of-00002-4746b8785c874cc7.parquet": parquet(texts("first")),
    });
    const train = await files();
    expect(train).toEqual([
      `${NAME}@${commit}/data/train-00000-of-00002-4746b8785c874cc7.parquet`,
      `${NAME}@${commit}/data/train-00001-of-00002-4746b8785c874cc7.parquet`,
    ]);
    expect(await files(NAME, { split: "test" })).toEqual([`${NAME}@${commit}/data/test-00000-of-00001.parquet`]);
    const read = await Promise.all(train.map(async (name) => readTexts((await open(name)).source)));
    expect(read.flat()).toEqual([...texts("first"), ...texts("second")]);
    // The names that are made are names, and mean the same.
    expect(await files(train[0])).toEqual([train[0]]);
    await expect(files(NAME, { split: "trian" })).rejects.toThrow(/no split "trian".*"train"/s);
  });

  it("reads only the column's bytes, from the other host, without the token there", async () => {
    await serve({ "data/train-00000-of-00001.parquet": parquet(texts("first", 10_000)) });
    hub!.token = "hf_secret";
    const [name] = await files(NAME, reaching({ token: "hf_secret" }));
    const { source, checksum } = await openDatasetFile(name, reaching({ token: "hf_secret" }));
    expect(checksum).toMatch(/^[0-9a-f]{64}$/);
    expect(await readTexts(source)).toHaveLength(10_000);
    expect(hub!.sent).toBeLessThan(0.3 * source.size);
    const elsewhere = hub!.seen.filter(({ host, method }) => host === "cdn" && method === "GET");
    expect(elsewhere.length).toBeGreaterThan(0);
    for (const { range, authorization } of elsewhere) expect([!!range, authorization]).toEqual([true, undefined]);
  });

  it("is a revision's files, or the hub's conversion where it has no Parquet", async () => {
    await serve(
      { "texts.jsonl": other },
      {
        v2: { "validation.parquet": parquet(texts("second version")) },
        "refs/convert/parquet": {
          "default/partial-train/0000.parquet": parquet(texts("converted")),
          "default/test/0000.parquet": parquet(texts("test")),
        },
      },
    );
    const converted = await files();
    expect(converted).toEqual([`${NAME}@${commitOf("refs/convert/parquet")}/default/partial-train/0000.parquet`]);
    expect((await readTexts((await open(converted[0])).source))[0]).toBe("converted number 0.");
    expect(await files(`${NAME}@v2`)).toEqual([`${NAME}@${commitOf("v2")}/validation.parquet`]);
    await expect(files(`${NAME}@main`)).rejects.toThrow(/has no Parquet files at main: download its files/);
    await expect(files(`${NAME}@v3`)).rejects.toThrow(
      /has no revision "v3"; its branches and tags are listed at .*\/datasets\//,
    );
  });

  it("of several parts asks which", async () => {
    await serve({
      "en/train-00000-of-00001.parquet": parquet(texts("English")),
      "fr/train-00000-of-00001.parquet": parquet(texts("French")),
    });
    await expect(files()).rejects.toThrow(/has 2 splits: choose one with --split \(en\/train, fr\/train\)/);
    expect(await files(NAME, { split: "fr/train" })).toEqual([`${NAME}@${commit}/fr/train-00000-of-00001.parquet`]);
  });

  it("continues after a broken connection, and says when it stays broken", async () => {
    await serve({ "train.parquet": parquet(texts("first")) });
    const [name] = await files();
    const { source } = await open(name);
    let cuts = 2;
    hub!.faults.instead = (request, response, host) => {
      if (host !== "cdn" || request.method !== "GET" || cuts-- <= 0) return false;
      response.writeHead(503).end();
      return true;
    };
    expect(await readTexts(source)).toHaveLength(300);
    cuts = Number.POSITIVE_INFINITY;
    await expect(readTexts(source)).rejects.toThrow(/cannot be reached \(it answered 503, tried 3 times\)/);
    hub!.faults = { ignoreRange: true };
    await expect(readTexts(source)).rejects.toThrow(/answered with all of the file: download the file, and name it/);
  });

  it.each([
    [
      "has no Parquet anywhere",
      NAME,
      {},
      /"org\/some-texts" has no Parquet files, neither its own nor the hub's conversion/,
    ],
    ["does not exist", "hf://org/other", {}, /There is no dataset "org\/other" on http.*\(401\).*HF_TOKEN/],
    [
      "is named by one word",
      "hf://texts",
      {},
      /"hf:\/\/texts" is not the name of a dataset on the hub: write hf:\/\/org\/name/,
    ],
    ["is asked for offline", NAME, { offline: true }, /the network is not used \(HF_HUB_OFFLINE is set\)/],
  ])("that %s is refused in a sentence", async (_what, name, more, message) => {
    await serve({});
    await expect(datasetFiles(name, reaching(more))).rejects.toThrow(message);
  });

  it("that is gated says what to do, with a token and without", async () => {
    await serve({ "train.parquet": parquet(texts("first")) });
    const [name] = await files();
    // The list of a gated dataset's files is public, and its files are not.
    hub!.faults.instead = (request, response) => {
      if (!request.url!.includes("/resolve/")) return false;
      response.writeHead(401, { "x-error-code": "GatedRepo" }).end();
      return true;
    };
    await expect(open(name)).rejects.toThrow(
      /"org\/some-texts" is gated \(401\): accept its terms at http.*\/datasets\/org\/some-texts, then set HF_TOKEN/,
    );
    await expect(openDatasetFile(name, reaching({ token: "hf_x" }))).rejects.toThrow(
      /Your token cannot read "org\/some-texts"/,
    );
  });

  it("names the columns where the text is in another", async () => {
    await serve({ "train.parquet": parquet(texts("first")) });
    const { source } = await open((await files())[0]);
    await expect(readTexts(source, { column: "txt" })).rejects.toThrow(
      /train\.parquet has no column "txt"; its columns are other, text/,
    );
  });
});
