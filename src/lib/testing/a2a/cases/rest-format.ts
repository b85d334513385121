import assert from "node:assert/strict";
import type { Json } from "../../../model/a2a.ts";
import { sseData } from "../clients/sse.ts";
import { restError } from "../clients/rest.ts";
import { onEachBinding, streams } from "../conformance-case.ts";
import type { BindingCase, BindingContext } from "../conformance-case.ts";
import { checkError, errors } from "../expect.ts";
import { isObject } from "../../../model/json.ts";
import { at } from "../json.ts";
import type { RawResponse } from "../raw.ts";
import { parseShape } from "../shapes.ts";
import { completedTask, say, waitingTask } from "../talk.ts";

const A2A_JSON = /^application\/a2a\+json\b/;

/** What is REST's alone (specification 11). */
export const restFormatCases: readonly BindingCase[] = [
  rest(
    "rest.content-type",
    { level: "SHOULD", spec: "11.1", title: "answers and errors are application/a2a+json", covers: ["HTTP_JSON-SVC-001", "HTTP_JSON-ERR-001"] },
    async (context) => {
      const sent = await post(context, "/message:send", say(context, "tck-complete-task"));
      assert.ok(sent.status >= 200 && sent.status < 300, sent.text);
      assert.match(sent.headers.get("content-type") ?? "", A2A_JSON);
      parseShape("SendMessageResponse", sent.json);
      assert.match((await get(context, "/tasks/no-such-task")).headers.get("content-type") ?? "", A2A_JSON);
    },
  ),
  rest(
    "rest.accepts-json",
    { level: "SHOULD", spec: "11.1", title: "a body of application/json is taken as well", covers: ["HTTP_JSON-SVC-001"] },
    async (context) => {
      for (const type of ["application/json", "application/json; charset=utf-8", "application/a2a+json"]) {
        parseShape("SendMessageResponse", (await post(context, "/message:send", say(context, "tck-complete-task"), type)).json);
      }
    },
  ),
  rest(
    "rest.media-type",
    { spec: "5.4", title: "a body that is not declared as JSON is ContentTypeNotSupported", covers: ["HTTP_JSON-STATUS-001"] },
    async (context) => {
      const response = await post(context, "/message:send", say(context, "tck-complete-task"), "text/plain");
      checkError(restError(response.status, response.text), errors.contentTypeNotSupported);
    },
  ),
  rest("rest.malformed", { spec: "3.3.2", title: "a body that is not JSON, or not an object, is invalid", covers: ["CORE-ERR-002"] }, async (context) => {
    for (const body of ['{"message": {', "[]", '"text"', ""]) {
      const response = await post(context, "/message:send", body);
      checkError(restError(response.status, response.text), errors.invalidParams);
    }
  }),
  rest(
    "rest.error",
    {
      spec: "11.6",
      title: "an error is a google.rpc.Status whose code is the HTTP status",
      covers: ["HTTP_JSON-ERR-001", "HTTP_JSON-ERR-002", "CORE-ERR-001"],
    },
    async (context) => {
      const response = await get(context, "/tasks/no-such-task");
      checkError(restError(response.status, response.text), errors.taskNotFound);
      assert.deepEqual(Object.keys(isObject(response.json) ? response.json : {}), ["error"]);
    },
  ),
  rest(
    "rest.unknown-path",
    {
      spec: "11.3",
      title: "a path that is none is 404, a method that is none 404 or 405, as errors in JSON",
      covers: ["HTTP_JSON-URL-001", "HTTP_JSON-URL-002"],
    },
    async (context) => {
      for (const [method, path, statuses] of [
        ["GET", "/no/such/path/here", [404]],
        ["POST", "/message:shout", [404]],
        ["PUT", "/tasks/no-such-task", [404, 405]],
      ] as const) {
        const response = await request(context, method, path, method === "GET" ? undefined : "{}");
        assert.ok((statuses as readonly number[]).includes(response.status), `${method} ${path}: ${response.status}`);
        assert.equal(at(response.json, "error", "code"), response.status, response.text);
      }
    },
  ),
  rest(
    "rest.query",
    { spec: "11.5", title: "query parameters are camelCase: numbers, booleans, enums and times as text", covers: ["HTTP_JSON-QP-001"] },
    async (context) => {
      const { id, contextId = "" } = await waitingTask(context);
      const query = `contextId=${contextId}&pageSize=5&includeArtifacts=true&historyLength=0&status=TASK_STATE_INPUT_REQUIRED&statusTimestampAfter=2000-01-01T00%3A00%3A00Z`;
      const page = parseShape("ListTasksResponse", (await get(context, `/tasks?${query}`)).json);
      assert.deepEqual([page.tasks.map((task) => task.id), page.pageSize], [[id], 5]);
      for (const wrong of ["pageSize=many", "includeArtifacts=maybe", "statusTimestampAfter=yesterday", "historyLength=1.5"]) {
        const response = await get(context, `/tasks?${wrong}`);
        checkError(restError(response.status, response.text), errors.invalidParams);
      }
    },
  ),
  rest("rest.empty-body", { spec: "11.3.2", title: "cancelling needs no body, whatever the content type says" }, async (context) => {
    for (const type of ["application/json", undefined]) {
      const { id } = await waitingTask(context);
      const response = await request(context, "POST", `/tasks/${id}:cancel`, undefined, type);
      assert.equal(parseShape("Task", response.json).status.state, "TASK_STATE_CANCELED");
    }
  }),
  rest(
    "rest.subscribe-methods",
    { spec: "5.3, proto", title: "subscribing works by POST, as the text has it, and by GET, as the proto has it", when: streams },
    async (context) => {
      const { raw, capabilities } = context;
      for (const method of ["GET", "POST"]) {
        const { id } = await waitingTask(context);
        const abort = new AbortController();
        const headers = { "a2a-version": "1.0", "a2a-extensions": capabilities.requiredExtensions.join(",") };
        const response = await fetch(`${raw.restUrl ?? ""}/tasks/${id}:subscribe`, { method, headers, signal: abort.signal });
        assert.equal(response.status, 200, method);
        assert.ok(response.body);
        const first: IteratorResult<Json, void> = await sseData(response.body).next();
        abort.abort();
        assert.equal(at(first.value ?? null, "task", "id"), id, method);
      }
    },
  ),
  rest("rest.unknown-fields", { level: "SHOULD", spec: "5.7", title: "unknown members are ignored", covers: ["DM-SERIAL-005"] }, async (context) => {
    const body = say(context, "tck-complete-task");
    const message = isObject(body["message"]) ? body["message"] : {};
    parseShape("SendMessageResponse", (await post(context, "/message:send", { message: { ...message, notAField: "x" }, another: 42 })).json);
  }),
  rest("rest.version-parameter", { spec: "3.6.1", title: "the version may be given as a request parameter" }, async (context) => {
    const { id } = await completedTask(context);
    const { raw } = context;
    const response = await raw.request("GET", `${raw.restUrl ?? ""}/tasks/${id}?A2A-Version=1.0`);
    assert.equal(parseShape("Task", response.json).id, id);
  }),
];

type Facts = Omit<Parameters<typeof onEachBinding>[1], "level" | "bindings"> & { readonly level?: "MUST" | "SHOULD" };

function rest(id: string, facts: Facts, run: BindingCase["run"]): BindingCase {
  return onEachBinding(id, { level: "MUST", ...facts, bindings: ["rest"] }, run);
}

function request({ raw }: BindingContext, method: string, path: string, body?: string, type?: string): Promise<RawResponse> {
  const headers = {
    "a2a-version": "1.0",
    ...(type === undefined ? (body === undefined ? {} : { "content-type": "application/a2a+json" }) : { "content-type": type }),
  };
  return raw.request(method, `${raw.restUrl ?? ""}${path}`, { headers, ...(body === undefined ? {} : { body }) });
}

function get(context: BindingContext, path: string): Promise<RawResponse> {
  return request(context, "GET", path);
}

function post(context: BindingContext, path: string, body: Json, type?: string): Promise<RawResponse> {
  return request(context, "POST", path, typeof body === "string" ? body : JSON.stringify(body), type);
}
