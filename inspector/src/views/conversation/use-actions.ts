import type { Signal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { messageOf } from "../../../../src/lib/model/errors.ts";
import { decideCall, messageFrom, sendMessage } from "../../state/steer.ts";
import type { StreamStore } from "../../state/stream.ts";
import type { BlockActions } from "./blocks.tsx";

const READ_ONLY: BlockActions = {};

/** What can be answered in a task outside of its conversation: approvals and forms. What fails stands in `problem`. Nothing in a file, and nothing in the past. */
export function useActions(stream: StreamStore, problem: Signal<string | undefined>, isPast: boolean): BlockActions {
  const actions = useMemo<BlockActions>(() => {
    const attempt = async (work: () => Promise<unknown>): Promise<boolean> => {
      problem.value = undefined;
      try {
        await work();
        return true;
      } catch (error) {
        problem.value = messageOf(error);
        return false;
      }
    };
    const { agent, task, context } = stream;
    return {
      approve: (call, approve) => attempt(() => decideCall(agent, task, call, approve)),
      answer: (parts) => attempt(() => sendMessage(agent, messageFrom(parts), { taskId: task, contextId: context.peek() === "" ? undefined : context.peek() })),
    };
  }, [stream, problem]);
  return isPast || stream.source === "file" ? READ_ONLY : actions;
}
