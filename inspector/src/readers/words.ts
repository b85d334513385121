import type { ReaderInfo } from "../../../src/lib/model/api.ts";

/** How each transport is called. */
export const TRANSPORTS: Readonly<Record<ReaderInfo["transport"], string>> = {
  jsonrpc: "A2A, JSON-RPC",
  rest: "A2A, HTTP+JSON",
  grpc: "A2A, gRPC",
  "v0.3": "A2A 0.3",
  "a2a-websocket": "A2A, WebSocket",
  sse: "events of /api",
  feed: "the feed of /api",
  websocket: "WebSocket of /api",
  agui: "AG-UI",
  ai: "AI SDK",
  openai: "OpenAI",
};

/** The readers in an answer, those that are furthest behind first, then the oldest. */
export function readersOf(answer: unknown): readonly ReaderInfo[] {
  const list: unknown = typeof answer === "object" && answer !== null && "readers" in answer ? answer.readers : answer;
  return Array.isArray(list) ? (list as readonly ReaderInfo[]).toSorted((a, b) => b.lag - a.lag || a.since - b.since) : [];
}
