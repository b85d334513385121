import { type Signal, useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import type { BattleRow, CampaignBoard, CampaignOverview } from "../../../../src/lib/model/api.ts";
import { messageOf } from "../../../../src/lib/model/errors.ts";
import { callApi } from "../../state/call.ts";
import { serverNow } from "../../state/clock.ts";
import { navigate } from "../../router.ts";
import { followBoard } from "./follow-board.ts";
import { Problem } from "../../ui/problem.tsx";
import { BattlePill, campaignPaths, Progress, spanWords, StatePill } from "./parts.tsx";

/** The live board of a campaign. */
export function Board({ name }: { readonly name: string }): VNode {
  const { board, lost, close } = useMemo(() => followBoard(name), [name]);
  const problem = useSignal<string | undefined>(undefined);
  const now = useSignal(serverNow());
  const only = useSignal("");
  useEffect(() => close, [close]);
  useEffect(() => {
    const timer = setInterval(() => {
      now.value = serverNow();
    }, 1000);
    return () => clearInterval(timer);
  }, [now]);

  const shown = board.value;
  if (shown === undefined)
    return (
      <div class="page">
        {lost.value === undefined ? (
          <div class="wait" role="status" aria-label="Loading" />
        ) : (
          <Problem title="This campaign cannot be shown">
            {lost.value} <a href="/campaigns">All campaigns</a>
          </Problem>
        )}
      </div>
    );
  const battles = only.value === "" ? shown.battles : shown.battles.filter(({ phase }) => phase === only.value);
  return (
    <div class="page wide">
      <header class="stack">
        <p class="small">
          <a href="/campaigns">Campaigns</a>
        </p>
        <div class="row wrap">
          <h1>{shown.name}</h1>
          <StatePill state={shown.state} />
          <span class="grow" />
          <Steering board={shown} problem={problem} />
        </div>
        {problem.value !== undefined && (
          <Problem title="That did not work" action={{ label: "Close", run: () => (problem.value = undefined) }}>
            {problem.value}
          </Problem>
        )}
        {lost.value !== undefined && <Problem title="The board stands still">{lost.value}</Problem>}
        {shown.problem !== undefined && <Problem title={shown.state === "new" ? "Its file is not right" : "Its last run ended"}>{shown.problem}</Problem>}
        <Progress of={shown} />
        <Facts board={shown} />
      </header>
      <Phases battles={shown.battles} only={only} />
      <section class="card table-card" aria-label="Battles" tabIndex={0}>
        <table class="battles">
          <thead>
            <tr>
              <th>Battle</th>
              <th>Phase</th>
              <th class="right">Since</th>
              <th class="right">Tokens</th>
              <th class="right">Tokens/s</th>
              <th class="right">First token</th>
              <th class="right">Score</th>
              <th>Stalls</th>
              <th>
                <span class="sr">Steer</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {battles.map((row) => (
              <Row key={row.battle} row={row} board={shown} now={now} problem={problem} />
            ))}
          </tbody>
        </table>
        {battles.length === 0 && shown.battles.length > 0 && <p class="muted empty-row">No battle is in this phase now.</p>}
        {shown.battles.length === 0 && <p class="muted empty-row">{shown.state === "new" ? "It has never been run." : "No battle has begun yet."}</p>}
        {shown.total > shown.battles.length && (
          <p class="muted small empty-row">
            {shown.battles.length} of {shown.total} battles are shown: those that run, and the newest.
          </p>
        )}
      </section>
      <Compare board={shown} />
    </div>
  );
}

function Facts({ board }: { readonly board: CampaignBoard }): VNode {
  const { attempts, stalls, tokens, subjects, startedAt, endedAt } = board;
  const took = startedAt === undefined ? undefined : (endedAt ?? serverNow()) - startedAt;
  return (
    <>
      <dl class="facts-row num">
        <Fact name="Attempts" value={attempts.toLocaleString("en")} />
        <Fact name="Stalls" value={String(stalls)} />
        <Fact name="Tokens" value={tokens.toLocaleString("en")} />
        {took !== undefined && (endedAt !== undefined || board.runner) && (
          <Fact name={endedAt === undefined ? "Running for" : "Took"} value={spanWords(took)} />
        )}
        {subjects.length > 1 && subjects.map(({ id, judged, passed }) => <Fact key={id} name={id} value={`${passed} of ${judged} passed`} />)}
      </dl>
    </>
  );
}

function Fact({ name, value }: { readonly name: string; readonly value: string }): VNode {
  return (
    <div>
      <dt class="small muted">{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** How many battles are in each phase; one can be looked at alone. */
function Phases({ battles, only }: { readonly battles: readonly BattleRow[]; readonly only: Signal<string> }): VNode {
  const counts = new Map<string, { count: number; running: boolean }>();
  // The one that is looked at stays, so that one comes back from it.
  if (only.value !== "") counts.set(only.value, { count: 0, running: false });
  for (const { phase, running } of battles) counts.set(phase, { count: (counts.get(phase)?.count ?? 0) + 1, running });
  return (
    <div class="row wrap" role="group" aria-label="Battles by phase">
      {[...counts].map(([phase, { count, running }]) => (
        <button key={phase} type="button" class="chip" aria-pressed={only.value === phase} onClick={() => (only.value = only.value === phase ? "" : phase)}>
          <BattlePill phase={phase} running={running} /> <span class="num">{count}</span>
        </button>
      ))}
    </div>
  );
}

function Row(props: {
  readonly row: BattleRow;
  readonly board: CampaignBoard;
  readonly now: Signal<number>;
  readonly problem: Signal<string | undefined>;
}): VNode {
  const { row, board, now, problem } = props;
  const campaign = board.name;
  const { wish, isAsked } = useWishes(campaign, problem);
  return (
    <tr class={row.phase === "stalled" ? "is-stalled" : undefined}>
      <td>
        <a href={campaignPaths.battle(campaign, row)}>
          {row.subject} / {row.item}
          {row.repeat > 1 && ` #${row.repeat}`}
        </a>
        {row.attempt > 1 && <span class="muted small"> attempt {row.attempt}</span>}
        {row.why !== undefined && <div class="muted small why">{row.why}</div>}
      </td>
      <td>
        <BattlePill phase={row.phase} running={row.running} />
        {row.liveness !== undefined && row.liveness.mode !== "stream" && (
          <div class="muted small" title={row.liveness.why}>
            judged by {row.liveness.mode}
          </div>
        )}
      </td>
      <td class="right num">{spanWords(Math.max(0, now.value - row.since))}</td>
      <td class="right num">{row.tokens.toLocaleString("en")}</td>
      <td class="right num">{row.tokensPerSecond?.toFixed(row.tokensPerSecond < 10 ? 1 : 0) ?? ""}</td>
      <td class="right num">{row.ttftMs === undefined ? "" : spanWords(row.ttftMs)}</td>
      <td class="right num">{row.score === undefined ? "" : Math.round(row.score * 1000) / 1000}</td>
      <td>
        <Episodes row={row} now={now.value} />
      </td>
      <td class="right">
        <Steer row={row} board={board} isAsked={isAsked} steer={(verb) => wish(verb, { battles: [row.battle] })} />
      </td>
    </tr>
  );
}

/** What can be asked for a battle, or what was asked and is not done: without a runner it waits for the next. */
function Steer(props: {
  readonly row: BattleRow;
  readonly board: CampaignBoard;
  readonly isAsked: (verb: string) => boolean;
  readonly steer: (verb: "cancel" | "requeue") => void;
}): VNode {
  const { row, board, isAsked, steer } = props;
  if (board.wishes.requeueBattles.includes(row.battle)) {
    const when = board.runner ? "" : board.startable ? ", after Go on" : ", at its next run";
    return <span class="muted small">tried again{when}</span>;
  }
  const verb = row.running ? "cancel" : "requeue";
  return (
    <button type="button" class="quiet small" disabled={isAsked(verb)} onClick={() => steer(verb)}>
      {row.running ? "Cancel" : "Try again"}
    </button>
  );
}

/** Slow and stalled times within the attempt, as a strip with words. */
function Episodes({ row, now }: { readonly row: BattleRow; readonly now: number }): VNode | null {
  if (row.episodes.length === 0) return null;
  const end = Math.max(1, (row.running ? now : row.since) - row.startedAt);
  const words = row.episodes.map(
    ({ kind, fromMs, untilMs, activity }) => `${kind} in ${activity} after ${spanWords(fromMs)}, for ${spanWords((untilMs ?? end) - fromMs)}`,
  );
  return (
    <span class="strip" role="img" aria-label={words.join("; ")} title={words.join("\n")}>
      {row.episodes.map(({ kind, fromMs, untilMs }, at) => (
        <span
          key={at}
          style={{ left: `${(100 * fromMs) / end}%`, width: `${Math.max(2, (100 * ((untilMs ?? end) - fromMs)) / end)}%`, background: `var(--phase-${kind})` }}
        />
      ))}
    </span>
  );
}

/** Asks the server for something, and knows what it has not answered yet: the button of that rests. */
function useWishes(campaign: string, problem: Signal<string | undefined>) {
  const asked = useSignal<readonly string[]>([]);
  const ask = async (verb: string, body?: unknown): Promise<void> => {
    problem.value = undefined;
    asked.value = [...asked.value, verb];
    try {
      await callApi(`/api/campaigns/${encodeURIComponent(campaign)}/${verb}`, { method: "POST", ...(body !== undefined && { body }) });
    } catch (error) {
      problem.value = messageOf(error);
    } finally {
      asked.value = asked.value.filter((other) => other !== verb);
    }
  };
  return { wish: (verb: string, body?: unknown): void => void ask(verb, body), isAsked: (verb: string): boolean => asked.value.includes(verb) };
}

function Steering({ board, problem }: { readonly board: CampaignBoard; readonly problem: Signal<string | undefined> }): VNode {
  const { name, runner, startable, wishes, battles, state } = board;
  const failed = battles.some(({ running, phase }) => !running && ["failed", "unknown", "canceled"].includes(phase));
  // Starting takes back a pause and a cancel: there is one button for all of it.
  const canStart = !runner && startable && (state !== "done" || wishes.requeueBattles.length > 0);
  const { wish, isAsked } = useWishes(name, problem);
  const button = (verb: string, body?: unknown) => ({ type: "button", disabled: isAsked(verb), onClick: () => wish(verb, body) }) as const;
  return (
    <div class="row wrap">
      {canStart && (
        <button class="primary" {...button("start")}>
          {state === "new" ? "Start" : "Go on"}
        </button>
      )}
      {runner && !wishes.paused && <button {...button("pause")}>Pause</button>}
      {!canStart && (wishes.paused || wishes.canceled) && <button {...button("resume")}>Resume</button>}
      {failed && <button {...button("requeue", { failed: true })}>Try failed again</button>}
      {runner && !wishes.canceled && (
        <button class="danger" {...button("cancel")}>
          Cancel
        </button>
      )}
    </div>
  );
}

/** Sets it against another campaign. */
function Compare({ board }: { readonly board: CampaignBoard }): VNode | null {
  const others = useSignal<readonly CampaignOverview[]>([]);
  useEffect(() => {
    callApi<{ campaigns: readonly CampaignOverview[] }>("/api/campaigns").then(
      ({ campaigns }) => {
        others.value = campaigns.filter(({ name, judged }) => name !== board.name && judged > 0);
      },
      () => undefined,
    );
  }, [board.name, others]);
  if (others.value.length === 0 || board.judged === 0) return null;
  return (
    <label class="field narrow">
      Compare with an earlier campaign
      <select
        onChange={({ currentTarget }) => {
          if (currentTarget.value !== "") navigate(campaignPaths.against(board.name, currentTarget.value));
        }}
      >
        <option value="">Choose…</option>
        {others.value.map(({ name }) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
