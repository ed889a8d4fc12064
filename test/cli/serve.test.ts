/** `glassformer serve`: what it serves, and what it does not. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listenAt, pageServer } from "../../src/cli/page-server.ts";

let folder: string;
let server: ReturnType<typeof pageServer>;
let port: number;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "glassformer-serve-"));
  for (const name of ["page", "models", "models/small", "runtime"]) mkdirSync(join(folder, name));
  const policy = "default-src 'none'";
  writeFileSync(join(folder, "page/index.html"), `<meta http-equiv="Content-Security-Policy" content="${policy}">`);
  writeFileSync(join(folder, "page/main-AbCd1234.js"), "1");
  writeFileSync(join(folder, "models/small/config.json"), "{}");
  writeFileSync(join(folder, "runtime/ort-wasm-simd-threaded.wasm"), "wasm");
  writeFileSync(join(folder, "runtime/package.json"), "{}");
  writeFileSync(join(folder, "secret.txt"), "secret");
  symlinkSync(join(folder, "secret.txt"), join(folder, "page/link.txt"));
  const runtime = { path: join(folder, "runtime"), name: "onnxruntime-1.2.3" };
  server = pageServer({ page: join(folder, "page"), models: join(folder, "models"), runtime });
  port = await listenAt(server);
});
afterAll(() => {
  server?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The answer to a request whose path is sent as it is: `fetch` would tidy it. */
