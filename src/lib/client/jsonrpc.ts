import type { Json, JsonObject } from "../model/a2a.ts";
import { IasError } from "../model/errors.ts";
import { callHttp, type HttpWireOptions, streamHttp } from "./http.ts";
import { asObject } from "./json.ts";
import { legacyMethod, toLegacyParams } from "./legacy.ts";
import { fromRpcError } from "./remote-error.ts";
import type { Operation, Wire } from "./wire.ts";

/** The JSON-RPC binding (specification 9; 0.3: 3.2.1), streams as server-sent events. */
export function createJsonRpcWire(options: HttpWireOptions): Wire {
  let lastId = 0;

  function toRequest(operation: Operation, params: JsonObject): { readonly method: "POST"; readonly url: string; readonly body: string } {
    lastId += 1;
    const isLegacy = options.version === "0.3";
    const method = isLegacy ? legacyMethod(operation) : operation;
    const tenant = options.tenant === undefined ? {} : { tenant: options.tenant };
    const body = { jsonrpc: "2.0", id: lastId, method, params: isLegacy ? toLegacyParams(operation, params) : { ...tenant, ...params } };
    return { method: "POST", url: options.url, body: JSON.stringify(body) };
  }

  return {
    version: options.version,
    async call(operation, params, callOptions) {
      return toResult(await callHttp(options, toRequest(operation, params), callOptions));
    },
    async *stream(operation, params, streamOptions) {
      for await (const frame of streamHttp(options, toRequest(operation, params), streamOptions)) {
        yield { ...frame, payload: frame.failed === true ? toFailure(frame.payload) : toResult(frame.payload) };
      }
    },
    async [Symbol.asyncDispose]() {
      // The connections are the fetch's.
    },
  };
}

function toResult(envelope: Json): Json {
  const object = asObject(envelope);
  if (object === undefined) throw new IasError("invalid-agent-response", "The agent's answer is not a JSON-RPC response.");
  if (object["error"] !== undefined && object["error"] !== null) throw fromRpcError(object["error"]);
  return object["result"] ?? null;
}

/** The data of an `error` event: a JSON-RPC response, or an error object as such. */
function toFailure(payload: Json): never {
  throw fromRpcError(asObject(payload)?.["error"] ?? payload);
}
