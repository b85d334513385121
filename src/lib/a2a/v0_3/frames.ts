import type { StreamResponse } from "../../model/a2a.ts";
import { toCursor } from "../../model/cursor.ts";
import { withEventCursor } from "../../model/extension.ts";
import { decodeFrame, type Frame, type FrameStream } from "../operations.ts";

/** A form of protocol 0.3: JSON-RPC's and webhooks', or REST's. */
export type EventForm = (event: StreamResponse, options: { readonly last?: boolean }) => unknown;

/** Streams in a form of 0.3; `ends`: a send stream, which ends at INPUT_REQUIRED too. */
export type FrameTranslator = (stream: FrameStream, options: { readonly ends: "at-rest" | "with-task" }) => FrameStream;

/**
 * Translates each frame once, however many readers it has (SEMANTICS 7), with its cursor in the event's metadata (SEMANTICS 3). The last status of a
 * send stream is `final` even when the task waits for input: such a frame is held until it is known to be the last, which it is at once where it is.
 */
export function createFrameTranslator(logId: string, toForm: EventForm): FrameTranslator {
  const translated = new WeakMap<Frame, Frame>();
  const make = (frame: Frame, last: boolean): Frame => {
    const event = JSON.stringify(toForm(withEventCursor(decodeFrame(frame), toCursor(logId, frame.seq)), { last }));
    return { seq: frame.seq, event };
  };
  const translate = (frame: Frame): Frame => {
    const known = translated.get(frame) ?? make(frame, false);
    translated.set(frame, known);
    return known;
  };

  async function* mayRest(frames: FrameStream["frames"]): AsyncGenerator<readonly Frame[]> {
    let held: Frame | undefined;
    for await (const batch of frames) {
      const out = held === undefined ? [] : [translate(held)];
      const last = batch.at(-1);
      held = last !== undefined && mayBeRest(last) ? last : undefined;
      for (const frame of batch) if (frame !== held) out.push(translate(frame));
      if (out.length > 0) yield out;
    }
    if (held !== undefined) yield [make(held, true)];
  }

  async function* plain(frames: FrameStream["frames"]): AsyncGenerator<readonly Frame[]> {
    for await (const batch of frames) yield batch.map(translate);
  }

  return (stream, { ends }) => ({ ...stream, frames: ends === "at-rest" ? mayRest(stream.frames) : plain(stream.frames) });
}

function mayBeRest(frame: Frame): boolean {
  return frame.event.startsWith('{"statusUpdate"') && frame.event.includes('"TASK_STATE_INPUT_REQUIRED"');
}
