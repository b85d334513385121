import { readFileSync } from "node:fs";
import { loadCampaign } from "../campaign/load-campaign.ts";
import { createGreenAgent } from "../campaign/green-agent.ts";
import { runCampaign } from "../campaign/run-campaign.ts";
import { type Command, usageError } from "../cli/command.ts";
import { createGuardedFetch } from "../net/guarded-fetch.ts";
import { systemClock } from "../stream/clock.ts";
import { AGENT_OPTIONS, AGENT_OPTIONS_HELP, noPositionals, readAgentSettings, serveOneAgent } from "./agent-command.ts";
import { connectSubject } from "./connect-subject.ts";
import { createScorerLoader } from "./load-scorer.ts";
import { createMemoryLedger } from "./open-ledger.ts";

const HELP = `Usage: ias green [--campaign <file>] [options]

Serves the built-in evaluator (a green agent) over A2A 1.0 and 0.3. A message is an assessment in
AgentBeats' form: {"participants": {"<role>": "<url>"}, "config": {…}}. Each participant gets all
items as battles: judged by their tokens, never by a time-out, and tried again by class of failure.
Status updates tell how it goes; the artifact "result" is {winner, pass?, score?, detail}. Any
number of assessments at a time, each with a fresh state.

  --campaign <file>     items, scorer, thresholds and retries (docs/reference/campaign.md); its
                        subjects do not count. Without it each assessment's config brings them
${AGENT_OPTIONS_HELP}  --json                one JSON line with the addresses when it is ready

An assessment's config may have item or items, green (exact, contains, regex, json-schema), repeat,
concurrency, seed and passThreshold. Judges by a model, functions and other green agents are for
--campaign only. Participants on loopback are reached when this agent listens on loopback
(ALLOW_LOCAL_TARGETS). Private addresses never are, unless --allow-private is given.

  --allow-private       participants may be in private networks

Exit codes: 0 stopped in order; 1 it could not start; 2 usage; 130 stopped at once.

Examples:
  ias green --campaign capitals.yaml --port 9009
  ias chat http://127.0.0.1:9009 '{"participants": {"agent": "http://127.0.0.1:9019"}}'
`;

/** `ias green`: the built-in evaluator as an A2A agent, with AgentBeats' options. */
export const greenCommand: Command = {
  name: "green",
  summary: "Serve the built-in evaluator, which takes AgentBeats' assessments",
  help: HELP,
  options: { campaign: { type: "string" }, "allow-private": { type: "boolean" }, ...AGENT_OPTIONS },
  async run(args, io) {
    noPositionals(args);
    const file = args.text("campaign");
    if (file?.toLowerCase().endsWith(".toml") === true) throw usageError("--campaign takes a campaign (YAML); a scenario.toml has a green agent of its own.");
    const settings = readAgentSettings(args, io.env);
    const loaded = file === undefined ? undefined : await loadCampaign(file, (path) => readFileSync(path, "utf8"));
    const way = { allowLocal: settings.allowLocalTargets, allowPrivate: args.flag("allow-private") };
    await using fetch = createGuardedFetch(way);
    // The judge's address is the operator's own choice, as the campaign's file is.
    await using judgeFetch = createGuardedFetch({ allowLocal: true, allowPrivate: true });
    const engine = createGreenAgent({
      ...(loaded !== undefined && { campaign: loaded.campaign }),
      runCampaign,
      createLedger: createMemoryLedger,
      parts: {
        connect: (url, headers) => connectSubject(url, { headers, fetch }),
        fetch: judgeFetch,
        clock: systemClock,
        monotonic: () => performance.now(),
        random: Math.random,
        env: io.env,
        loadScorer: createScorerLoader(file ?? "."),
      },
    });
    const items = loaded?.campaign.items.length;
    const description = "Runs assessments in AgentBeats' form: battles judged by their tokens, with retries by class of failure.";
    const agent = { id: "green", name: "ias green", description, engine };
    const about = [
      `items    ${items === undefined ? "from each assessment's config" : `${items} of ${loaded?.campaign.name ?? ""}, scored by ${loaded?.campaign.green.kind ?? ""}`}`,
    ];
    // Awaited here: what was opened above is closed when this function ends.
    return await serveOneAgent(agent, { settings, io, facts: { items: items ?? null }, about });
  },
};
