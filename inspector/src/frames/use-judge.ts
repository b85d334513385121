import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import type { StreamStore } from "../state/stream.ts";
import { createJudge, type Judge } from "./judge.ts";
import type { RuleBreak } from "./stream-rules.ts";

/** The judge of a stream, once its rules are fetched. */
export interface StreamJudge {
  isReady(): boolean;
  judged(): number;
  bad(): ReadonlyMap<number, readonly RuleBreak[]>;
  advance(until: number): void;
}

const NONE: ReadonlyMap<number, readonly RuleBreak[]> = new Map();

/** Judges `stream`; begins anew where the stream does. The schemas are a good part of the page's code, so that only this view fetches them. */
export function useJudge(stream: StreamStore): StreamJudge {
  const check = useSignal<((event: unknown) => readonly RuleBreak[]) | undefined>(undefined);
  const generation = stream.generation.value;
  useEffect(() => {
    let left = false;
    import("./check.ts").then(
      (rules) => {
        if (!left) check.value = rules.checkEvent;
      },
      () => {
        // The frames are shown without their verdicts; the tools say that these are still to come.
      },
    );
    return () => {
      left = true;
    };
  }, [check]);
  const rules = check.value;
  return useMemo(() => {
    const judge: Judge | undefined = rules === undefined ? undefined : createJudge(rules, { isWhole: stream.source === "server" });
    return {
      isReady: () => judge !== undefined,
      judged: () => judge?.judged ?? 0,
      bad: () => judge?.bad ?? NONE,
      advance: (until) => void judge?.advance(stream.entries, until, () => performance.now()),
    };
  }, [rules, stream, generation]);
}
