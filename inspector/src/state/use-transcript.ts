import { useRef } from "preact/hooks";
import type { StreamStore } from "./stream.ts";
import { createTranscript, type Transcript } from "./transcript.ts";

interface Held {
  readonly stream: StreamStore;
  readonly generation: number;
  readonly transcript: Transcript;
  /** How many entries it has taken. */
  next: number;
}

/** A stream's transcript, as of entry `at` or of its end; the view is drawn again when it changes. */
export function useTranscript(stream: StreamStore, at?: number): Transcript {
  const held = useRef<Held | undefined>(undefined);
  void stream.version.value;
  const generation = stream.generation.value;
  const snapshot = stream.snapshot.value;
  const { entries } = stream;
  let end = entries.length;
  if (at !== undefined) while (end > 0 && (entries[end - 1]?.seq ?? 0) > at) end -= 1;
  if (held.current?.stream !== stream || held.current.generation !== generation || held.current.next > end) {
    const transcript = createTranscript();
    if (snapshot !== undefined) transcript.restore(snapshot, (entries[0]?.seq ?? 1) - 1);
    held.current = { stream, generation, transcript, next: 0 };
  }
  const { transcript } = held.current;
  for (; held.current.next < end; held.current.next += 1) {
    const entry = entries[held.current.next];
    if (entry !== undefined) transcript.apply(entry);
  }
  return transcript;
}
