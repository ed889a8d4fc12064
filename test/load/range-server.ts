/** Files over HTTP on this machine, by ranges, and a record of the requests. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface RangeServer {
  readonly url: string;
  /** "HEAD /a.bin", "GET /a.bin bytes=0-9", in order. */
  readonly asked: string[];
  /** Bytes of bodies sent so far. */
  sent: number;
  /** Whether ranges are answered with the whole file, as by a server that does not know them. */
  ignoreRange: boolean;
  /** Bodies end, with the connection, after this many bytes. */
  cutAfter: number | undefined;
  redirect: Readonly<Record<string, string>>;
  refuseHead: boolean;
  encoding: string | undefined;
  /** Answers in place of the files, if it returns true. */
  instead: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  stop(): Promise<void>;
}

export async function serveRanges(files: Readonly<Record<string, Uint8Array>>): Promise<RangeServer> {
  const server = createServer((request, response) => {
    const { range } = request.headers;
    seen.asked.push([request.method, request.url, range].filter(Boolean).join(" "));
    if (seen.instead?.(request, response)) return response;
    const elsewhere = seen.redirect[request.url ?? ""];
    if (elsewhere) return response.writeHead(302, { location: elsewhere }).end();
    if (request.method === "HEAD" && seen.refuseHead) return response.writeHead(405).end();
    const content = files[request.url ?? ""];
    if (!content) return response.writeHead(404).end();
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec((!seen.ignoreRange && range) || "") ?? [];
    const body = from === undefined ? content : content.subarray(Number(from), Number(to) + 1);
    response.writeHead(from === undefined ? 200 : 206, {
      "content-length": body.length,
      ...(from === undefined ? {} : { "content-range": `bytes ${from}-${to}/${content.length}` }),
      ...(seen.encoding ? { "content-encoding": seen.encoding } : {}),
    });
    if (request.method === "HEAD") return response.end();
    const sent = body.subarray(0, seen.cutAfter);
    seen.sent += sent.length;
    if (sent.length === body.length) return response.end(body);
    return response.write(sent, () => setTimeout(() => response.destroy(), 20));
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const seen: RangeServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: [],
    sent: 0,
    ignoreRange: false,
    cutAfter: undefined,
    redirect: {},
    refuseHead: false,
    encoding: undefined,
    instead: undefined,
    async stop() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
  return seen;
}
