import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { IasError } from "../model/errors.ts";
import { RPC_CODES, toGrpcError, toJsonRpcError, toRestError, WIRE_ERRORS } from "./errors.ts";

const A2A_ERRORS = [
  ["task-not-found", -32001, 404, "NOT_FOUND", "TASK_NOT_FOUND"],
  ["task-not-cancelable", -32002, 400, "FAILED_PRECONDITION", "TASK_NOT_CANCELABLE"],
  ["push-not-supported", -32003, 400, "FAILED_PRECONDITION", "PUSH_NOTIFICATION_NOT_SUPPORTED"],
  ["unsupported-operation", -32004, 400, "FAILED_PRECONDITION", "UNSUPPORTED_OPERATION"],
  ["content-type-not-supported", -32005, 400, "INVALID_ARGUMENT", "CONTENT_TYPE_NOT_SUPPORTED"],
  ["invalid-agent-response", -32006, 500, "INTERNAL", "INVALID_AGENT_RESPONSE"],
  ["extended-card-not-configured", -32007, 400, "FAILED_PRECONDITION", "EXTENDED_AGENT_CARD_NOT_CONFIGURED"],
  ["extension-required", -32008, 400, "FAILED_PRECONDITION", "EXTENSION_SUPPORT_REQUIRED"],
  ["version-not-supported", -32009, 400, "FAILED_PRECONDITION", "VERSION_NOT_SUPPORTED"],
] as const;

describe("wire errors", () => {
  it("says A2A's nine errors as specification 1.0.1 does, on each binding", () => {
    for (const [code, jsonRpc, http, status, reason] of A2A_ERRORS) {
      const error = new IasError(code, "No.", { details: { taskId: "t" } });
      const info = { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason, domain: "a2a-protocol.org", metadata: { taskId: "t" } };
      assert.deepEqual(toJsonRpcError(error), { code: jsonRpc, message: "No.", data: [info] });
      assert.deepEqual(toRestError(error), { status: http, headers: {}, body: { error: { code: http, status, message: "No.", details: [info] } } });
      assert.deepEqual(toGrpcError(error), { code: RPC_CODES[status], message: "No.", details: [info] });
    }
  });

  it("keeps A2A's reason and gives the finer one as metadata", () => {
    const error = new IasError("unsupported-operation", "Busy.", { reason: "TASK_BUSY", retryable: true, retryAfterMs: 1500 });
    assert.deepEqual(toJsonRpcError(error).data, [
      {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        reason: "UNSUPPORTED_OPERATION",
        domain: "a2a-protocol.org",
        metadata: { reason: "TASK_BUSY", retryable: "true" },
      },
      { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "1.5s" },
    ]);
    assert.equal(toRestError(error).headers["retry-after"], "2");
  });

  it("names the fields of invalid parameters", () => {
    const error = new IasError("invalid-params", "Bad.", { fields: [{ field: "message.parts", description: "must not be empty" }] });
    assert.deepEqual(toJsonRpcError(error), {
      code: -32602,
      message: "Bad.",
      data: [{ "@type": "type.googleapis.com/google.rpc.BadRequest", fieldViolations: [{ field: "message.parts", description: "must not be empty" }] }],
    });
  });

  it("leaves data out where there is nothing to say", () => {
    assert.deepEqual(toJsonRpcError(new IasError("parse-error", "Invalid JSON payload.")), { code: -32700, message: "Invalid JSON payload." });
  });

  it("says limits and access with HTTP's own statuses", () => {
    assert.equal(toRestError(new IasError("limit-reached", "Slow down.", { retryAfterMs: 200 })).headers["retry-after"], "1");
    assert.equal(toRestError(new IasError("limit-reached", "Slow down.")).status, 429);
    assert.equal(toRestError(new IasError("unauthenticated", "Who?")).headers["www-authenticate"], "Bearer");
    const refused = new IasError("unauthenticated", "No.", { reason: "CREDENTIALS_INVALID" });
    assert.equal(toRestError(refused).headers["www-authenticate"], 'Bearer error="invalid_token"');
    assert.equal(toRestError(new IasError("method-not-found", "GET."), { status: 405, headers: { allow: "GET" } }).body.error.code, 405);
    assert.equal(toGrpcError(new IasError("method-not-found", "None.")).code, RPC_CODES.UNIMPLEMENTED);
  });

  it("does not let foreign messages, causes or stacks out", () => {
    const secret = "password=hunter2 at /srv/app.js";
    const leaks: unknown[] = [
      new Error(secret),
      secret,
      new IasError("engine-failed", secret, { cause: new Error(secret) }),
      IasError.from(new Error(secret), "timeout"),
    ];
    for (const thrown of leaks)
      for (const wire of [toJsonRpcError(thrown), toRestError(thrown), toGrpcError(thrown)])
        assert.ok(!JSON.stringify(wire).includes("hunter2"), JSON.stringify(wire));
    assert.equal(
      toJsonRpcError(new IasError("remote-failed", "The remote agent ended early.", { cause: new Error(secret) })).message,
      "The remote agent ended early.",
    );
  });

  it("keeps A2A's codes for A2A", () => {
    for (const [code, wire] of Object.entries(WIRE_ERRORS))
      if (wire.by === "own") assert.ok(!(wire.jsonRpc <= -32001 && wire.jsonRpc >= -32049), `${code} takes a code that A2A may give out`);
  });

  it("are as docs/reference/errors.md has them", () => {
    const text = readFileSync(new URL("../../../docs/reference/errors.md", import.meta.url), "utf8");
    const documented = text.split("\n").filter((line) => line.startsWith("| `"));
    const table = Object.entries(WIRE_ERRORS).map(
      ([code, { jsonRpc, http, status, reason }]) => `| \`${code}\` | ${jsonRpc} | ${http} | ${status} (${RPC_CODES[status]}) | ${reason ?? "–"} |`,
    );
    assert.deepEqual(documented, table);
  });
});
