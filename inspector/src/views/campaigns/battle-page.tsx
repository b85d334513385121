import type { VNode } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { useReplay } from "../../replay/use-replay.ts";
import { StreamViews } from "../../shell/stream-views.tsx";
import { TASK_TABS } from "../../shell/task-tabs.ts";
import { countOf } from "../../state/figures.ts";
import { openStream } from "../../state/stream.ts";
import { createSse } from "../../state/sse.ts";
import { countWords } from "../../state/words.ts";
import { PhasePill } from "../../ui/phase.tsx";
import { campaignPaths } from "./parts.tsx";

/** What a battle is looked at with: it is over or another process' affair, so nobody talks in it. */
const TABS = TASK_TABS.filter(({ id }) => id !== "conversation" && id !== "readers" && id !== "wire");

/** What arrived in one attempt of a battle, in the views of a task's stream. */
export function BattlePage(props: { readonly campaign: string; readonly battle: string; readonly attempt: string; readonly view: string }): VNode {
  const { campaign, battle, attempt, view } = props;
  const path = `/api/campaigns/${encodeURIComponent(campaign)}/battles/${encodeURIComponent(battle)}/${encodeURIComponent(attempt)}/events`;
  const names = battle.split("/").map(decodeURIComponent);
  const [subject = campaign] = names;
  const stream = useMemo(
    () => openStream(subject, `${battle}/${attempt}`, { transport: createSse(() => path), place: campaign }),
    [subject, campaign, battle, attempt, path],
  );
  useEffect(() => () => stream.close(), [stream]);
  const replay = useReplay(stream);
  const { shown } = replay;
  void shown.version.value;
  return (
    <>
      <header class="task-head">
        <p class="small">
          <a href={campaignPaths.board(campaign)}>{campaign}</a>
        </p>
        <div class="row wrap">
          <h1 class="cut-text">{names.join(" / ")}</h1>
          <PhasePill phase={shown.phase.value} />
        </div>
        <div class="facts">
          <span class="num">attempt {attempt}</span>
          <span class="num">{countOf(shown)} entries</span>
          <span class="num">{countWords(shown.liveness.value.tokens, "token")}</span>
        </div>
      </header>
      <StreamViews tabs={TABS} view={view} replay={replay} of="battle" />
    </>
  );
}
