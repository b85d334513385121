import { IasError } from "../model/errors.ts";

/** What a stream of server-sent events holds, in its order. */
export type SseItem =
  /** A dispatched event. `id` is the last event id so far (WHATWG: it stays until another one comes), absent while there was none. */
  | { readonly kind: "event"; readonly type: string; readonly data: string; readonly id?: string }
  /** A comment line without its colon; servers send them as heartbeats. */
  | { readonly kind: "comment"; readonly text: string }
  /** A new reconnection time in ms. */
  | { readonly kind: "retry"; readonly ms: number };

/** Limits of a parser, in UTF-16 units. */
export interface SseParserOptions {
  /** The longest line, default 8 Mi. */
  readonly maxLineLength?: number;
  /** The most data of one event over all its lines, default 8 Mi. */
  readonly maxEventLength?: number;
}

/** An incremental parser of `text/event-stream` (WHATWG HTML, 9.2.6). It holds at most one line and one event. */
export interface SseParser {
  /** Takes the next bytes or text and gives what they complete. Throws `too-large` with reason SSE_LINE_TOO_LONG or SSE_EVENT_TOO_LARGE; the parser is then of no more use. */
  push(chunk: Uint8Array | string): SseItem[];
  /** The id to reconnect with, as `Last-Event-ID`; it moves only when an event is complete. */
  readonly lastEventId: string | undefined;
}

/** Makes a parser for one connection. An event without its final blank line is never given: the stream was cut. */
export function createSseParser(options: SseParserOptions = {}): SseParser {
  const maxLine = options.maxLineLength ?? 8 * 1024 * 1024;
  const maxEvent = options.maxEventLength ?? 8 * 1024 * 1024;
  const decoder = new TextDecoder();
  // The unfinished line in pieces: joined once, so that a long line in small pieces costs linear time.
  let pieces: string[] = [];
  let held = 0;
  let afterCr = false;
  let started = false;
  let type = "";
  let data: string[] = [];
  let dataLength = 0;
  let idBuffer: string | undefined;
  let lastEventId: string | undefined;

  function push(chunk: Uint8Array | string): SseItem[] {
    let text = typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
    // TextDecoder drops the byte order mark of bytes; text may still have its own.
    if (!started && text.length > 0) {
      started = true;
      if (text.startsWith("\uFEFF")) text = text.slice(1);
    }
    const items: SseItem[] = [];
    let from = 0;
    if (afterCr && text.length > 0) {
      afterCr = false;
      if (text.startsWith("\n")) from = 1;
    }
    while (from < text.length) {
      const end = lineEnd(text, from);
      hold(text.slice(from, end === -1 ? text.length : end));
      if (end === -1) break;
      take(pieces.length === 1 ? (pieces[0] ?? "") : pieces.join(""), items);
      pieces = [];
      held = 0;
      from = end + 1;
      if (text[end] === "\r") {
        if (from === text.length) afterCr = true;
        else if (text[from] === "\n") from += 1;
      }
    }
    return items;
  }

  function hold(piece: string): void {
    held += piece.length;
    if (held > maxLine) throw new IasError("too-large", `A line of the event stream is longer than ${maxLine} characters.`, { reason: "SSE_LINE_TOO_LONG" });
    pieces.push(piece);
  }

  function take(line: string, items: SseItem[]): void {
    if (line === "") {
      dispatch(items);
      return;
    }
    const colon = line.indexOf(":");
    if (colon === 0) {
      items.push({ kind: "comment", text: line.slice(1) });
      return;
    }
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (name === "data") addData(value);
    else if (name === "event") type = value;
    else if (name === "id" && !value.includes("\0")) idBuffer = value;
    else if (name === "retry" && /^[0-9]+$/.test(value)) items.push({ kind: "retry", ms: Number(value) });
  }

  function addData(value: string): void {
    dataLength += value.length + 1;
    if (dataLength > maxEvent)
      throw new IasError("too-large", `An event of the stream is larger than ${maxEvent} characters.`, { reason: "SSE_EVENT_TOO_LARGE" });
    data.push(value);
  }

  function dispatch(items: SseItem[]): void {
    lastEventId = idBuffer;
    // WHATWG looks at the data buffer, in which each line ends with LF: one empty data line is an event with empty data.
    if (data.length > 0) {
      items.push({ kind: "event", type: type === "" ? "message" : type, data: data.join("\n"), ...(lastEventId === undefined ? {} : { id: lastEventId }) });
    }
    type = "";
    data = [];
    dataLength = 0;
  }

  return {
    push,
    get lastEventId() {
      return lastEventId;
    },
  };
}

/** The next CR or LF at or after `from`, or -1. */
function lineEnd(text: string, from: number): number {
  const lf = text.indexOf("\n", from);
  const cr = text.slice(from, lf === -1 ? text.length : lf).indexOf("\r");
  return cr === -1 ? lf : from + cr;
}
