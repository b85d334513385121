import { type ReadonlySignal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { clockOffset, serverNow } from "../state/clock.ts";

/** The server's present, anew every so many ms: for times in words. */
export function useNow(everyMs: number): ReadonlySignal<number> {
  const now = useSignal(serverNow());
  useEffect(() => {
    const timer = setInterval(() => (now.value = serverNow()), everyMs);
    const stop = clockOffset.subscribe(() => (now.value = serverNow()));
    return () => {
      clearInterval(timer);
      stop();
    };
  }, [now, everyMs]);
  return now;
}
