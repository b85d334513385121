import { computed } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { here, setQuery } from "../router.ts";
import type { StreamStore } from "../state/stream.ts";
import { readPosition, writePosition } from "./position.ts";
import { createReplaySession, type ReplayAddress, type ReplaySession } from "./session.ts";

/** The browser's address bar. A position that moves leaves no steps to go back to. */
const address: ReplayAddress = {
  position: computed(() => readPosition(here.value.searchParams)),
  moveTo: (position) => setQuery({ ...writePosition(position) }),
};

/** The replay of the stream of a page: all its views share it, so that the position, and the playing, outlast a change of the view. */
export function useReplay(stream: StreamStore): ReplaySession {
  const session = useMemo(() => createReplaySession(stream, address), [stream]);
  useEffect(() => session.attach(), [session]);
  return session;
}

/** The present address with another view: the position stays. */
export function hrefOfView(view: string): string {
  const url = new URL(here.value);
  url.searchParams.set("view", view);
  return url.pathname + url.search;
}
