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

/** A stream's transcript; the view is drawn again when it changes. */
export function useTranscript(stream: StreamStore): Transcript {
  const held = useRef<Held | undefined>(undefined);
  void stream.version.value;
  const generation = stream.generation.value;
  const snapshot = stream.snapshot.value;
  const { entries } = stream;
  if (held.current?.stream !== stream || held.current.generation !== generation) {
    const transcript = createTranscript();
    if (snapshot !== undefined) transcript.restore(snapshot, (entries[0]?.seq ?? 1) - 1);
    held.current = { stream, generation, transcript, next: 0 };
  }
  const { transcript } = held.current;
  for (; held.current.next < entries.length; held.current.next += 1) {
    const entry = entries[held.current.next];
    if (entry !== undefined) transcript.apply(entry);
  }
  return transcript;
}
