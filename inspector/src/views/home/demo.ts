import { signal } from "@preact/signals";
import type { SendReply } from "../../../../src/lib/model/api.ts";
import { newId } from "../../../../src/lib/browser/words.ts";
import { callApi } from "../../state/call.ts";

/** What the built-in agents are asked: the team's coordinator asks its researcher, whose words are seen as they come. */
const ASKED = [
  { agent: "team", text: "Tell me about tide pools" },
  { agent: "assistant", text: "What time is it in Tokyo?" },
] as const;

/** The conversation that this page began, to be watched: the team's. */
export const demoTask = signal<{ readonly agent: string; readonly task: string } | undefined>(undefined);

/** It has begun, and is seen soon; false where it could not, undefined before. */
export const demoBegun = signal<boolean | undefined>(undefined);

let started = false;

/**
 * Begins the demonstration, on a server whose agents answer from a script, so that it costs nothing. Once for a page, and once for a server however many pages ask:
 * the same message is taken once. `again`: a person wishes it.
 */
export async function startDemo({ again = false }: { readonly again?: boolean } = {}): Promise<void> {
  if (started && !again) return;
  started = true;
  demoBegun.value = true;
  const mark = again ? newId() : "first";
  const [team] = await Promise.allSettled(
    ASKED.map(({ agent, text }) =>
      callApi<SendReply>(`/api/agents/${agent}/messages`, { method: "POST", body: { messageId: `inspector-demo-${mark}-${agent}`, parts: [{ text }] } }),
    ),
  );
  demoBegun.value = team?.status === "fulfilled";
  if (team?.status === "fulfilled" && "task" in team.value) demoTask.value = { agent: team.value.agent, task: team.value.task };
}
