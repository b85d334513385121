import assert from "node:assert/strict";
import type { Json, JsonObject } from "../../../model/a2a.ts";
import { isObject } from "../../../model/json.ts";
import { at } from "../json.ts";
import { fetchWithin, isEventStream, parseLeniently } from "./http-stream.ts";
import { sseData } from "./sse.ts";

/** How long one answer of a 0.3 endpoint may take, in ms. */
const TIMEOUT_MS = 20_000;

/** What a 0.3 request gave. */
export interface V03Reply {
  readonly http: number;
  readonly body: Json;
}

/** POSTs a JSON-RPC body (JSON, or text as it is) to a 0.3 endpoint: no version header. */
export async function postV03(url: string, body: Json): Promise<V03Reply> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const { response } = await fetchWithin(url, { method: "POST", headers: { "content-type": "application/json" }, body: text }, TIMEOUT_MS);
  return { http: response.status, body: parseLeniently(await response.text()) };
}

/** Calls a 0.3 method and returns its result, which must be one. */
export async function resultV03(url: string, method: string, params: JsonObject): Promise<Json> {
  const { http, body } = await postV03(url, { jsonrpc: "2.0", id: "call", method, params });
  const said = `${method}: HTTP ${http} ${JSON.stringify(body)}`;
  assert.equal(http, 200, said);
  assert.deepEqual([at(body, "jsonrpc"), at(body, "id")], ["2.0", "call"], said);
  assert.ok(isObject(body) && "result" in body, said);
  return body["result"] ?? null;
}

/** Calls a 0.3 method, which must fail with `code`; errors come with HTTP 200. */
export async function errorV03(url: string, method: string, params: Json, code: number): Promise<void> {
  const { http, body } = await postV03(url, { jsonrpc: "2.0", id: "call", method, params });
  const said = `${method} ${JSON.stringify(params)}: HTTP ${http} ${JSON.stringify(body)}`;
  assert.deepEqual([http, at(body, "error", "code"), at(body, "id")], [200, code, "call"], said);
  assert.notEqual(at(body, "error", "message") ?? "", "", said);
}

/** A REST request of 0.3. */
export async function restV03(method: string, url: string, body?: JsonObject): Promise<V03Reply> {
  const init = {
    method,
    headers: { "content-type": "application/json", accept: "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  };
  const { response } = await fetchWithin(url, init, TIMEOUT_MS);
  return { http: response.status, body: parseLeniently(await response.text()) };
}

/** Opens an event stream of 0.3 and hands each event's JSON to `each` until it returns true or the stream ends. */
export async function streamV03(url: string, body: JsonObject | undefined, each: (event: Json) => boolean | Promise<boolean>): Promise<void> {
  const init = {
    method: "POST",
    headers: { "content-type": "application/json", accept: "text/event-stream" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  };
  const { response, abort } = await fetchWithin(url, init, TIMEOUT_MS);
  try {
    assert.ok(isEventStream(response) && response.body !== null, `an event stream, not HTTP ${response.status} ${response.headers.get("content-type")}`);
    for await (const event of sseData(response.body)) if (await each(event)) return;
  } finally {
    abort.abort();
  }
}
