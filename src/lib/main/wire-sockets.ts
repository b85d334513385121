import { handleJsonRpc, type VersionedRpc } from "../a2a/jsonrpc/handler.ts";
import { withTransport } from "../a2a/reader-limit.ts";
import type { Api } from "../api/api.ts";
import { IasError } from "../model/errors.ts";
import { createA2ASocket } from "../socket/a2a-socket.ts";
import { createApiSocket } from "../socket/api-socket.ts";
import { MESSAGE_SIZE } from "../socket/outbox.ts";
import type { SocketRoute, Sockets } from "../socket/socket.ts";
import { createSockets } from "../socket/sockets.ts";
import type { HeartbeatWheel } from "../stream/heartbeat.ts";
import type { Core } from "./core.ts";

/** What WebSockets are wired from. */
export interface SocketWiring {
  readonly core: Core;
  readonly api: Api;
  /** Throws `limit-reached` for a caller, or an address, that asks too often. */
  readonly admit: NonNullable<Parameters<typeof createApiSocket>[0]["admit"]>;
  readonly logId: string;
  /** Beside the server's own. */
  readonly socketRoutes: readonly SocketRoute[];
  readonly wheel: HeartbeatWheel;
  readonly report: (error: IasError) => void;
}

/** `/api/ws`, and A2A over WebSocket at `/a2a/{agent}/ws`. */
export function wireSockets({ core, api, admit, logId, socketRoutes, wheel, report }: SocketWiring): Sockets {
  const { limits, agents, operations } = core;
  const a2a = createA2ASocket({
    operations: withTransport(operations, "a2a-websocket", { maxBatchBytes: MESSAGE_SIZE }),
    agents,
    binding: (ops, request) => handleJsonRpc(ops, request, { limits, v0_3: NO_V03 }),
    logId,
    limits,
    report,
  });
  return createSockets({ routes: [createApiSocket({ api, admit, logId, limits, report }), a2a, ...socketRoutes], limits, wheel, report });
}

/** A2A over WebSocket is a binding of 1.0. */
const NO_V03: VersionedRpc = {
  methods: [],
  answer: async () => {
    throw new IasError("version-not-supported", "A2A 0.3 is not spoken over WebSocket: send A2A-Version: 1.0, or none.", { details: { supported: "1.0" } });
  },
};
