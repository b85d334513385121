import { createHash } from "node:crypto";
import type { JsonObject } from "../../model/a2a.ts";
import { IasError } from "../../model/errors.ts";
import { extensionIn } from "../../model/extension.ts";
import type { Turn } from "../engine.ts";

/**
 * Relays count their hops in the metadata of the messages that they send: `<extension uri>: { hops: [id, …] }`, one id for each relay passed, oldest first.
 * An id is a hash of who relays to whom, so that it tells nothing, is the same on every replica, and a message that comes by again is known.
 */

/** The hops of the turn's messages with this relay added. Throws `limit-reached` with reason HOP_LIMIT, or HOP_CYCLE when it has been here before. */
export function nextHops(turn: Turn, target: string, maxHops: number): readonly string[] {
  const before = [...new Set([turn.metadata, ...turn.input.map((message) => message.metadata)].flatMap(hopsOf))];
  const own = createHash("sha256")
    .update(JSON.stringify([turn.agent, target]))
    .digest("base64url")
    .slice(0, 16);
  if (before.includes(own)) {
    throw new IasError("limit-reached", `The message has already passed from agent "${turn.agent}" to this remote agent: the agents relay in a circle.`, {
      reason: "HOP_CYCLE",
    });
  }
  if (before.length >= maxHops) {
    throw new IasError("limit-reached", `The message has passed ${before.length} relays; at most ${maxHops} are allowed (maxHops).`, { reason: "HOP_LIMIT" });
  }
  return [...before, own];
}

function hopsOf(metadata: JsonObject | undefined): readonly string[] {
  const { hops } = extensionIn(metadata);
  return Array.isArray(hops) ? hops.filter((hop) => typeof hop === "string") : [];
}
