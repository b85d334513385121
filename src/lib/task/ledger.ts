import type { Message, StreamResponse } from "../model/a2a.ts";
import type { Entry } from "../model/entry.ts";
import { readExtension } from "../model/extension.ts";
import { joinKey } from "../model/key.ts";

/** The turns of a task as its entries tell them: which inputs are read, which tools the present turn started (SEMANTICS 17, 19). */
export interface Ledger {
  apply(entry: Entry, event: StreamResponse): void;
  /** Goes on from what another ledger gave as its state. */
  restore(state: LedgerState): void;
  /** All that it knows, as JSON. It shares its messages with the ledger. */
  state(): LedgerState;
  /** The present turn's number, 0 before the first. */
  readonly turn: number;
  /** The seq of the entry that began the present turn, 0 before the first. */
  readonly startedAt: number;
  /** The last input that a turn has taken up. */
  readonly reads: number;
  /** Inputs that no turn has taken up yet, in order. */
  unread(): readonly { readonly seq: number; readonly message: Message }[];
  /** Names of tools started in the present turn that may not be repeated by themselves. */
  unrepeatable(): readonly string[];
  /** The turns so far, in order. */
  turns(): readonly TurnRecord[];
}

/** A ledger as it stood at some entry, part of the snapshot that stands for the entries before (SEMANTICS 14). */
export interface LedgerState {
  readonly startedAt: number;
  readonly reads: number;
  /** Inputs that no turn has taken up yet. */
  readonly unread: readonly { readonly seq: number; readonly message: Message }[];
  readonly tools: readonly (readonly [string, StartedTool])[];
  readonly turns: readonly TurnRecord[];
}

/** A tool of the present turn; `done` when it has answered. */
interface StartedTool {
  readonly name: string;
  readonly idempotent: boolean;
  readonly done: boolean;
}

/** What went into a turn and what came out of it. */
export interface TurnRecord {
  readonly turn: number;
  readonly inputs: readonly Message[];
  /** Artifacts that opened in this turn, in order. */
  readonly artifacts: readonly string[];
  /** The agent's status messages. */
  readonly replies: readonly Message[];
}

/** An empty ledger. */
export function createLedger(): Ledger {
  let inputs: { readonly seq: number; readonly message: Message }[] = [];
  const turns: { turn: number; inputs: Message[]; artifacts: string[]; replies: Message[] }[] = [];
  const known = new Set<string>();
  /** By path and call: an id is unique in one agent's run only. */
  let tools = new Map<string, StartedTool>();
  let startedAt = 0;
  let reads = 0;

  const beginTurn = (number: number, upTo: number, seq: number): void => {
    const present = turns.at(-1);
    if (present?.turn === number) return;
    turns.push({
      turn: number,
      inputs: inputs.filter((input) => input.seq > reads && input.seq <= upTo).map((input) => input.message),
      artifacts: [],
      replies: [],
    });
    tools = new Map();
    startedAt = seq;
    reads = upTo;
  };

  const unread = (): readonly { readonly seq: number; readonly message: Message }[] => inputs.filter((input) => input.seq > reads);

  return {
    get turn() {
      return turns.at(-1)?.turn ?? 0;
    },
    get startedAt() {
      return startedAt;
    },
    get reads() {
      return reads;
    },
    restore(state) {
      ({ startedAt, reads } = state);
      inputs = [...state.unread];
      tools = new Map(state.tools);
      for (const turn of state.turns) {
        turns.push({ ...turn, inputs: [...turn.inputs], artifacts: [...turn.artifacts], replies: [...turn.replies] });
        for (const id of turn.artifacts) known.add(id);
      }
    },
    state: () => ({ startedAt, reads, unread: unread(), tools: [...tools], turns: [...turns] }),
    apply(entry, event) {
      if ("task" in event) {
        for (const message of event.task.history ?? []) inputs.push({ seq: entry.seq, message });
        return;
      }
      const present = turns.at(-1);
      if (entry.audience === "public") {
        if ("artifactUpdate" in event) {
          const id = event.artifactUpdate.artifact.artifactId;
          if (known.has(id)) return;
          known.add(id);
          present?.artifacts.push(id);
        } else if ("statusUpdate" in event && event.statusUpdate.status.message?.role === "ROLE_AGENT")
          present?.replies.push(event.statusUpdate.status.message);
        return;
      }
      const data = readExtension(event);
      if (data?.kind === "input") inputs.push({ seq: entry.seq, message: data.message });
      else if (data?.kind === "turn") beginTurn(data.turn, data.reads, entry.seq);
      else if (data?.kind === "tool-call") tools.set(callKey(data), { name: data.name, idempotent: data.idempotent, done: false });
      else if (data?.kind === "tool-result") {
        const tool = tools.get(callKey(data));
        if (tool !== undefined) tools.set(callKey(data), { ...tool, done: true });
      } else if (data?.kind === "checkpoint") for (const [call, tool] of tools) if (tool.done) tools.delete(call);
    },
    unread,
    unrepeatable: () => [...tools.values()].filter((tool) => !tool.idempotent).map((tool) => tool.name),
    turns: () => turns,
  };
}

function callKey({ call, path = [] }: { readonly call: string; readonly path?: readonly string[] }): string {
  return joinKey(...path, call);
}
