import type { LivenessFacts } from "../model/extension.ts";
import type { LivenessEvent } from "./liveness.ts";

/** An event of the reducer as data of our extension. Times are whole ms. */
export function toLivenessFacts(event: LivenessEvent): LivenessFacts {
  switch (event.kind) {
    case "phase":
      return event.to === "retry-wait" ? { phase: "retry-wait" } : { phase: event.to, afterMs: Math.round(event.afterMs) };
    case "slow": {
      const { by, activity, silenceMs, tokensPerSecond } = event;
      const rate = tokensPerSecond === undefined ? {} : { tokensPerSecond: Math.round(tokensPerSecond * 100) / 100 };
      return { phase: "slow", by, activity, silenceMs: Math.round(silenceMs), ...rate };
    }
    case "stalled": {
      const { silenceMs, bytesSilenceMs, limitMs } = event.stall;
      const whole = { silenceMs: Math.round(silenceMs), bytesSilenceMs: Math.round(bytesSilenceMs), limitMs: Math.round(limitMs) };
      return { phase: "stalled", stall: { ...event.stall, ...whole } };
    }
    case "recovered":
      return { phase: "recovered", from: event.from, activity: event.activity };
    case "overtime":
      return { phase: "overtime", workedMs: Math.round(event.workedMs), limitMs: event.limitMs };
  }
}
