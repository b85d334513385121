import { MAX_TIMER_MS } from "./clock.ts";

/** What `work` gives, or undefined after `ms`; the work goes on. Throws what `work` throws. */
export async function withinMs<T>(work: Promise<T>, ms: number): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => late.resolve(undefined), Math.min(Math.max(0, ms), MAX_TIMER_MS));
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
