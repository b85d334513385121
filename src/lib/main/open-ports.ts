import { createServer } from "node:http";
import { type GrpcServer, startGrpc } from "../a2a/grpc/serve.ts";
import type { Gateway } from "../gateway/gateway.ts";
import { isWebSocketUpgrade } from "../gateway/upgrade.ts";
import { answerWithoutUpgrade } from "../gateway/without-upgrade.ts";
import type { Closer } from "../stream/closer.ts";
import type { HeartbeatWheel } from "../stream/heartbeat.ts";
import { firstFree, listen } from "./listen.ts";
import type { Settings } from "./settings.ts";

/** Ports when none is asked for; the next free one is taken. */
const HTTP_PORT = 4000;
const GRPC_PORT = 4001;

/** Listens for HTTP and WebSockets; gives the port. Throws `configuration` where it is taken. `closer` ends streams, then connections. */
export async function openHttp(
  settings: Settings,
  gateway: Gateway,
  { wheel, closer }: { readonly wheel: HeartbeatWheel; readonly closer: Closer },
): Promise<number> {
  const http = createServer({ shouldUpgradeCallback: isWebSocketUpgrade }, gateway.handle);
  http.on("upgrade", (request, socket, head) => {
    if (isWebSocketUpgrade(request)) gateway.upgrade(request, socket, head);
    else answerWithoutUpgrade(http, request, socket, head);
  });
  closer.add(async () => {
    await gateway.endStreams();
    wheel[Symbol.dispose]();
    http.close();
    http.closeAllConnections();
  });
  return firstFree(settings.port, HTTP_PORT, (port) => listen(http, settings.host, port));
}

/** gRPC beside HTTP, unless it is switched off. Throws `configuration` where its port is taken. */
export async function openGrpc(
  settings: Settings,
  closer: Closer,
  parts: Omit<Parameters<typeof startGrpc>[0], "host" | "port" | "defaultAgent">,
): Promise<GrpcServer | undefined> {
  if (settings.grpcPort === false) return undefined;
  const [defaultAgent = ""] = parts.agents.keys();
  const grpc = await firstFree(settings.grpcPort, GRPC_PORT, (port) => startGrpc({ ...parts, defaultAgent, host: settings.host, port }));
  closer.add(async () => grpc[Symbol.asyncDispose]());
  return grpc;
}
