import { defineAgent, say, scripted, type ScriptFunction } from "infinite-agent-streams";

// A subject without a model: it knows some capitals, takes its time, and hangs now and then as models do.
const CAPITALS: Readonly<Record<string, string>> = { France: "Paris", Japan: "Tokyo", Kenya: "Nairobi", Peru: "Lima", Australia: "Sydney" };

/** Countries that it was asked for: the first answer about Kenya hangs for ever in its middle. */
const asked = new Set<string>();

const answer: ScriptFunction = async function* answer(turn, { signal }) {
  const question = turn.input[0]?.parts[0]?.text ?? "";
  const country = Object.keys(CAPITALS).find((name) => question.includes(name)) ?? "";
  const isFirst = asked.size < asked.add(country).size;
  // Peru is slow, but alive: one word every second, and nobody may call that hung.
  const tokenMs = country === "Peru" ? 1000 : 50;
  yield* say("Let me think about that for a moment, please. ", { signal, tokenMs });
  if (country === "Kenya" && isFirst) await new Promise(() => {});
  yield* say(`The capital of ${country} is ${CAPITALS[country] ?? "not known to me"}.`, { signal, tokenMs });
};

export const agents = [defineAgent({ id: "geographer", description: "Knows some capitals.", engine: scripted(answer), onCrash: "restart" })];
