import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { AgentSummary, CardFinding, CardReport, RemoteBody } from "../../../../src/lib/model/api.ts";
import { IasError } from "../../../../src/lib/model/errors.ts";
import { here, navigate, paths, setQuery } from "../../router.ts";
import { callApi } from "../../state/call.ts";
import { agents, loadAgents, server } from "../../state/server.ts";
import { Icon } from "../../ui/icon.tsx";
import { Problem } from "../../ui/problem.tsx";
import "./remotes.css";

/** Any A2A agent, by its address: its card examined rule by rule, and then it is talked to like those of this server. */
export function Remotes(): VNode {
  const url = useSignal(here.peek().searchParams.get("url") ?? "");
  const token = useSignal("");
  const headers = useSignal("");
  const report = useSignal<CardReport | undefined>(undefined);
  const problem = useSignal<IasError | undefined>(undefined);
  const busy = useSignal<"card" | "add" | undefined>(undefined);
  const isShared = useSignal(false);
  /** What is under way, to be given up: an agent that never answers would be waited for. */
  const asking = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => asking.current?.abort(), []);
  const body = (): RemoteBody => ({
    url: url.peek().trim(),
    ...(token.peek().trim() !== "" && { token: token.peek().trim() }),
    ...(headers.peek().trim() !== "" && { headers: readHeaders(headers.peek()) }),
  });
  const attempt = async (what: "card" | "add", work: (signal: AbortSignal) => Promise<void>): Promise<void> => {
    const mine = new AbortController();
    asking.current = mine;
    busy.value = what;
    problem.value = undefined;
    try {
      await work(mine.signal);
    } catch (error) {
      if (!mine.signal.aborted) problem.value = IasError.from(error);
    } finally {
      busy.value = undefined;
    }
  };
  const examine = (event: Event): void => {
    event.preventDefault();
    report.value = undefined;
    // The address bar says whose card it is; with a password in it, it does not.
    const asked = url.peek().trim();
    setQuery({ url: asked.includes("@") ? undefined : asked });
    void attempt("card", async (signal) => {
      report.value = await callApi<CardReport>("/api/cards", { method: "POST", body: body(), signal });
    });
  };
  const talk = (): void =>
    void attempt("add", async (signal) => {
      const shared = isOperator() && isShared.peek() && { shared: true };
      const { id } = await callApi<AgentSummary>("/api/remotes", { method: "POST", body: { ...body(), ...shared }, signal });
      token.value = "";
      await loadAgents();
      navigate(paths.talk(id));
    });
  return (
    <div class="page">
      <header class="stack">
        <h1>Any agent</h1>
        <p class="muted lead">
          Paste the address of an A2A agent, of version 1.0 or 0.3: its card is fetched and held against the specification rule by rule. Then talk to it, and
          see its stream like any other here. Calls go through this server.
        </p>
      </header>
      <form class="card remote-form" onSubmit={examine}>
        <label class="field">
          Address
          <input
            type="url"
            required
            value={url.value}
            placeholder="https://agent.example.com"
            autocomplete="off"
            spellcheck={false}
            onInput={(event) => (url.value = event.currentTarget.value)}
          />
        </label>
        <details>
          <summary>It needs a token or headers</summary>
          <div class="stack">
            <label class="field">
              Token, sent as Authorization: Bearer
              <input type="password" autocomplete="off" value={token.value} onInput={(event) => (token.value = event.currentTarget.value)} />
            </label>
            <label class="field">
              Headers, one a line
              <textarea
                rows={3}
                placeholder="X-Api-Key: …"
                value={headers.value}
                spellcheck={false}
                onInput={(event) => (headers.value = event.currentTarget.value)}
              />
            </label>
          </div>
        </details>
        {isOperator() && (
          <label class="row">
            <input type="checkbox" checked={isShared.value} onChange={(event) => (isShared.value = event.currentTarget.checked)} />
            <span>When it is talked to, share it with all callers of this server, who then act by these headers</span>
          </label>
        )}
        <div class="row wrap">
          <button type="submit" class="primary" disabled={busy.value !== undefined}>
            {busy.value === "card" ? "Fetching…" : "Examine its card"}
          </button>
          <button type="button" disabled={busy.value !== undefined || url.value.trim() === ""} onClick={talk}>
            <Icon name="talk" size={16} /> {busy.value === "add" ? "Connecting…" : "Talk to it"}
          </button>
          {busy.value !== undefined && (
            <button type="button" onClick={() => asking.current?.abort()}>
              Cancel
            </button>
          )}
        </div>
      </form>
      {problem.value !== undefined && (
        <Problem title="That agent was not reached">
          {problem.value.message.replace(/[^.!?]$/, "$&.")}
          {/ALLOW_LOCAL|private|loopback/i.test(problem.value.message) ? "" : " Check the address in a browser: its card is at /.well-known/agent-card.json."}
        </Problem>
      )}
      {report.value !== undefined && <Report report={report.value} />}
      <Added />
    </div>
  );
}

