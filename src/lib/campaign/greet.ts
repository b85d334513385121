import { IasError } from "../model/errors.ts";
import type { Arena } from "./arena.ts";
import type { Campaign, Green, Item, Subject } from "./campaign.ts";

/**
 * Connects with everybody and chooses what each is judged by. Throws `unavailable` when nobody is there at all (who is missing alone is asked again by each attempt),
 * and with reason LIVENESS_UNAVAILABLE when a subject does not offer what the campaign demands.
 */
export async function greet(campaign: Campaign, arena: Arena): Promise<void> {
  const asked = askedAgents(campaign);
  const meet = async ({ subject, item }: (typeof asked)[number]): Promise<unknown> => arena.choose(subject, await arena.client(subject, item));
  const met = await Promise.allSettled(asked.map(meet));
  const failures = met.flatMap((each) => (each.status === "rejected" ? [IasError.from(each.reason, "unavailable")] : []));
  const [demand, ...more] = failures.filter(({ reason }) => reason === "LIVENESS_UNAVAILABLE");
  if (demand !== undefined) {
    const message = [...new Set([demand, ...more].map((each) => each.message))].join("\n");
    throw new IasError(demand.code, message, { cause: demand, reason: "LIVENESS_UNAVAILABLE", retryable: demand.retryable });
  }
  const [first] = failures;
  if (first === undefined || failures.length < met.length) return;
  if (first.code === "configuration") throw first;
  const cause = failures.length === 1 ? "The subject" : `None of ${failures.length} subjects`;
  throw new IasError("unavailable", `${cause} ${failures.length === 1 ? "cannot" : "can"} be reached: ${first.message}`, {
    cause: first,
    reason: "NO_SUBJECT",
    retryable: true,
  });
}

/** Each subject with an item for each agent that its battles ask: itself, and green agents that do battles. */
function askedAgents({ subjects, items, green }: Campaign): readonly { readonly subject: Subject; readonly item: Item }[] {
  const agentOf = (one: Green): string => (one.kind === "a2a" ? one.url : "");
  const agents = [...new Map(items.map((item) => [agentOf(item.green ?? green), item])).values()];
  return subjects.flatMap((subject) => agents.map((item) => ({ subject, item })));
}
