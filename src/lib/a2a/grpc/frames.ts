import { toCursor } from "../../model/cursor.ts";
import { withEventCursor } from "../../model/extension.ts";
import { decodeFrame, type Frame } from "../operations.ts";
import { CODECS } from "./codec.ts";

/** Frames as `StreamResponse` bytes, with their cursor in the event's metadata (SEMANTICS 3). */
export type FrameEncoder = (frame: Frame) => Buffer;

/** Translates each frame once, however many readers it has (SEMANTICS 7): the bytes live as long as the frame, which the log's tail keeps bounded. */
export function createFrameEncoder(logId: string): FrameEncoder {
  const encoded = new WeakMap<Frame, Buffer>();
  return (frame) => {
    const known = encoded.get(frame);
    if (known !== undefined) return known;
    const event = decodeFrame(frame);
    const bytes = CODECS.subscribeToTask.encode(withEventCursor(event, toCursor(logId, frame.seq)));
    encoded.set(frame, bytes);
    return bytes;
  };
}
