import type { Turn } from "../engine/engine.ts";
import type { Part } from "../model/a2a.ts";
import { IasError } from "../model/errors.ts";
import { conversation } from "../task/view.ts";
import type { TurnRun } from "./turn-run.ts";

/** What the engine sees of the turn. */
export function createTurn({ parts, row, epoch, view, start }: TurnRun): Turn {
  const { key } = row;
  const current = view.fold.task();
  if (current === undefined) throw new IasError("corrupt", `The stream of task ${key.task} does not begin with its task.`);
  const earlier = conversation(view);
  const input = view.ledger.turns().at(-1)?.inputs ?? [];
  const read = new Set(input);
  return {
    principal: { tenant: key.tenant, user: key.user },
    agent: key.agent,
    task: key.task,
    context: row.context,
    attempt: start.attempt,
    epoch,
    input,
    current,
    history: async () => {
      const before = await parts.history(key, row.context, row.createdAt);
      return [...before, ...earlier.filter((message) => !read.has(message))].slice(-parts.limits.maxHistoryMessages);
    },
    references: () => parts.references(key, input),
    load: (part: Part) => parts.media.load(key, part),
    ...(start.resume !== undefined && { state: start.resume }),
    metadata: input.at(-1)?.metadata ?? {},
  };
}
