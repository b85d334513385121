import { once } from "node:events";
import { Metadata, type sendUnaryData, type ServerUnaryCall, type ServerWritableStream } from "@grpc/grpc-js";
import type { Agent } from "../../engine/agent.ts";
import { IasError } from "../../model/errors.ts";
import type { Principal } from "../../model/key.ts";
import type { Limits } from "../../model/limits.ts";
import { MAX_TIMER_MS } from "../../stream/clock.ts";
import { activatedExtensions, type BindingRequest } from "../binding.ts";
import type { Call, FrameStream, Operations } from "../operations.ts";
import { CODECS } from "./codec.ts";
import type { FrameEncoder } from "./frames.ts";
import { checkVersion, chooseAgent, metadataHeader, toGrpcCall } from "./request.ts";
import { toServiceError } from "./status.ts";

/** What the service needs of its server. */
export interface ServiceParts {
  readonly operations: Operations;
  readonly agents: ReadonlyMap<string, Agent>;
  /** The agent of calls whose tenant names none. */
  readonly defaultAgent: string;
  readonly limits: Pick<Limits, "maxJsonDepth" | "maxJsonValues" | "maxStreamMs">;
  readonly encodeFrame: FrameEncoder;
  /** Finds the caller by metadata (`authorization`, `x-api-key`). Throws `unauthenticated`. */
  readonly authenticate: (request: Pick<BindingRequest, "header">) => Promise<Principal>;
  /** Refuses foreign hosts and origins (SEMANTICS 23): throws `forbidden`. */
  readonly checkRequest?: (headers: { readonly host?: string; readonly origin?: string }) => void;
  readonly report: (error: IasError) => void;
}

/** Calls in progress: each has a controller whose abort ends it; an `IasError` as reason is what the caller is told. */
export type ActiveCalls = Set<AbortController>;

type Unary = ServerUnaryCall<Buffer, Buffer>;
type Writable = ServerWritableStream<Buffer, Buffer>;

/** Answers one unary method. */
export async function answer(parts: ServiceParts, active: ActiveCalls, name: keyof Operations, grpc: Unary, callback: sendUnaryData<Buffer>): Promise<void> {
  const controller = enter(active);
  grpc.on("cancelled", () => controller.abort());
  try {
    const { call, params } = await open(parts, name, grpc, controller.signal);
    const result = await parts.operations[name](call, params);
    // What waited for the end of a turn and was let go by a drain is not an answer.
    throwReason(controller.signal);
    sendExtensions(grpc, call);
    callback(null, CODECS[name].encode(result ?? {}));
  } catch (error) {
    callback(tell(parts, error, controller.signal));
  } finally {
    active.delete(controller);
  }
}

/**
 * Answers one streaming method. A `write` that returns false is waited for, so a slow reader costs what grpc-js buffers (16 messages) and no more.
 * Ends with UNAVAILABLE when the server drains or the stream is older than `maxStreamMs`: the client comes back with its cursor.
 */
export async function stream(parts: ServiceParts, active: ActiveCalls, name: "sendStreamingMessage" | "subscribeToTask", grpc: Writable): Promise<void> {
  const controller = enter(active);
  grpc.on("cancelled", () => controller.abort());
  const age = setTimeout(() => controller.abort(tooOld()), Math.min(parts.limits.maxStreamMs * (0.9 + Math.random() * 0.2), MAX_TIMER_MS));
  age.unref();
  try {
    const { call, params } = await open(parts, name, grpc, controller.signal);
    const { frames } = await parts.operations[name](call, params);
    sendExtensions(grpc, call);
    await writeFrames(parts, frames, grpc, controller.signal);
    throwReason(controller.signal);
    grpc.end();
  } catch (error) {
    grpc.emit("error", tell(parts, error, controller.signal));
  } finally {
    clearTimeout(age);
    active.delete(controller);
  }
}

async function writeFrames(parts: ServiceParts, frames: FrameStream["frames"], grpc: Writable, signal: AbortSignal): Promise<void> {
  for await (const batch of frames)
    for (const frame of batch) {
      if (signal.aborted) return;
      if (!grpc.write(parts.encodeFrame(frame))) await drained(grpc, signal);
    }
}

async function drained(grpc: Writable, signal: AbortSignal): Promise<void> {
  try {
    await once(grpc, "drain", { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function enter(active: ActiveCalls): AbortController {
  const controller = new AbortController();
  active.add(controller);
  return controller;
}

/** The order of checks is that of the other bindings: host, version, caller, message. */
async function open(parts: ServiceParts, name: keyof Operations, grpc: Unary | Writable, signal: AbortSignal): Promise<{ call: Call; params: unknown }> {
  const header = metadataHeader(grpc.metadata);
  const origin = header("origin");
  parts.checkRequest?.({ host: grpc.getHost(), ...(origin !== undefined && { origin }) });
  checkVersion(header);
  const principal = await parts.authenticate({ header });
  const params = CODECS[name].decode(grpc.request, parts.limits) as { readonly tenant?: string };
  const chosen = chooseAgent(parts.agents, parts.defaultAgent, params.tenant ?? "");
  return { call: toGrpcCall(header, { principal, agent: chosen.agent, signal }, chosen.tenant), params: { ...params, tenant: chosen.tenant } };
}

/** Says which extensions are active (specification 4.6.2), and so opens the stream at the client before the first event. */
function sendExtensions(grpc: Unary | Writable, call: Call): void {
  const metadata = new Metadata();
  const active = activatedExtensions(call);
  if (active.length > 0) metadata.set("a2a-extensions", active.join(", "));
  grpc.sendMetadata(metadata);
}

function tell(parts: ServiceParts, thrown: unknown, signal: AbortSignal): ReturnType<typeof toServiceError> {
  const error = signal.reason instanceof IasError ? signal.reason : IasError.from(thrown);
  if (error.code === "internal") parts.report(error);
  return toServiceError(error);
}

function throwReason(signal: AbortSignal): void {
  if (signal.aborted && signal.reason instanceof IasError) throw signal.reason;
}

function tooOld(): IasError {
  return new IasError("unavailable", "The stream has reached its largest age (maxStreamMs); subscribe again with the last cursor.", {
    reason: "STREAM_TOO_OLD",
    retryable: true,
    retryAfterMs: 0,
  });
}
