import type { ServerResponse } from "node:http";
import type { Framing } from "../a2a/binding.ts";
import type { Frame, FrameStream } from "../a2a/operations.ts";
import { toCursor } from "../model/cursor.ts";
import { IasError } from "../model/errors.ts";
import type { RouteReply } from "../net/route.ts";
import type { HeartbeatWheel } from "../stream/heartbeat.ts";
import { openTextBody } from "./text-body.ts";

const SSE_HEADERS: Readonly<Record<string, string>> = {
  "content-type": "text/event-stream",
  "cache-control": "no-cache, no-transform",
  // Proxies that buffer would collect the tokens.
  "x-accel-buffering": "no",
};

/** What the streams of a gateway share. */
export interface SseOptions {
  readonly logId: string;
  readonly wheel: HeartbeatWheel;
  /** Our own endpoints say `event: end` when a stream is over; A2A's just end. */
  readonly end?: "event";
  readonly report: (error: IasError) => void;
}

/**
 * Writes a stream as server-sent events: `id: <cursor>`, `data: <prefix event suffix>`. A batch is one write; when the socket is full the next batch is not
 * fetched until it has drained, so a slow reader costs one batch of memory. Ends the response; never throws.
 */
export async function writeSse(response: ServerResponse, stream: FrameStream, framing: Framing, options: SseOptions): Promise<void> {
  const id = stream.opening === "message" ? "" : `id: ${toCursor(options.logId, 0).slice(0, -1)}`;
  let last = 0;
  let blocked = false;
  response.writeHead(200, { ...SSE_HEADERS, ...framing.headers });
  response.flushHeaders();
  const body = openTextBody(response);
  const leave = options.wheel.add(() => {
    if (!blocked) body.write(last === 0 ? ": hb\n\n" : `: hb ${toCursor(options.logId, last)}\n\n`);
  });
  try {
    for await (const frames of stream.frames) {
      if (response.destroyed) return;
      last = frames.at(-1)?.seq ?? last;
      if (!body.write(encodeFrames(frames, id, framing))) {
        blocked = true;
        await body.drained();
        blocked = false;
      }
    }
    if (options.end === "event") body.write("event: end\ndata: {}\n\n");
  } catch (error) {
    const known = IasError.from(error);
    if (known.code !== "aborted") {
      options.report(known);
      body.write(`data: ${framing.error(known)}\n\n`);
    }
  } finally {
    leave();
    response.end();
  }
}

/**
 * Writes a route's events. When the socket is full the next piece is not asked for until it has drained. Ends the response; never throws: what breaks the
 * events is reported (`unavailable` is not: it is the way to break off a stream that goes on elsewhere), and the connection ends without its last chunk, so that a reader knows that there was more.
 */
export async function writeEvents(
  response: ServerResponse,
  reply: RouteReply & { readonly kind: "events" },
  options: Pick<SseOptions, "wheel" | "report">,
): Promise<void> {
  const { events, headers, heartbeat = () => ": hb\n\n" } = reply;
  let blocked = false;
  response.writeHead(200, { ...SSE_HEADERS, ...headers });
  // Nothing would be written, for as long as the stream lasts.
  if (response.req.method === "HEAD") return void response.end();
  response.flushHeaders();
  const body = openTextBody(response);
  const leave = options.wheel.add(() => {
    if (!blocked) body.write(heartbeat());
  });
  try {
    for await (const piece of events) {
      if (response.destroyed) return;
      if (!body.write(piece)) {
        blocked = true;
        await body.drained();
        blocked = false;
      }
    }
    response.end();
  } catch (error) {
    const known = IasError.from(error);
    if (known.code === "aborted") response.end();
    else {
      if (known.code !== "unavailable") options.report(known);
      response.destroy();
    }
  } finally {
    leave();
  }
}

function encodeFrames(frames: readonly Frame[], id: string, framing: Framing): string {
  const { prefix, suffix } = framing;
  let text = "";
  for (const frame of frames) {
    text += id === "" ? `data: ${prefix}${frame.event}${suffix}\n\n` : `${id}${frame.seq}\ndata: ${prefix}${frame.event}${suffix}\n\n`;
  }
  return text;
}
