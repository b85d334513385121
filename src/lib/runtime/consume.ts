import type { AgentEvent } from "../engine/engine.ts";
import { toEvent } from "../engine/to-event.ts";
import { toEvents } from "../engine/to-events.ts";
import type { ResumeState } from "../log/log.ts";
import type { Part } from "../model/a2a.ts";
import { IasError } from "../model/errors.ts";
import { newId } from "../model/ids.ts";
import { checkEntry } from "./check-entry.ts";
import { createTurn } from "./create-turn.ts";
import { failedStatus } from "./failed-status.ts";
import type { Draft } from "./draft.ts";
import type { TurnLiveness } from "./turn-liveness.ts";
import type { Ending, TurnRun } from "./turn-run.ts";

/** Events after which the event loop turns once: an engine that has all at hand would hold up every other turn, and its own cancellation. */
const BURST = 256;

/** Pulls the engine, one event at a time, only when there is room. Never throws: a failure is an ending. */
export async function consume(run: TurnRun, live: TurnLiveness, signal: AbortSignal, stopped: () => boolean): Promise<Ending> {
  const { parts, agent, row, scribe, writer } = run;
  const rest =
    (drafts: readonly Draft[], state?: ResumeState | null): Ending =>
    (unread) => {
      // COMPLETED is not written while an input is unread: the task's next turn takes it up (SEMANTICS 17).
      if (unread) return { next: state ?? undefined };
      writer.write(drafts, state === undefined ? {} : { state });
      return "rest";
    };
  const final = (draft: Draft): Ending => {
    return () => {
      writer.write([draft]);
      return "rest";
    };
  };
  /** The parts of a message as its entry has them. */
  const told = async (message: readonly Part[]): Promise<readonly Part[]> => {
    const stored = await parts.media.store(row.key, message, "agent");
    checkEntry(parts.limits, stored, "A message of the agent", "put long content into an artifact, in chunks");
    return stored;
  };
  const record = (event: AgentEvent, drafts: readonly Draft[]): void => {
    writer.write(drafts);
    live.saw(
      event,
      drafts.some(({ audience }) => audience !== "internal"),
    );
  };
  /** Events that the engine gave, and those that made something of the stream. */
  let given = 0;
  let events = 0;
  try {
    for await (const yielded of toEvents(agent.engine.run(createTurn(run), { signal }))) {
      if (stopped()) return () => "rest";
      given += 1;
      const event = toEvent(yielded, given);
      if (event.kind === "liveness") {
        live.saw(event, false);
        if (given % BURST === 0) await new Promise(setImmediate);
        continue;
      }
      switch (event.kind) {
        case "interrupt": {
          scribe.checkWhole();
          const message = event.approvals === undefined ? event.message : scribe.approvals(event.message, event.approvals);
          const status = scribe.status(event.reason === "auth" ? "TASK_STATE_AUTH_REQUIRED" : "TASK_STATE_INPUT_REQUIRED", message && (await told(message)));
          return rest([status], event.state ?? null);
        }
        case "reply":
          scribe.checkWhole();
          checkEntry(parts.limits, event.parts, "A message of the agent", "put long content into an artifact, in chunks");
          return reply(run, event, events === 0);
        case "end": {
          const message = event.message && (await told(event.message));
          if (event.outcome === "completed") scribe.checkWhole();
          if (event.outcome === "completed") return rest([scribe.status("TASK_STATE_COMPLETED", message, event.metadata)]);
          return final(scribe.status(event.outcome === "failed" ? "TASK_STATE_FAILED" : "TASK_STATE_REJECTED", message, event.metadata));
        }
        case "checkpoint":
          writer.write([scribe.aside("internal", { kind: "checkpoint" })], { state: event.state });
          live.saw(event, false);
          break;
        case "artifact": {
          const stored = await parts.media.store(row.key, event.artifact.parts, "agent");
          record(event, scribe.write({ ...event, artifact: { ...event.artifact, parts: stored } }));
          break;
        }
        case "status":
          record(event, scribe.write(event.message === undefined ? event : { ...event, message: await told(event.message) }));
          break;
        default:
          record(event, scribe.write(event));
      }
      const full = writer.ready();
      if (full !== undefined) {
        live.hold();
        await full;
        live.release();
      }
      events += 1;
      if (given % BURST === 0) await new Promise(setImmediate);
    }
    scribe.checkWhole();
    return rest([scribe.status("TASK_STATE_COMPLETED")]);
  } catch (error) {
    if (stopped()) return () => "rest";
    const known = IasError.from(error, "engine-failed");
    parts.report(known, row.key);
    return final(
      failedStatus(
        scribe,
        // What only says that this program met what it does not know may show anything of the agent's.
        error instanceof IasError && known.code !== "internal"
          ? known
          : new IasError("engine-failed", "The agent failed with an unexpected error; the server's log has it.", { cause: error }),
      ),
    );
  }
}

/**
 * A direct message. As the first event of a new task that no client has been shown yet it is the whole answer, and the task was never there (SEMANTICS 6);
 * half of the hold is left for the way to the client. Later it is the last word of the task.
 */
function reply({ parts, agent, row, scribe, writer, view, start }: TurnRun, event: Extract<AgentEvent, { kind: "reply" }>, first: boolean): Ending {
  if (agent.replies === "task") {
    const error = new IasError("invalid-agent-response", `The agent ${agent.id} replied with a message, but it is defined with replies: "task".`);
    parts.report(error, row.key);
    return () => {
      writer.write([failedStatus(scribe, error)]);
      return "rest";
    };
  }
  return (unread) => {
    const held = first && !start.restart && view.ledger.turn === 1 && parts.now() - row.createdAt < parts.limits.replyHoldMs / 2;
    if (!held && unread) return { next: undefined };
    if (!held) {
      writer.write([scribe.status("TASK_STATE_COMPLETED", event.parts, event.metadata)], { state: null });
      return "rest";
    }
    const message = {
      messageId: newId(),
      role: "ROLE_AGENT" as const,
      contextId: row.context,
      parts: event.parts,
      ...(event.metadata !== undefined && { metadata: event.metadata }),
    };
    writer.write([scribe.aside("internal", { kind: "reply", message })], { seal: true, unlist: true, state: null });
    return "rest";
  };
}
