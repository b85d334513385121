import type { VNode } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { Replayed } from "../../replay/replayed.tsx";
import { hrefOfView, useReplay } from "../../replay/use-replay.ts";
import { TASK_TABS, type TaskViewProps } from "../../shell/task-tabs.ts";
import { countOf } from "../../state/figures.ts";
import { openStream } from "../../state/stream.ts";
import { createSse } from "../../state/sse.ts";
import { lazy } from "../../ui/lazy.tsx";
import { PhasePill } from "../../ui/phase.tsx";
import { Problem } from "../../ui/problem.tsx";
import { campaignPaths } from "./parts.tsx";

/** What a battle is looked at with: it is over or another process' affair, so nobody talks in it. */
const TABS = TASK_TABS.filter(({ id }) => id !== "conversation" && id !== "readers" && id !== "wire");
const VIEWS = new Map(TABS.map((tab) => [tab.id, lazy<TaskViewProps>(tab.load)]));

/** What arrived in one attempt of a battle, in the views of a task's stream. */
export function BattlePage(props: { readonly campaign: string; readonly battle: string; readonly attempt: string; readonly view: string }): VNode {
  const { campaign, battle, attempt, view } = props;
  const path = `/api/campaigns/${encodeURIComponent(campaign)}/battles/${encodeURIComponent(battle)}/${encodeURIComponent(attempt)}/events`;
  const stream = useMemo(() => openStream(campaign, `${battle}/${attempt}`, { transport: createSse(() => path) }), [campaign, battle, attempt, path]);
  useEffect(() => () => stream.close(), [stream]);
  const replay = useReplay(stream);
  const connection = stream.connection.value;
  const tab = TABS.find(({ id }) => id === view) ?? TABS[0];
  const Shown = tab === undefined ? undefined : VIEWS.get(tab.id);
  const { shown } = replay;
  void shown.version.value;
  const name = battle.split("/").map(decodeURIComponent).join(" / ");
  return (
    <>
      <header class="task-head">
        <p class="small">
          <a href={campaignPaths.board(campaign)}>{campaign}</a>
        </p>
        <div class="row wrap">
          <h1 class="cut-text">{name}</h1>
          <PhasePill phase={shown.phase.value} />
        </div>
        <div class="facts">
          <span class="num">attempt {attempt}</span>
          <span class="num">{countOf(shown)} entries</span>
          <span class="num">{shown.liveness.value.tokens} tokens</span>
        </div>
      </header>
      <nav class="tabs" aria-label="Views of this battle">
        {TABS.map(({ id, title }) => (
          <a key={id} href={hrefOfView(id)} aria-current={id === tab?.id ? "page" : undefined}>
            {title}
          </a>
        ))}
      </nav>
      {connection.kind === "failed" ? (
        <div class="page">
          <Problem title="This battle cannot be shown">{connection.why}</Problem>
        </div>
      ) : (
        tab !== undefined && Shown !== undefined && <Replayed tab={tab} view={Shown} replay={replay} />
      )}
    </>
  );
}
