import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { planA2AConformance } from "../../src/lib/testing/a2a/plan.ts";
import { startPeer } from "./official-sdk-agent.ts";

/** One thing that a server could do wrong, as a change of what a right one answers, and the cases that must notice it. */
interface Mutation {
  readonly wrong: string;
  /** Changes a response's text; `path` is that of the request. */
  readonly change?: (text: string, path: string) => string;
  readonly status?: (status: number) => number;
  readonly type?: (type: string) => string;
  /** `id` or `id [binding]` of cases that pass without the mutation and must fail with it. */
  readonly noticedBy: readonly string[];
}

/** Changes each event of an event stream, or the list of them. */
const events = (change: (all: readonly string[]) => readonly string[]) => (text: string) => {
  if (!text.startsWith("data:")) return text;
  return change(text.split("\n\n").filter((event) => event !== ""))
    .map((event) => `${event}\n\n`)
    .join("");
};
const replace = (from: RegExp, to: string) => (text: string) => text.replaceAll(from, to);

const MUTATIONS: readonly Mutation[] = [
  {
    wrong: "another error code",
    change: replace(/-32001/g, "-32000"),
    noticedBy: ["task.get-unknown [jsonrpc]", "send.unknown-task [jsonrpc]", "subscribe.unknown [jsonrpc]"],
  },
  { wrong: "another reason", change: replace(/TASK_NOT_FOUND/g, "NOT_THERE"), noticedBy: ["task.get-unknown [jsonrpc]", "task.get-unknown [rest]"] },
  { wrong: "another domain", change: replace(/a2a-protocol\.org/g, "example.com"), noticedBy: ["task.cancel-terminal [jsonrpc]", "rest.error [rest]"] },
  {
    wrong: "no error details",
    change: replace(/,"(data|details)":\[\{"@type.*?\}\]/g, ""),
    noticedBy: ["send.terminal-task [jsonrpc]", "send.terminal-task [rest]", "version.unsupported [rest]"],
  },
  {
    wrong: "another HTTP status",
    status: (status) => (status === 404 ? 400 : status),
    noticedBy: ["task.get-unknown [rest]", "task.cancel-unknown [rest]", "push.get [rest]"],
  },
  {
    wrong: "success instead of refusal",
    status: (status) => (status === 400 ? 200 : status),
    noticedBy: ["send.terminal-task [rest]", "rest.media-type [rest]", "subscribe.terminal [rest]"],
  },
  {
    wrong: "snake case",
    change: replace(/"contextId"/g, '"context_id"'),
    noticedBy: ["send.answers [jsonrpc]", "send.form [rest]", "stream.lifecycle [jsonrpc]"],
  },
  {
    wrong: "a member of 0.3",
    change: replace(/\{"id":/g, '{"kind":"task","id":'),
    noticedBy: ["send.answers [rest]", "task.get [jsonrpc]", "subscribe.task-first [rest]"],
  },
  {
    wrong: "states by 0.3's names",
    change: replace(/TASK_STATE_COMPLETED/g, "completed"),
    noticedBy: ["send.blocks [jsonrpc]", "stream.lifecycle [rest]"],
  },
  { wrong: "local time", change: replace(/(\d\d:\d\d\.\d+)Z"/g, '$1+02:00"'), noticedBy: ["send.form [jsonrpc]", "list.order [rest]"] },
  { wrong: "null for nothing", change: replace(/"parts":\[/g, '"metadata":null,"parts":['), noticedBy: ["send.answers [jsonrpc]", "artifact.text [rest]"] },
  { wrong: "no nextPageToken", change: replace(/,"nextPageToken":""/g, ""), noticedBy: ["list.empty [jsonrpc]", "list.pages [rest]"] },
  {
    wrong: "empty artifacts in lists",
    change: (text, path) => (path.includes("/tasks?") ? text.replaceAll('"history":', '"artifacts":[],"history":') : text),
    noticedBy: ["list.artifacts [rest]"],
  },
  {
    wrong: "another id in the envelope",
    change: replace(/"jsonrpc":"2\.0","id":(\d+)/g, '"jsonrpc":"2.0","id":"$1"'),
    noticedBy: ["task.get [jsonrpc]", "jsonrpc.answer [jsonrpc]", "stream.lifecycle [jsonrpc]"],
  },
  {
    wrong: "a lost last event",
    change: events((all) => all.slice(0, -1)),
    noticedBy: ["stream.lifecycle [jsonrpc]", "stream.lifecycle [rest]", "stream.message-reply [rest]"],
  },
  { wrong: "a lost first event", change: events((all) => all.slice(1)), noticedBy: ["stream.lifecycle [rest]", "stream.follow-up [jsonrpc]"] },
  { wrong: "reordered events", change: events((all) => all.toReversed()), noticedBy: ["stream.lifecycle [jsonrpc]", "stream.chunks [rest]"] },
  {
    wrong: "repeated events",
    change: events((all) => all.flatMap((event) => [event, event])),
    noticedBy: ["stream.chunks [jsonrpc]", "stream.message-reply [jsonrpc]"],
  },
  {
    wrong: "a first chunk that appends",
    change: replace(/"artifactUpdate":\{(?="taskId")/g, '"artifactUpdate":{"append":true,'),
    noticedBy: ["stream.chunks [rest]"],
  },
  { wrong: "chunks of two artifacts", change: replace(/"artifactId":"output"(?=.*chunk-2)/g, '"artifactId":"other"'), noticedBy: ["stream.chunks [jsonrpc]"] },
  {
    wrong: "a stream that is not one",
    type: (type) => type.replace("text/event-stream", "application/json"),
    noticedBy: ["stream.content-type [jsonrpc]", "stream.content-type [rest]"],
  },
  { wrong: "REST as plain JSON", type: (type) => type.replace("a2a+json", "json"), noticedBy: ["rest.content-type [rest]"] },
  { wrong: "JSON-RPC as text", type: (type) => type.replace(/^application\/json/, "text/plain"), noticedBy: ["jsonrpc.answer [jsonrpc]", "card.available"] },
  { wrong: "another text", change: replace(/Generated text content/g, "generated"), noticedBy: ["artifact.text [jsonrpc]", "artifact.text [rest]"] },
  { wrong: "unpadded bytes", change: replace(/"raw":"dGNr"/g, '"raw":"dGNr_-"'), noticedBy: ["artifact.file [rest]"] },
  { wrong: "no skills on the card", change: replace(/"skills":\[\{.*?\}\]/g, '"skills":[]'), noticedBy: ["card.available"] },
  { wrong: "a card that grows", change: replace(/"name":"peer"/g, '"name":"peer","url":"http://127.0.0.1"'), noticedBy: ["card.available"] },
];

test("the suite notices what a server can do wrong", async (t) => {
  for (const name of ["log", "info", "warn", "error"] as const) t.mock.method(console, name, () => undefined);
  await using peer = await startPeer();
  for (const mutation of MUTATIONS) {
    await t.test(mutation.wrong, async () => {
      await using proxy = await startProxy(peer.baseUrl, mutation);
      const missed = [];
      for (const named of mutation.noticedBy) {
        const [id = "", binding] = named.split(/ \[|\]/);
        const passes = async (baseUrl: string): Promise<boolean> => {
          await using plan = await planA2AConformance({ baseUrl, only: [id] });
          const item = plan.cases.find((planned) => planned.id === id && (binding === undefined || planned.binding === binding));
          assert.ok(item !== undefined, `there is a case ${named}`);
          return await item.run().then(
            () => true,
            () => false,
          );
        };
        assert.ok(await passes(peer.baseUrl), `${named} passes without the mutation`);
        if (await passes(proxy.baseUrl)) missed.push(named);
      }
      assert.deepEqual(missed, []);
    });
  }
});

/** Forwards to `target` and changes the answers; the card's URLs lead through it as well. */
async function startProxy(target: string, { change = (text) => text, status = (code) => code, type = (name) => name }: Mutation) {
  const forward = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url ?? "/";
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { host: _host, connection: _connection, "content-length": _length, ...headers } = request.headers;
    const init = { method: request.method ?? "GET", headers: headers as Record<string, string>, ...(chunks.length > 0 && { body: Buffer.concat(chunks) }) };
    const answer = await fetch(`${target}${path}`, init);
    const text = change((await answer.text()).replaceAll(target, origin), path);
    response.writeHead(status(answer.status), { "content-type": type(answer.headers.get("content-type") ?? "") }).end(text);
  };
  const server = createServer((request, response) => void forward(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    baseUrl: origin,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
