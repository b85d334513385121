import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json as readJson } from "node:stream/consumers";

/** What a hostile subject does with one question: it answers `text` in small pieces, fails its task with it, or refuses with it as an error. */
export interface Hostility {
  readonly how: "answer" | "say" | "fail" | "refuse";
  readonly text: string;
}

/** An A2A 1.0 agent of nobody's library, whose every word is hostile: names, ids and answers. A message's text is the number of a hostility. */
export async function startHostileSubject(hostilities: readonly Hostility[], word: string): Promise<{ readonly url: string } & AsyncDisposable> {
  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const tasks = new Map<string, object>();

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === "GET") return answer(response, card(url, word));
    const { id, method, params } = (await readJson(request)) as { id: unknown; method: string; params: { id: string; message: { parts: { text: string }[] } } };
    const reply = (body: object): object => ({ jsonrpc: "2.0", id, ...body });
    if (method !== "SendStreamingMessage") {
      const task = tasks.get(params.id);
      return answer(response, reply(task === undefined ? { error: { code: -32001, message: word } } : { result: task }));
    }
    const number = params.message.parts[0]?.text ?? "";
    const { how, text } = hostilities[Number(number)] ?? { how: "answer", text: "" };
    if (how === "refuse") return answer(response, reply({ error: { code: -32602, message: text, data: [{ "@type": word, reason: text, domain: word }] } }));
    response.writeHead(200, { "content-type": "text/event-stream" });
    const ids = { taskId: `${word}${number}`, contextId: word };
    const send = (result: object): Promise<void> =>
      new Promise((resolve) => void response.write(`data: ${JSON.stringify(reply({ result }))}\n\n`, () => resolve()));
    const status = (state: string, said?: string): object => ({
      ...ids,
      status: {
        state: `TASK_STATE_${state}`,
        timestamp: "2026-01-01T00:00:00Z",
        ...(said !== undefined && { message: { messageId: `${word}${Math.random()}`, role: "ROLE_AGENT", parts: [{ text: said }] } }),
      },
      metadata: { [word]: word },
    });
    await send({ task: { id: ids.taskId, contextId: word, status: { state: "TASK_STATE_SUBMITTED" } } });
    // Escape sequences are cut in two, so that nobody finds them in a piece.
    const pieces = text.length > 1000 ? [text] : (text.match(/[^]{1,3}/g) ?? []);
    for (const [index, piece] of pieces.entries()) {
      const artifact = { artifactId: word, name: word, description: word, parts: [{ text: piece }] };
      if (how === "answer") await send({ artifactUpdate: { ...ids, artifact, append: index > 0, lastChunk: false } });
      if (how === "say") await send({ statusUpdate: status("WORKING", piece) });
    }
    const end = status(how === "fail" ? "FAILED" : "COMPLETED", how === "fail" ? text : undefined);
    const artifacts = how === "answer" ? [{ artifactId: word, name: word, parts: [{ text }] }] : [];
    tasks.set(ids.taskId, { id: ids.taskId, contextId: word, status: (end as { readonly status: object }).status, artifacts });
    await send({ statusUpdate: end });
    response.end();
  }

  return {
    url,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function card(url: string, word: string): object {
  return {
    name: word,
    description: word,
    version: word,
    supportedInterfaces: [{ url, protocolBinding: "JSONRPC", protocolVersion: "1.0" }],
    capabilities: { streaming: true },
    defaultInputModes: ["text/plain"],
    defaultOutputModes: ["text/plain"],
    skills: [{ id: word, name: word, description: word, tags: [word] }],
  };
}

function answer(response: ServerResponse, body: object): void {
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}
