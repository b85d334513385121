import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { defineAgent } from "../../src/lib/engine/define-agent.ts";
import { scripted } from "../../src/lib/engine/scripted.ts";
import type { ApiError, StreamEntry } from "../../src/lib/model/api.ts";
import { makeApiKey } from "../../src/lib/tenancy/api-keys.ts";
import { apiClient } from "../support/api-client.ts";
import { readEvents } from "../support/event-source.ts";
import { agentOf, serving } from "../support/serving.ts";

interface OpenApi {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { responses: Record<string, { content?: Record<string, { schema: object }> }>; parameters: { name: string }[] }>>>
  >;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

interface Operation {
  readonly operationId: string;
  readonly description?: string;
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
  readonly requestBody?: { readonly content: object };
  readonly responses: object;
}

const talks = agentOf(
  async function* () {
    yield { kind: "reasoning", text: "hm" };
    yield { kind: "tool-call", call: "c", name: "t", arguments: "{}" };
    yield { kind: "tool-result", call: "c", name: "t", output: "1" };
    yield { kind: "text", text: "hello" };
  },
  { id: "talks", skills: [{ id: "s", name: "S", description: "d", tags: [], examples: ["one"] }] },
);
const asks = defineAgent({ id: "asks", engine: scripted([{ kind: "ask", question: "What?" }, { kind: "echo" }], { tokenMs: 0 }) });
const direct = agentOf(
  async function* () {
    yield { kind: "reply", parts: [{ text: "hello" }] };
  },
  { id: "direct", replies: "message" },
);

test("what the endpoints answer is what /api/openapi.json says, each of them", async (t) => {
  const server = await serving(t, [talks, asks, direct], { allowLocalTargets: true });
  const api = apiClient(server.url);
  const { body: document, status } = await api.get<OpenApi>("/api/openapi.json");
  assert.equal(status, 200);
  const ajv = new Ajv2020({ strict: false }).addSchema({ $id: "api", ...document });
  const check = (schema: object, value: unknown, what: string): void => {
    const validate = ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"api#/')) as object);
    assert.ok(validate(value), `${what}: ${ajv.errorsText(validate.errors)} in ${JSON.stringify(value).slice(0, 500)}`);
  };
  const checked = new Set<string>();
  const call = async (method: string, path: string, url: string, body?: unknown): Promise<unknown> => {
    const answer = await api.call(method, url, body);
    const said = document.paths[path]?.[method.toLowerCase()]?.responses[String(answer.status)];
    assert.ok(said !== undefined, `${method} ${url} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    const schema = said.content?.["application/json"]?.schema;
    if (schema === undefined) assert.equal(answer.body, undefined);
    else check(schema, answer.body, `${method} ${url}`);
    checked.add(`${method} ${path}`);
    return answer.body;
  };

  const message = (more: object = {}) => ({ messageId: randomUUID(), parts: [{ text: "hi" }], ...more });
  const send = (agent: string, more?: object) => call("POST", "/api/agents/{agent}/messages", `/api/agents/${agent}/messages`, message(more));
  const { task } = (await send("talks")) as { task: string };
  await send("direct");
  const { task: waiting } = (await send("asks", { contextId: "c" })) as { task: string };
  const component = (id: string): object => ({ $ref: `#/components/schemas/${id}` });
  const streams = [
    [`/api/tasks/${task}/events?audience=internal`, "StreamEntry", "end"],
    ["/api/feed?live=false&audience=internal", "FeedFrame", "end"],
  ] as const;
  const kinds = new Set<string>();
  await readEvents(`${server.url}/api/tasks/${waiting}/events`, { until: ({ data }) => data.includes("INPUT_REQUIRED") });
  for (const [path, id, last] of streams) {
    const { events } = await readEvents(`${server.url}${path}`, { until: ({ type }) => type === last });
    for (const { type, data } of events) {
      if (type === "message") check(component(id), JSON.parse(data), path);
      if (type === "open") check(component("StreamOpened"), JSON.parse(data), path);
      kinds.add(type);
    }
  }
  assert.deepEqual([...kinds].toSorted(), ["end", "message", "open"]);
  const file = (await (await fetch(`${server.url}/api/tasks/${task}/export`)).text()).trimEnd().split("\n");
  const [head, ...lines] = file.map((line) => JSON.parse(line) as StreamEntry & { head: number });
  assert.equal(lines.length, head?.head);
  for (const line of lines) check(component("StreamEntry"), line, "export");

  await call("GET", "/api/session", "/api/session");
  await call("POST", "/api/session", "/api/session");
  await call("DELETE", "/api/session", "/api/session");
  await call("POST", "/api/tickets", "/api/tickets");
  await call("GET", "/api/agents", "/api/agents");
  await call("GET", "/api/agents/{agent}/card", "/api/agents/talks/card");
  await call("GET", "/api/tasks", "/api/tasks");
  await call("GET", "/api/tasks/{task}", `/api/tasks/${task}`);
  await call("GET", "/api/conversations", "/api/conversations");
  const stop = new AbortController();
  const reading = readEvents(`${server.url}/api/tasks/${waiting}/events`, { signal: stop.signal });
  await call("GET", "/api/readers", "/api/readers");
  stop.abort();
  await reading;
  await call("POST", "/api/tasks/{task}/approvals", `/api/tasks/${waiting}/approvals`, { call: "c", approve: true });
  const { task: third } = (await send("asks")) as { task: string };
  await readEvents(`${server.url}/api/tasks/${third}/events`, { until: ({ data }) => data.includes("INPUT_REQUIRED") });
  await call("POST", "/api/tasks/{task}/cancel", `/api/tasks/${third}/cancel`, {});
  const far = { url: `${server.url}/a2a/talks` };
  await call("POST", "/api/cards", "/api/cards", far);
  const { id } = (await call("POST", "/api/remotes", "/api/remotes", far)) as { id: string };
  await call("GET", "/api/remotes", "/api/remotes");
  await call("DELETE", "/api/remotes/{agent}", `/api/remotes/${id}`);

  for (const [url, init] of [
    ["/api/tasks/none", {}],
    ["/api/tasks?states=X", {}],
    ["/api/none", {}],
    ["/api/agents/talks/messages", { method: "POST", body: "{}" }],
  ] as const) {
    check(component("ApiError"), await (await fetch(server.url + url, init)).json(), url);
  }
  // What is streamed, downloaded or shown is checked above or has tests of its own.
  const elsewhere = new Set(["/api/tasks/{task}/events", "/api/feed", "/api/tasks/{task}/export", "/api/openapi.json", "/api/"]);
  const left = Object.entries(document.paths).flatMap(([path, methods]) =>
    elsewhere.has(path) || /^\/api\/(uploads|files|campaigns)/.test(path)
      ? []
      : Object.keys(methods)
          .map((method) => `${method.toUpperCase()} ${path}`)
          .filter((each) => !checked.has(each)),
  );
  assert.deepEqual(left, []);
});

test("/api/ describes the endpoints on a page that runs nothing", async (t) => {
  const server = await serving(t, [talks]);
  for (const path of ["/api/", "/api"]) {
    const response = await fetch(server.url + path);
    assert.equal(response.status, 200);
    assert.match(response.headers.get("content-security-policy") ?? "", /^default-src 'none'; style-src 'sha256-[^']+'; .*frame-ancestors 'none'$/);
    const page = await response.text();
    assert.ok(!/<script|\son\w+=|https?:/i.test(page.replaceAll(/<pre>[^]*?<\/pre>/g, "")));
    for (const words of ["POST /api/agents/{agent}/messages", "GET /api/feed", 'id="TaskSummary"', '<a href="#TaskSummary">'])
      assert.ok(page.includes(words), words);
  }
});

test("an export is the stream up to its head, and only its owner's", async (t) => {
  const server = await serving(t, [asks]);
  const { task } = await apiClient(server.url).send("asks", "hi");
  await readEvents(`${server.url}/api/tasks/${task}/events`, { until: ({ data }) => data.includes("INPUT_REQUIRED") });
  const response = await fetch(`${server.url}/api/tasks/${task}/export?audience=public`);
  assert.equal(response.headers.get("content-disposition"), `attachment; filename="asks-${task}.ndjson"`);
  const [head, ...entries] = (await response.text())
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as StreamEntry & { format: string; task: string });
  assert.deepEqual([head?.format, head?.task], ["ias-stream/1", task]);
  assert.ok(entries.length > 1 && entries.every(({ audience }) => audience === "public"));
  assert.equal((await fetch(`${server.url}/api/tasks/none/export`)).status, 404);
});

test("the document says what an upload is, what follows the end of a stream, who may call, and names each operation", async (t) => {
  const server = await serving(t, [talks]);
  const { body } = await apiClient(server.url).get<{ paths: Record<string, Record<string, Operation>> }>("/api/openapi.json");
  const { paths } = body;
  assert.deepEqual(Object.keys(paths["/api/uploads"]?.["post"]?.requestBody?.content ?? {}), ["multipart/form-data"]);
  assert.deepEqual(Object.keys(paths["/api/tasks/{task}/events"]?.["get"]?.responses ?? {}), ["200", "204", "default"]);
  assert.deepEqual(paths["/api/feed"]?.["get"]?.security?.flatMap(Object.keys), ["bearer", "apiKey", "session", "ticket"]);
  assert.equal(paths["/api/uploads"]?.["post"]?.security, undefined);
  const ids = Object.values(paths).flatMap((methods) => Object.values(methods).map(({ operationId }) => operationId));
  assert.ok(ids.includes("getTasksTaskEvents"));
  assert.equal(new Set(ids).size, ids.length);
  const page = await (await fetch(`${server.url}/api/`)).text();
  assert.match(page, /multipart\/form-data/);
});

test("the document and the page name the role that an endpoint takes, and such an endpoint looks at nothing else of a caller without it", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "ias-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const { key, line } = makeApiKey({ tenant: "t", user: "u" });
  const file = join(folder, "keys");
  writeFileSync(file, `${line}\n`);
  const server = await serving(t, [talks], { campaignsDir: folder, auth: { kind: "api-keys", file } });
  const api = apiClient(server.url, { authorization: `Bearer ${key}` });
  const { paths } = (await api.get<{ paths: Record<string, Record<string, Operation>> }>("/api/openapi.json")).body;
  const { security, description } = paths["/api/campaigns"]?.["get"] ?? {};
  assert.deepEqual(security, [...["bearer", "apiKey", "session", "ticket"].map((scheme) => ({ [scheme]: ["operator"] })), {}]);
  assert.equal(description, "For callers with the role `operator`.");
  assert.match(
    await (await fetch(`${server.url}/api/`)).text(),
    /GET \/api\/campaigns<\/code><\/h3><p>[^<]+<\/p><p class="soft">For callers with the role `operator`\.</,
  );
  // Where callers are known, each adds agents of their own.
  assert.equal(paths["/api/remotes"]?.["post"]?.security, undefined);
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      if (operation.security?.some(({ bearer }) => bearer?.includes("operator")) !== true) continue;
      const { status, body } = await api.call(method.toUpperCase(), `${path.replaceAll(/[{}]/g, "")}?nonsense=1`, method === "post" ? { odd: 1 } : undefined);
      assert.deepEqual([status, (body as ApiError).error.reason], [403, "OPERATOR_ONLY"], `${method} ${path}`);
    }
  }
});

test("a parameter that breaks two rules is told once, and one with an odd name is refused as any that is unknown", async (t) => {
  const server = await serving(t, [talks]);
  const api = apiClient(server.url);
  const { body } = await api.get<ApiError>("/api/tasks?since=9999999999999999");
  assert.equal(body.error.message, "since must be a whole number from 0 to 9007199254740991.");
  assert.equal(body.error.fields?.length, 1);
  assert.equal((await api.get("/api/tasks?__proto__=1")).status, 400);
});