/** Headers as they are written: a name, a colon, a value. Throws `invalid-params` with the line that is not. */
export function readHeaders(text: string): Readonly<Record<string, string>> {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf(":");
      if (at < 1) throw new IasError("invalid-params", `${JSON.stringify(line.slice(0, 80))} is no header; right is Name: value.`);
      return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    }),
  );
}

function Report({ report }: { readonly report: CardReport }): VNode {
  const { url, card, right, findings } = report;
  const wrong = findings.filter(({ ok }) => !ok);
  const name = typeof card["name"] === "string" ? card["name"] : "The agent";
  const about = typeof card["description"] === "string" ? card["description"] : "";
  return (
    <section class="stack" aria-labelledby="report-title">
      <div class="page-head">
        <h2 id="report-title">{name}</h2>
        <span class={`pill ${right ? "right" : "wrong"}`}>{right ? "keeps every MUST" : "breaks a MUST"}</span>
      </div>
      {about !== "" && <p>{about}</p>}
      <p class="muted small mono wrap-any">{url}</p>
      <p class="num">
        {findings.length - wrong.length} of {findings.length} rules are kept.
      </p>
      {wrong.length > 0 && <Findings findings={wrong} label="Rules that it breaks" />}
      <details>
        <summary>The rules that it keeps</summary>
        <Findings findings={findings.filter(({ ok }) => ok)} label="Rules that it keeps" />
      </details>
      <details>
        <summary>The card itself</summary>
        <pre class="data" tabIndex={0}>
          {JSON.stringify(card, undefined, 2)}
        </pre>
      </details>
    </section>
  );
}

function Findings({ findings, label }: { readonly findings: readonly CardFinding[]; readonly label: string }): VNode {
  return (
    <div class="card table-box" tabIndex={0} role="region" aria-label={label}>
      <table class="table findings">
        <thead>
          <tr>
            <th scope="col">Rule</th>
            <th scope="col">Level</th>
            <th scope="col">Found</th>
            <th scope="col">Right is</th>
          </tr>
        </thead>
        <tbody>
          {findings.map(({ rule, level, ok, found, expected }, at) => (
            <tr key={at}>
              <td class="asked-cell mono">{rule}</td>
              <td class={`level-cell ${ok ? "" : level === "MUST" ? "bad" : "warn"}`}>{level}</td>
              <td class="asked-cell found-cell">{found}</td>
              <td class="asked-cell right-cell">{expected}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Whether the caller may add and remove what all callers have. */
function isOperator(): boolean {
  return server.value?.principal.roles.includes("operator") === true;
}

/** Foreign agents that stand among those of this server. */
function Added(): VNode | null {
  const remote = (agents.value ?? []).filter((agent) => agent.remote !== undefined);
  const problem = useSignal<string | undefined>(undefined);
  if (remote.length === 0) return null;
  const remove = async (id: string): Promise<void> => {
    try {
      await callApi(`/api/remotes/${encodeURIComponent(id)}`, { method: "DELETE" });
      await loadAgents();
    } catch (error) {
      problem.value = IasError.from(error).message;
    }
  };
  return (
    <section class="stack" aria-labelledby="added-title">
      <h2 id="added-title">Added to this server</h2>
      {problem.value !== undefined && <Problem title="It was not removed">{problem.value}</Problem>}
      <ul class="rows added">
        {remote.map(({ id, name, remote: at }) => (
          <li key={id} class="row wrap">
            <a href={paths.talk(id)}>{name}</a>
            <span class="pill">A2A {at?.protocol}</span>
            {at?.shared === true && (
              <span class="pill" title="All callers of this server have it">
                shared
              </span>
            )}
            <span class="grow small muted mono cut-text">{at?.url}</span>
            {(at?.shared !== true || isOperator()) && (
              <button type="button" class="quiet danger" onClick={() => void remove(id)} aria-label={`Remove ${name}`}>
                Remove
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
