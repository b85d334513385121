import assert from "node:assert/strict";
import type { Json } from "../../../model/a2a.ts";
import { jsonRpcError } from "../clients/jsonrpc.ts";
import { onEachBinding } from "../conformance-case.ts";
import type { BindingCase, BindingContext } from "../conformance-case.ts";
import { checkError, errors } from "../expect.ts";
import { isObject } from "../../../model/json.ts";
import { at } from "../json.ts";
import { parseShape } from "../shapes.ts";
import type { RawResponse } from "../raw.ts";
import { completedTask, say, waitingTask } from "../talk.ts";

/** What is JSON-RPC's alone (specification 9). */
export const jsonRpcFormatCases: readonly BindingCase[] = [
  jsonRpc(
    "jsonrpc.answer",
    {
      spec: "9.1",
      title: "the answer is a JSON-RPC 2.0 response in application/json with the request's id",
      covers: ["JSONRPC-FMT-001", "JSONRPC-FMT-002", "JSONRPC-SVC-001"],
    },
    async (context) => {
      for (const id of ["a-string", 0, 17]) {
        const response = await post(context, { jsonrpc: "2.0", id, method: "SendMessage", params: say(context, "tck-complete-task") });
        assert.match(response.headers.get("content-type") ?? "", /^application\/json\b/);
        assert.deepEqual([at(response.json, "jsonrpc"), at(response.json, "id")], ["2.0", id]);
        parseShape("SendMessageResponse", at(response.json, "result") ?? null);
      }
    },
  ),
  jsonRpc("jsonrpc.slash", { spec: "8.3.1", title: "the endpoint answers with and without a trailing slash" }, async (context) => {
    for (const slash of ["", "/"]) {
      const response = await post(context, { jsonrpc: "2.0", id: 1, method: "ListTasks", params: {} }, { slash });
      parseShape("ListTasksResponse", at(response.json, "result") ?? null);
    }
  }),
  jsonRpc(
    "jsonrpc.errors",
    {
      spec: "9.5",
      title: "malformed requests get JSON-RPC's own errors, with the id where it could be read",
      covers: ["JSONRPC-ERR-001", "JSONRPC-ERR-002", "CORE-ERR-001", "CORE-ERR-002"],
    },
    async (context) => {
      const params = {};
      await expectCode(context, '{"jsonrpc": "2.0", "method": "ListTasks"', -32700, null);
      await expectCode(context, { jsonrpc: "1.0", id: 1, method: "ListTasks", params }, -32600, 1);
      await expectCode(context, { id: 2, method: "ListTasks", params }, -32600, 2);
      await expectCode(context, { jsonrpc: "2.0", id: 3, params }, -32600, 3);
      await expectCode(context, { jsonrpc: "2.0", id: 4, method: 5, params }, -32600, 4);
      await expectCode(context, { jsonrpc: "2.0", id: { no: "id" }, method: "ListTasks", params }, -32600, null);
      await expectCode(context, "null", -32600, null);
      await expectCode(context, { jsonrpc: "2.0", id: 6, method: "NoSuchMethod", params }, -32601, 6);
      await expectCode(context, { jsonrpc: "2.0", id: 7, method: "SendMessage", params: [1] }, -32602, 7);
      await expectCode(context, { jsonrpc: "2.0", id: 8, method: "SendMessage", params }, -32602, 8);
      await expectCode(context, { jsonrpc: "2.0", id: 9, method: "GetTask", params: { id: 1 } }, -32602, 9);
    },
  ),
  jsonRpc(
    "jsonrpc.error-object",
    { spec: "9.5", title: "an A2A error has code, message and an array with its ErrorInfo, and nothing else", covers: ["JSONRPC-ERR-001", "JSONRPC-ERR-003"] },
    async (context) => {
      const error = at((await post(context, { jsonrpc: "2.0", id: 1, method: "GetTask", params: { id: "no-such-task" } })).json, "error");
      assert.ok(isObject(error));
      assert.deepEqual(Object.keys(error).toSorted(), ["code", "data", "message"]);
      checkError(jsonRpcError(error, 200), errors.taskNotFound);
    },
  ),
  jsonRpc(
    "jsonrpc.media-type",
    { spec: "9.1, 5.4", title: "a body that is not declared as JSON is ContentTypeNotSupported, before it is parsed", covers: ["JSONRPC-SSE-002"] },
    async (context) => {
      for (const body of ["{'not': 'json'}", JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ListTasks", params: {} })]) {
        const response = await post(context, body, { type: "text/plain" });
        const error = at(response.json, "error");
        assert.ok(isObject(error), response.text);
        checkError(jsonRpcError(error, response.status), errors.contentTypeNotSupported);
      }
    },
  ),
  jsonRpc(
    "jsonrpc.proto-names",
    { spec: "5.5", title: "parameters may carry their proto names, as ProtoJSON parsers accept", covers: ["CORE-LIST-002", "CORE-HIST-001"] },
    async (context) => {
      const { id, contextId = "" } = await waitingTask(context);
      await waitingTask(context, { taskId: id });
      const list = await post(context, {
        jsonrpc: "2.0",
        id: 1,
        method: "ListTasks",
        params: { context_id: contextId, page_size: 7, include_artifacts: false },
      });
      const page = parseShape("ListTasksResponse", at(list.json, "result") ?? null);
      assert.deepEqual([page.tasks.map((task) => task.id), page.pageSize], [[id], 7]);
      const got = await post(context, { jsonrpc: "2.0", id: 1, method: "GetTask", params: { id, history_length: 1 } });
      assert.equal(parseShape("Task", at(got.json, "result") ?? null).history?.length, 1);
    },
  ),
  jsonRpc("jsonrpc.unknown-fields", { level: "SHOULD", spec: "5.7", title: "unknown members are ignored", covers: ["DM-SERIAL-005"] }, async (context) => {
    const params = say(context, "tck-complete-task");
    const message = isObject(params["message"]) ? params["message"] : {};
    const response = await post(context, {
      jsonrpc: "2.0",
      id: 1,
      method: "SendMessage",
      params: { message: { ...message, notAField: { a: 1 } }, another: 42 },
    });
    parseShape("SendMessageResponse", at(response.json, "result") ?? null);
  }),
  jsonRpc("jsonrpc.version-parameter", { spec: "3.6.1", title: "the version may be given as a request parameter" }, async (context) => {
    const { id } = await completedTask(context);
    const response = await post(context, { jsonrpc: "2.0", id: 1, method: "GetTask", params: { id } }, { slash: "?A2A-Version=1.0", version: null });
    assert.equal(parseShape("Task", at(response.json, "result") ?? null).id, id);
  }),
];

type Facts = Omit<Parameters<typeof onEachBinding>[1], "level" | "bindings"> & { readonly level?: "MUST" | "SHOULD" };

function jsonRpc(id: string, facts: Facts, run: BindingCase["run"]): BindingCase {
  return onEachBinding(id, { level: "MUST", ...facts, bindings: ["jsonrpc"] }, run);
}

interface PostOptions {
  readonly type?: string;
  readonly slash?: string;
  readonly version?: string | null;
}

async function post({ raw }: BindingContext, body: Json, { type = "application/json", slash = "", version = "1.0" }: PostOptions = {}): Promise<RawResponse> {
  const headers = { "content-type": type, ...(version === null ? {} : { "a2a-version": version }) };
  return raw.request("POST", `${raw.jsonRpcUrl ?? ""}${slash}`, { headers, body: typeof body === "string" ? body : JSON.stringify(body) });
}

async function expectCode(context: BindingContext, body: Json, code: number, id: Json): Promise<void> {
  const { json, text } = await post(context, body);
  const said = `${JSON.stringify(body)} → ${text.slice(0, 300)}`;
  assert.equal(at(json, "error", "code"), code, said);
  assert.equal(at(json, "jsonrpc"), "2.0", said);
  assert.equal(at(json, "id"), id, said);
  assert.ok(at(json, "error", "message"), said);
}