function raw(path: string, { host = `127.0.0.1:${port}`, method = "GET" } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.write(`${method} ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
    });
    let text = "";
    socket.on("data", (piece) => (text += piece));
    socket.on("end", () => resolve(text));
    socket.on("error", reject);
  });
}

describe("the page's server", () => {
  test.each([
    ["/", "text/html; charset=utf-8"],
    ["/main-AbCd1234.js", "text/javascript; charset=utf-8"],
    ["/models/small/config.json", "application/json; charset=utf-8"],
    ["/onnxruntime-1.2.3/ort-wasm-simd-threaded.wasm", "application/wasm"],
    ["/?embed=1", "text/html; charset=utf-8"],
  ])("serves %s as %s, isolated and with the page's policy", async (path, type) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    expect(response.status).toBe(200);
    const { headers } = response;
    expect(headers.get("content-type")).toBe(type);
    expect(headers.get("cross-origin-opener-policy")).toBe("same-origin");
    expect(headers.get("cross-origin-embedder-policy")).toBe("require-corp");
    expect(headers.get("content-security-policy")).toBe("default-src 'none'");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
  });

  test.each([
    "/../secret.txt",
    "/models/../../secret.txt",
    "/%2e%2e/secret.txt",
    "/..%2fsecret.txt",
    "/models/..%5c..%5csecret.txt",
    "//etc/passwd",
    "/models//etc/passwd",
    "/%00",
    "/%zz",
    "/link.txt",
    "/onnxruntime-1.2.3/package.json",
    "/onnxruntime-1.2.4/ort-wasm-simd-threaded.wasm",
    "/models",
    "/nothing.js",
  ])("has nothing at %s", async (path) => {
    const answer = await raw(path);
    expect(answer).toMatch(/^HTTP\/1\.1 404 /);
    expect(answer).not.toContain("secret");
  });

  test.each([
    ["/main-AbCd1234.js", "max-age=31536000, immutable"],
    ["/onnxruntime-1.2.3/ort-wasm-simd-threaded.wasm", "max-age=31536000, immutable"],
    ["/", "no-cache"],
    ["/models/small/config.json", "no-cache"],
  ])("lets browsers keep %s: %s", async (path, kept) => {
    const { headers } = await fetch(`http://127.0.0.1:${port}${path}`);
    expect(headers.get("cache-control")).toBe(kept);
  });

  test("does not send a file again that a browser has", async () => {
    const address = `http://127.0.0.1:${port}/models/small/config.json`;
    const etag = (await fetch(address)).headers.get("etag")!;
    const again = await fetch(address, { headers: { "if-none-match": etag } });
    expect([again.status, await again.text()]).toEqual([304, ""]);
    writeFileSync(join(folder, "models/small/config.json"), '{"now": "longer"}');
    const changed = await fetch(address, { headers: { "if-none-match": etag } });
    expect([changed.status, await changed.text()]).toEqual([200, '{"now": "longer"}']);
  });

  describe("a text", () => {
    const TEXT = "let here; ".repeat(1000);
    const asked = (path: string, headers: Record<string, string>) =>
      new Promise<{ headers: Record<string, unknown>; status: number; body: Buffer }>((resolve, reject) => {
        get({ port, host: "127.0.0.1", path, headers }, async (response) => {
          const parts: Buffer[] = [];
          for await (const part of response) parts.push(part as Buffer);
          resolve({ headers: response.headers, status: response.statusCode!, body: Buffer.concat(parts) });
        }).on("error", reject);
      });
    beforeAll(() => writeFileSync(join(folder, "page/long-AbCd1234.js"), TEXT));

    test("is packed for a browser that can unpack it, and for no other", async () => {
      const packed = await asked("/long-AbCd1234.js", { "accept-encoding": "br;q=0.5, gzip, deflate" });
      expect(packed.headers).toMatchObject({ "content-encoding": "gzip", vary: "accept-encoding" });
      expect(Number(packed.headers["content-length"])).toBe(packed.body.length);
      expect(packed.body.length).toBeLessThan(TEXT.length / 50);
      expect(gunzipSync(packed.body).toString()).toBe(TEXT);
      for (const others of ["", "br", "gzip;q=0", "identity, gzip; q=0.0", "notgzip"]) {
        const plain = await asked("/long-AbCd1234.js", { "accept-encoding": others });
        expect(plain.headers["content-encoding"]).toBeUndefined();
        expect(plain.headers.vary).toBe("accept-encoding");
        expect(plain.body.toString()).toBe(TEXT);
        expect(plain.headers.etag).not.toBe(packed.headers.etag);
      }
      const { headers } = await asked("/onnxruntime-1.2.3/ort-wasm-simd-threaded.wasm", { "accept-encoding": "gzip" });
      expect([headers["content-encoding"], headers.vary]).toEqual([undefined, undefined]);
    });

    test("is packed again once it has changed, and not sent again while it has not", async () => {
      const gzip = { "accept-encoding": "gzip" };
      const etag = String((await asked("/long-AbCd1234.js", gzip)).headers.etag);
      const again = await asked("/long-AbCd1234.js", { ...gzip, "if-none-match": etag });
      expect([again.status, again.body.length]).toEqual([304, 0]);
      writeFileSync(join(folder, "page/long-AbCd1234.js"), "other");
      const changed = await asked("/long-AbCd1234.js", { ...gzip, "if-none-match": etag });
      expect([changed.status, gunzipSync(changed.body).toString()]).toEqual([200, "other"]);
    });
  });

  test("goes on when a browser leaves in the middle of a file", async () => {
    writeFileSync(join(folder, "models/small/model.safetensors"), new Uint8Array(20e6));
    for (let i = 0; i < 5; i++) {
      await new Promise<void>((gone) => {
        const socket = connect(port, "127.0.0.1", () => {
          socket.write(`GET /models/small/model.safetensors HTTP/1.1\r\nhost: localhost\r\n\r\n`);
          socket.once("data", () => socket.resetAndDestroy());
        });
        socket.once("close", () => gone());
      });
    }
    expect(await raw("/")).toMatch(/^HTTP\/1\.1 200 /);
  });

  test("answers no other name of this machine, and only reads", async () => {
    expect(await raw("/", { host: "evil.example" })).toMatch(/^HTTP\/1\.1 403 /);
    expect(await raw("/", { host: "localhost" })).toMatch(/^HTTP\/1\.1 200 /);
    expect(await raw("/", { method: "POST" })).toMatch(/^HTTP\/1\.1 405 /);
    expect(await raw("/", { method: "HEAD" })).toMatch(/\r\n\r\n$/);
  });
});

test("a port that is taken is named in a sentence", async () => {
  const another = pageServer({ page: folder, models: folder, runtime: { path: folder, name: "runtime" } });
  await expect(listenAt(another, port)).rejects.toThrow(
    `The port ${port} cannot be used: something else listens there. Choose another, or leave out --port.`,
  );
});
