import { z } from "zod";
import { IasError } from "../model/errors.ts";

/** The id of a request: a text or a number, as JSON-RPC has it; null could not be told from another null. */
export type RpcId = string | number;

/** A request of an operation, as far as the connection has to know it. */
export interface SocketCall {
  readonly kind: "call";
  readonly id: RpcId;
  /** Service parameters by lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
  /** Bytes that a stream may send before more is granted; absent: it is held by the socket alone. */
  readonly credit?: number;
}

/** What a message of a client is. */
export type SocketMessage =
  | SocketCall
  | { readonly kind: "credit"; readonly id: RpcId; readonly bytes: number }
  | { readonly kind: "stop"; readonly id: RpcId }
  | { readonly kind: "ping"; readonly id: RpcId }
  /** A notification of a later version: ignored. */
  | { readonly kind: "unknown" }
  /** A notification that cannot be answered and is wrong. */
  | { readonly kind: "broken"; readonly why: string };

const idSchema = z.union([z.string(), z.number()]);
const creditSchema = z.object({ id: idSchema, bytes: z.int().min(0) });
const stopSchema = z.object({ id: idSchema });
const callSchema = z.object({
  id: idSchema,
  headers: z.record(z.string(), z.string()).optional(),
  credit: z.int().min(0).optional(),
});

/** Sorts a message. Throws `invalid-request` for what is to be answered with an error: no request, or one without a usable id. */
export function readSocketMessage(value: unknown): SocketMessage {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw notARequest();
  if ("method" in value && typeof value.method === "string" && value.method.startsWith("$/")) return readControl(value.method, value);
  const call = callSchema.safeParse(value);
  if (!call.success) {
    const field = call.error.issues[0]?.path[0];
    if (field === "headers") throw new IasError("invalid-request", "headers must be an object of texts: service parameters such as A2A-Extensions.");
    if (field === "credit") throw new IasError("invalid-request", "credit must be a whole number of bytes.");
    throw notARequest();
  }
  const { id, headers = {}, credit } = call.data;
  return {
    kind: "call",
    id,
    headers: new Map(Object.entries(headers).map(([name, text]) => [name.toLowerCase(), text])),
    ...(credit !== undefined && { credit }),
  };
}

function readControl(method: string, value: object): SocketMessage {
  const params = "params" in value ? value.params : undefined;
  if (method === "$/credit") {
    const credit = creditSchema.safeParse(params);
    return credit.success ? { kind: "credit", ...credit.data } : { kind: "broken", why: "$/credit needs params { id, bytes }, bytes a whole number." };
  }
  if (method === "$/stop") {
    const stop = stopSchema.safeParse(params);
    return stop.success ? { kind: "stop", ...stop.data } : { kind: "broken", why: "$/stop needs params { id }." };
  }
  const id = idSchema.safeParse("id" in value ? value.id : undefined);
  if (method === "$/ping") return id.success ? { kind: "ping", id: id.data } : { kind: "broken", why: "$/ping needs an id." };
  return { kind: "unknown" };
}

function notARequest(): IasError {
  return new IasError(
    "invalid-request",
    'Not a JSON-RPC 2.0 request: it needs { "jsonrpc": "2.0", "id": a text or a number, "method": "SendMessage", "params": { … } }.',
  );
}
