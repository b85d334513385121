import { startConformanceAgent } from "./conformance-agent.ts";

// `npm run conformance:agent`: HTTP_PORT (9999), GRPC_PORT (10000); PUSH=0, STREAMING=0, REQ_EXT=1, NOISE=1, COMPAT03=1, WEBSOCKET=1 (declares our own binding too).
const { HTTP_PORT = "9999", GRPC_PORT = "10000", PUSH, STREAMING, REQ_EXT, NOISE, COMPAT03, WEBSOCKET } = process.env;
const server = await startConformanceAgent({
  port: Number(HTTP_PORT),
  grpcPort: Number(GRPC_PORT),
  push: PUSH !== "0",
  streaming: STREAMING !== "0",
  requiredExtension: REQ_EXT === "1",
  noise: NOISE === "1",
  compat03: COMPAT03 === "1",
  websocket: WEBSOCKET === "1",
});
console.log(`ready ${server.url}/.well-known/agent-card.json, gRPC ${server.grpcAddress}`);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => void server[Symbol.asyncDispose]().then(() => process.exit(0)));
}
