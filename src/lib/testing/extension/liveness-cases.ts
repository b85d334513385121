import assert from "node:assert/strict";
import type { StreamResponse } from "../../model/a2a.ts";
import { type LivenessFacts, readExtension } from "../../model/extension.ts";
import type { ExtensionCase, ExtensionContext } from "./cases.ts";
import { userText } from "./peer.ts";

/** The requirements on liveness entries that can be tested of a server from outside. */
export const livenessCases: readonly ExtensionCase[] = [
  {
    id: "LIVE-2",
    title: "there is no liveness entry per token",
    run: async (context) => checkSparing(await talkOf(context)),
  },
  {
    id: "LIVE-3",
    title: "slow and stalled are told once an episode, and facts are whole",
    run: async (context) => checkEpisodes(await talkOf(context)),
  },
];

async function talkOf({ peer, talk }: ExtensionContext): Promise<readonly StreamResponse[]> {
  const events: StreamResponse[] = [];
  for await (const { event } of peer.stream(userText(talk))) events.push(event);
  return events;
}

function factsOf(events: readonly StreamResponse[]): readonly LivenessFacts[] {
  return events.map(readExtension).filter((data) => data?.kind === "liveness");
}

/** Rejects a stream with as many liveness entries as pieces of the answer. */
export function checkSparing(events: readonly StreamResponse[]): void {
  const pieces = events.filter((event) => "artifactUpdate" in event).length;
  const told = factsOf(events).length;
  assert.ok(told < Math.max(1, pieces), `${told} liveness entries for ${pieces} pieces`);
}

/** Rejects a stream in which an episode is told twice, or without what belongs to it. */
export function checkEpisodes(events: readonly StreamResponse[]): void {
  let health = "ok";
  for (const facts of factsOf(events)) {
    assert.equal(typeof facts.phase, "string", JSON.stringify(facts));
    if (facts.phase === "slow") {
      assert.equal(health, "ok", `slow while ${health}`);
      assert.equal(typeof facts.silenceMs, "number");
    } else if (facts.phase === "stalled") {
      assert.notEqual(health, "stalled", "stalled twice");
      for (const name of ["limitMs", "silenceMs", "lastSeq", "tokens"] as const) assert.equal(typeof facts.stall?.[name], "number", `stall.${name}`);
      assert.equal(typeof facts.stall?.threshold, "string", "stall.threshold");
    } else if (facts.phase === "recovered") assert.equal(facts.from, health, `recovered from ${facts.from} while ${health}`);
    else continue;
    health = facts.phase === "recovered" ? "ok" : facts.phase;
  }
}
