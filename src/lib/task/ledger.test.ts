import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { StreamResponse } from "../model/a2a.ts";
import { encodeEvent, EXTENSION_URI } from "../model/entry.ts";
import type { ExtensionData } from "../model/extension.ts";
import { createLedger, type Ledger, type LedgerState } from "./ledger.ts";

/** Gives a ledger internal entries, one after the other. */
function record(ledger: Ledger, ...data: readonly ExtensionData[]): void {
  for (const [index, one] of data.entries()) {
    const event = {
      statusUpdate: { taskId: "t", contextId: "c", status: { state: "TASK_STATE_WORKING" }, metadata: { [EXTENSION_URI]: one } },
    } as unknown as StreamResponse;
    ledger.apply({ seq: index + 1, gen: 0, at: 0, attempt: 1, audience: "internal", event: encodeEvent(event) }, event);
  }
}

const TURN: ExtensionData = { kind: "turn", turn: 1, reads: 0 };

function toolCall(name: string, call: string, path?: readonly string[]): ExtensionData {
  return { kind: "tool-call", call, name, idempotent: false, ...(path !== undefined && { path }) };
}

function toolResult(name: string, call: string, path?: readonly string[]): ExtensionData {
  return { kind: "tool-result", call, name, failed: false, ...(path !== undefined && { path }) };
}

describe("unrepeatable", () => {
  it("keeps calls of different agents apart that have the same id", () => {
    const ledger = createLedger();
    record(ledger, TURN, toolCall("pay", "1"), toolCall("book", "1", ["travel"]), toolResult("book", "1", ["travel"]), { kind: "checkpoint" });
    assert.deepEqual(ledger.unrepeatable(), ["pay"]);
  });

  it("takes no path and id for another that is spelled alike", () => {
    const ledger = createLedger();
    record(ledger, TURN, toolCall("pay", "a/b"), toolCall("book", "b", ["a"]));
    assert.deepEqual(ledger.unrepeatable(), ["pay", "book"]);
  });

  it("forgets an answered call at the next checkpoint, not before", () => {
    const ledger = createLedger();
    record(ledger, TURN, toolCall("pay", "1", ["shop"]), toolResult("pay", "1", ["shop"]));
    assert.deepEqual(ledger.unrepeatable(), ["pay"]);
    record(ledger, { kind: "checkpoint" });
    assert.deepEqual(ledger.unrepeatable(), []);
  });

  it("leaves out what is declared idempotent, and calls of earlier turns", () => {
    const ledger = createLedger();
    record(ledger, TURN, toolCall("pay", "1"), { kind: "turn", turn: 2, reads: 0 }, { kind: "tool-call", call: "2", name: "look", idempotent: true });
    assert.deepEqual(ledger.unrepeatable(), []);
  });
});

describe("state", () => {
  it("says all that a ledger knows", () => {
    const message = { messageId: "m", role: "ROLE_USER" as const, parts: [{ text: "hi" }] };
    const ledger = createLedger();
    record(ledger, TURN, toolCall("pay", "1"), { kind: "input", message, user: "u" }, toolResult("pay", "1"));
    const restored = createLedger();
    restored.restore(JSON.parse(JSON.stringify(ledger.state())) as LedgerState);
    assert.deepEqual(restored.state(), ledger.state());
    assert.deepEqual([restored.turn, restored.startedAt, restored.unrepeatable(), restored.unread()], [1, 1, ["pay"], [{ seq: 3, message }]]);
    for (const one of [ledger, restored]) record(one, { kind: "checkpoint" }, { kind: "turn", turn: 2, reads: 3 });
    assert.deepEqual(restored.state(), ledger.state());
    assert.deepEqual(restored.turns()[1]?.inputs, [message]);
  });
});
