import assert from "node:assert/strict";
import type { Task } from "../../model/a2a.ts";
import { EXTENSION_URI } from "../../model/entry.ts";
import { type ExtensionFrame, type Peer, PeerError, userText } from "./peer.ts";

/** What a case gets: a peer, and texts that make the agent behave. */
export interface ExtensionContext {
  readonly peer: Peer;
  /** Makes the agent answer in several chunks and complete. */
  readonly talk: string;
  /** Makes the agent ask (INPUT_REQUIRED); any answer to it then completes the task. */
  readonly ask: string;
  /** Longest wait for a heartbeat, ms. */
  readonly heartbeatMs: number;
}

/** One requirement of PROTOCOL.md. `run` rejects where the server fails it. */
export interface ExtensionCase {
  /** The requirement's id, as in PROTOCOL.md. */
  readonly id: string;
  readonly title: string;
  run(context: ExtensionContext): Promise<void>;
}

/** The requirements on streams and sending, in the order of PROTOCOL.md. */
export const streamCases: readonly ExtensionCase[] = [
  {
    id: "ACT-3",
    title: "the answer names the extension that was activated",
    async run({ peer, talk }) {
      let named: string | null = null;
      await all(peer.stream(userText(talk), { onHeaders: (headers) => (named = headers.get("a2a-extensions")) }));
      assert.ok(String(named).includes(EXTENSION_URI), `A2A-Extensions: ${String(named)}`);
    },
  },
  {
    id: "ACT-4",
    title: "a plain stream over SSE (1.0) carries no metadata of the extension, except a Task's",
    async run({ peer, talk }) {
      const plain = await all(peer.stream(userText(talk), { active: false }));
      for (const { event } of plain) if (!("task" in event)) assert.ok(!JSON.stringify(event).includes(EXTENSION_URI), JSON.stringify(event));
    },
  },
  {
    id: "AUD-1",
    title: "a plain reader gets the public entries of a task: the same answer, each once",
    async run({ peer, talk }) {
      const seen = await all(peer.stream(userText(talk), { active: false }));
      const again = await all(peer.subscribe(taskOf(seen).id, { lastEventId: seen[0]?.cursor ?? "" }));
      assert.deepEqual(texts(seen), texts(again));
      const cursors = seen.map(({ cursor }) => cursor);
      assert.equal(new Set(cursors).size, cursors.length, "each cursor once");
    },
  },
  {
    id: "AUD-4",
    title: "a task's stream has no message event",
    async run({ peer, talk }) {
      for (const { event } of await all(peer.stream(userText(talk)))) assert.ok(!("message" in event));
    },
  },
  {
    id: "CUR-2",
    title: "every frame has its cursor as SSE id, for plain readers too, and not in metadata",
    async run({ peer, talk }) {
      for (const active of [true, false]) {
        for (const { cursor, event } of await all(peer.stream(userText(talk), { active }))) {
          assert.ok(cursor !== undefined && cursor !== "", JSON.stringify(event));
          if (!("task" in event)) assert.ok(!JSON.stringify(event).includes(`"cursor":"${cursor}"`));
        }
      }
    },
  },
  {
    id: "CUR-4",
    title: "a Task's cursor goes on where the Task ends",
    async run({ peer, talk }) {
      const task = await peer.send(userText(talk));
      assert.deepEqual(await all(peer.subscribe(task.id, { lastEventId: cursorOf(task) })), []);
      const early = await peer.send(userText(talk), { configuration: { returnImmediately: true } });
      const rest = await all(peer.subscribe(early.id, { lastEventId: cursorOf(early) }));
      assert.equal(textOf(early) + texts(rest).join(""), textOf(await peer.getTask(early.id)));
    },
  },
  {
    id: "CUR-6",
    title: "a cursor gives the same entries each time",
    async run({ peer, talk }) {
      const seen = await all(peer.stream(userText(talk)));
      const from = { lastEventId: seen[1]?.cursor ?? "" };
      const { id } = taskOf(seen);
      assert.deepEqual(await all(peer.subscribe(id, from)), await all(peer.subscribe(id, from)));
    },
  },
  {
    id: "OPEN-1",
    title: "a fresh stream is the Task and what follows, without a gap or a repetition",
    async run({ peer, talk }) {
      const { id } = await peer.send(userText(talk), { configuration: { returnImmediately: true } });
      const seen = await all(peer.subscribe(id));
      assert.equal(textOf(taskOf(seen)) + texts(seen).join(""), textOf(await peer.getTask(id)));
    },
  },
  {
    id: "OPEN-2",
    title: "after every cursor a stream resumes with exactly what follows, and without a Task",
    async run({ peer, talk }) {
      const seen = await all(peer.stream(userText(talk)));
      assert.ok(seen.length >= 5, `the agent's answer has only ${seen.length} frames`);
      for (const [index, { cursor = "" }] of seen.entries()) {
        assert.deepEqual(await all(peer.subscribe(taskOf(seen).id, { lastEventId: cursor })), seen.slice(index + 1));
      }
    },
  },
  {
    id: "OPEN-3",
    title: "a finished task resumes for readers of the extension, and is UnsupportedOperation for plain ones",
    async run({ peer, talk }) {
      const seen = await all(peer.stream(userText(talk)));
      const { id } = taskOf(seen);
      assert.equal((await all(peer.subscribe(id, { lastEventId: seen.at(-2)?.cursor ?? "" }))).length, 1);
      await assert.rejects(all(peer.subscribe(id, { active: false })), PeerError);
    },
  },
  {
    id: "OPEN-4",
    title: "a cursor that cannot be used opens fresh, marked reset",
    async run({ peer, talk }) {
      const seen = await all(peer.stream(userText(talk)));
      const other = await all(peer.stream(userText(talk)));
      for (const lastEventId of ["", "no cursor", `${other.at(-1)?.cursor}0000`]) {
        if (lastEventId === "") continue;
        const opened = await all(peer.subscribe(taskOf(seen).id, { lastEventId }));
        const own = taskOf(opened).metadata?.[EXTENSION_URI] as { reset?: unknown; cursor?: unknown } | undefined;
        assert.equal(own?.reset, true, lastEventId);
        assert.equal(typeof own?.cursor, "string");
      }
    },
  },
  {
    id: "OPEN-6",
    title: "Last-Event-ID without the extension is ignored",
    async run({ peer, ask }) {
      const { id } = await peer.send(userText(ask));
      const task = await peer.getTask(id);
      const leave = new AbortController();
      for await (const { event } of peer.subscribe(id, { active: false, lastEventId: cursorOf(task), signal: leave.signal })) {
        assert.ok("task" in event);
        break;
      }
      leave.abort();
    },
  },
  {
    id: "END-1",
    title: "a send stream ends with a terminal state, or when its turn ends in INPUT_REQUIRED",
    async run({ peer, talk, ask }) {
      assert.equal(lastState(await all(peer.stream(userText(talk)))), "TASK_STATE_COMPLETED");
      assert.equal(lastState(await all(peer.stream(userText(ask)))), "TASK_STATE_INPUT_REQUIRED");
    },
  },
  {
    id: "END-2",
    title: "a subscription stays open through an interruption and ends with the task",
    async run({ peer, ask }) {
      const { id } = await peer.send(userText(ask));
      const frames = peer.subscribe(id);
      await frames.next();
      await peer.send(userText("an answer", { taskId: id }));
      assert.equal(lastState(await all(frames)), "TASK_STATE_COMPLETED");
    },
  },
  {
    id: "END-4",
    title: "a connection that ends cancels nothing",
    async run({ peer, talk }) {
      const leave = new AbortController();
      let id = "";
      try {
        for await (const { event } of peer.stream(userText(talk), { signal: leave.signal })) {
          if ("task" in event) ({ id } = event.task);
          leave.abort();
        }
      } catch (error) {
        if (!leave.signal.aborted) throw error;
      }
      await all(peer.subscribe(id));
      assert.equal((await peer.getTask(id)).status.state, "TASK_STATE_COMPLETED");
    },
  },
  {
    id: "BEAT-1",
    title: "a quiet stream says that it lives",
    async run({ peer, ask, heartbeatMs }) {
      const { id } = await peer.send(userText(ask));
      const leave = new AbortController();
      const beat = new Promise<string>((resolve, reject) => {
        setTimeout(() => reject(new Error(`no comment within ${heartbeatMs} ms`)), heartbeatMs);
        const frames = peer.subscribe(id, { signal: leave.signal, onComment: resolve });
        all(frames).catch(() => {});
      });
      try {
        assert.match(await beat, /^ ?hb \S+$/);
      } finally {
        leave.abort();
      }
    },
  },
  {
    id: "SEND-2",
    title: "a repeated message attaches to its task, also when both come at once",
    async run({ peer, talk }) {
      const message = userText(talk);
      const tasks = await Promise.all([peer.send(message), peer.send(message)]);
      assert.equal(tasks[0]?.id, tasks[1]?.id);
      const short = await peer.send(message, { configuration: { historyLength: 0 } });
      assert.equal(short.id, tasks[0]?.id);
      assert.equal(short.history, undefined);
      const keyed = userText(talk);
      const one = await peer.send(keyed, { active: false, idempotencyKey: keyed.messageId });
      assert.equal((await peer.send(keyed, { active: false, idempotencyKey: keyed.messageId })).id, one.id);
    },
  },
  {
    id: "SEND-3",
    title: "a repeated streaming message gives the entries after its cursor, or all",
    async run({ peer, talk }) {
      const message = userText(talk);
      const seen = await all(peer.stream(message));
      assert.deepEqual(await all(peer.stream(message)), seen);
      assert.deepEqual(await all(peer.stream(message, { lastEventId: seen[2]?.cursor ?? "" })), seen.slice(3));
    },
  },
  {
    id: "SEND-4",
    title: "another message under the same key is refused",
    async run({ peer, talk }) {
      const message = userText(talk);
      await peer.send(message);
      await assert.rejects(
        peer.send({ ...message, parts: [{ text: `${talk} ` }] }),
        (error: unknown) => error instanceof PeerError && JSON.stringify(error.body).includes("IDEMPOTENCY_MISMATCH"),
      );
    },
  },
  {
    id: "SEND-6",
    title: "without opt-in a repeated messageId is a new message",
    async run({ peer, talk }) {
      const message = userText(talk);
      const [one, two] = [await peer.send(message, { active: false }), await peer.send(message, { active: false })];
      assert.notEqual(one.id, two.id);
    },
  },
];

