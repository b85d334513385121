import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect } from "preact/hooks";
import type { CampaignOverview } from "../../../../src/lib/model/api.ts";
import { messageOf } from "../../../../src/lib/model/errors.ts";
import { callApi } from "../../state/call.ts";
import { serverNow } from "../../state/clock.ts";
import { whenWords } from "../../state/words.ts";
import { Problem } from "../../ui/problem.tsx";
import { BattlePage } from "./battle-page.tsx";
import { Board } from "./board.tsx";
import "./campaigns.css";
import { campaignPaths, Progress, StatePill } from "./parts.tsx";
import { Comparison } from "./comparison.tsx";

/** Campaigns: all of them, one's board, a battle's stream, one set against another. `rest` is the address after `/campaigns`. */
export function Campaigns({ rest, query }: { readonly rest: readonly string[]; readonly query: URLSearchParams }): VNode {
  const [name, what, first, second] = rest;
  if (name === undefined || name === "") return <List />;
  if (what === "battles" && first !== undefined && second !== undefined)
    return <BattlePage key={rest.join("/")} campaign={name} battle={first} attempt={second} view={query.get("view") ?? "lanes"} />;
  if (what === "against" && first !== undefined) return <Comparison key={rest.join("/")} campaign={name} base={first} />;
  return <Board key={name} name={name} />;
}

/** How often the list is asked for again, ms. */
const LIST_MS = 2000;

function List(): VNode {
  const campaigns = useSignal<readonly CampaignOverview[] | undefined>(undefined);
  const problem = useSignal<string | undefined>(undefined);
  useEffect(() => {
    const gone = new AbortController();
    const load = async (): Promise<void> => {
      try {
        campaigns.value = (await callApi<{ campaigns: readonly CampaignOverview[] }>("/api/campaigns", { signal: gone.signal })).campaigns;
        problem.value = undefined;
      } catch (error) {
        if (!gone.signal.aborted) problem.value = messageOf(error);
      }
    };
    void load();
    const timer = setInterval(() => void load(), LIST_MS);
    return () => {
      clearInterval(timer);
      gone.abort();
    };
  }, [campaigns, problem]);
  return (
    <div class="page">
      <header class="stack">
        <h1>Campaigns</h1>
        <p class="muted">Many battles of agents against questions, judged by their tokens: who is slow is waited for, who hangs is found.</p>
      </header>
      {problem.value !== undefined && <Problem title="Campaigns cannot be shown">{problem.value}</Problem>}
      {campaigns.value === undefined && problem.value === undefined && <div class="wait" role="status" aria-label="Loading" />}
      {campaigns.value?.length === 0 && <Nothing />}
      <ul class="campaigns">
        {campaigns.value?.map((one) => (
          <li key={one.name} class="card campaign">
            <div class="row wrap">
              <h2 class="grow">
                <a href={campaignPaths.board(one.name)}>{one.name}</a>
              </h2>
              <StatePill state={one.state} />
            </div>
            {one.state !== "new" || one.problem === undefined ? <Progress of={one} /> : null}
            {one.problem !== undefined && <p class="small bad-text">{one.problem}</p>}
            <p class="muted small">{one.startedAt === undefined ? "Never run" : `Begun ${whenWords(one.startedAt, serverNow())}`}</p>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Nothing(): VNode {
  return (
    <div class="card none stack">
      <h2>No campaign yet</h2>
      <p>A campaign is a file with questions, the agents that are asked, and who judges. Run one on a terminal, and it appears here while it runs:</p>
      <pre>npm run -s ias -- campaign run recipes/campaign/campaign.yaml</pre>
      <p>
        To start campaigns from this page, name the folder of their files: <code>CAMPAIGNS_DIR=recipes/campaign npm start</code>.
      </p>
    </div>
  );
}
