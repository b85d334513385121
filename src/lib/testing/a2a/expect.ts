import assert from "node:assert/strict";
import type { Json } from "../../model/a2a.ts";
import { isObject } from "../../model/json.ts";
import { at } from "./json.ts";
import type { Reply, StreamReply, WireError } from "./wire-client.ts";

/** How one error looks on each binding (specification 5.4). */
export interface ErrorBinding {
  readonly name: string;
  readonly jsonRpc: number;
  readonly http: number;
  readonly status: string;
  readonly grpc: number;
  /** `google.rpc.ErrorInfo.reason`; absent for errors that are not A2A's own. */
  readonly reason?: string;
}

const ours = (name: string, jsonRpc: number, http: number, status: string, grpc: number): ErrorBinding => ({
  name,
  jsonRpc,
  http,
  status,
  grpc,
  reason: name
    .replace(/Error$/, "")
    .replace(/(?<=.)[A-Z]/g, "_$&")
    .toUpperCase(),
});

/** The table of 5.4, and invalid parameters (9.5). */
export const errors = {
  taskNotFound: ours("TaskNotFoundError", -32001, 404, "NOT_FOUND", 5),
  taskNotCancelable: ours("TaskNotCancelableError", -32002, 400, "FAILED_PRECONDITION", 9),
  pushNotSupported: ours("PushNotificationNotSupportedError", -32003, 400, "FAILED_PRECONDITION", 9),
  unsupportedOperation: ours("UnsupportedOperationError", -32004, 400, "FAILED_PRECONDITION", 9),
  contentTypeNotSupported: ours("ContentTypeNotSupportedError", -32005, 400, "INVALID_ARGUMENT", 3),
  extendedCardNotConfigured: ours("ExtendedAgentCardNotConfiguredError", -32007, 400, "FAILED_PRECONDITION", 9),
  extensionSupportRequired: ours("ExtensionSupportRequiredError", -32008, 400, "FAILED_PRECONDITION", 9),
  versionNotSupported: ours("VersionNotSupportedError", -32009, 400, "FAILED_PRECONDITION", 9),
  invalidParams: { name: "InvalidParamsError", jsonRpc: -32602, http: 400, status: "INVALID_ARGUMENT", grpc: 3 },
} as const satisfies Record<string, ErrorBinding>;

/** The value of a reply that must have succeeded. */
export function succeed(reply: Reply): Json {
  if (reply.ok) return reply.value;
  return assert.fail(`expected success, got ${reply.error.received}`);
}

/** The error of a reply or an attempt to open a stream, which must be `expected`, complete on its binding. */
export function refuse(reply: Reply | StreamReply, expected: ErrorBinding): WireError {
  if (reply.ok)
    return assert.fail(`expected ${expected.name}, but it succeeded${"value" in reply ? `: ${JSON.stringify(reply.value)}` : " and opened a stream"}`);
  checkError(reply.error, expected);
  return reply.error;
}

/** The error of a reply that must have failed, whatever the reason. */
export function refuseSomehow(reply: Reply | StreamReply): WireError {
  if (reply.ok) return assert.fail(`expected an error, but it succeeded${"value" in reply ? `: ${JSON.stringify(reply.value)}` : ""}`);
  assert.notEqual(reply.error.message, "", `an error has a message: ${reply.error.received}`);
  return reply.error;
}

/** Checks that `error` carries `expected`: code, HTTP status, status name, message and ErrorInfo. */
export function checkError(error: WireError, expected: ErrorBinding): void {
  const said = `expected ${expected.name}, got ${error.received}`;
  assert.notEqual(error.message, "", `an error has a message: ${error.received}`);
  if (error.binding === "jsonrpc" || error.binding === "websocket") assert.equal(error.code, expected.jsonRpc, said);
  if (error.binding === "grpc") assert.equal(error.code, expected.grpc, said);
  if (error.binding === "rest") {
    assert.equal(error.http, expected.http, said);
    assert.equal(error.code, expected.http, `error.code is the HTTP status: ${error.received}`);
    assert.equal(error.status, expected.status, `error.status: ${error.received}`);
  }
  for (const detail of error.details ?? []) assert.equal(typeof at(detail, "@type"), "string", `every detail has an @type: ${error.received}`);
  if (expected.reason === undefined) return;
  const info = error.details?.find((detail) => at(detail, "@type") === "type.googleapis.com/google.rpc.ErrorInfo");
  assert.ok(isObject(info), `an A2A error carries a google.rpc.ErrorInfo: ${error.received}`);
  assert.equal(info["reason"], expected.reason, error.received);
  assert.equal(info["domain"], "a2a-protocol.org", error.received);
}