async function all(source: AsyncIterable<ExtensionFrame>): Promise<ExtensionFrame[]> {
  const frames: ExtensionFrame[] = [];
  for await (const frame of source) frames.push(frame);
  return frames;
}

function taskOf(frames: readonly ExtensionFrame[]): Task {
  const event = frames[0]?.event;
  assert.ok(event !== undefined && "task" in event, `the first event is not the Task: ${JSON.stringify(event)}`);
  return event.task;
}

function cursorOf(task: Task): string {
  const own = task.metadata?.[EXTENSION_URI] as { cursor?: unknown } | undefined;
  assert.ok(typeof own?.cursor === "string", `the Task has no cursor: ${JSON.stringify(task.metadata)}`);
  return own.cursor;
}

function texts(frames: readonly ExtensionFrame[]): string[] {
  return frames.flatMap(({ event }) => ("artifactUpdate" in event ? event.artifactUpdate.artifact.parts.map((part) => part.text ?? "") : []));
}

function textOf(task: Task): string {
  return (task.artifacts ?? []).flatMap((artifact) => artifact.parts.map((part) => part.text ?? "")).join("");
}

function lastState(frames: readonly ExtensionFrame[]): string | undefined {
  const event = frames.at(-1)?.event;
  return event === undefined ? undefined : "task" in event ? event.task.status.state : "statusUpdate" in event ? event.statusUpdate.status.state : undefined;
}
