import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import type { AgentSummary, TaskSummary } from "../../../../src/lib/model/api.ts";
import { paths } from "../../router.ts";
import { OpenFileButton } from "../../shell/open-file-button.tsx";
import { followTasks, type LiveTasks } from "../../state/live.ts";
import { ThemeButton } from "../../shell/frame.tsx";
import { agentName, agents, server } from "../../state/server.ts";
import { whenWords } from "../../state/words.ts";
import { Icon } from "../../ui/icon.tsx";
import { lazy } from "../../ui/lazy.tsx";
import { StatePill } from "../../ui/state.tsx";
import { useHold } from "../../ui/use-hold.ts";
import { useNow } from "../../ui/use-now.ts";
import { DemoPlace, DemoTalk } from "./demo-talk.tsx";
import { demoBegun, demoTask, startDemo } from "./demo.ts";
import { LiveRow } from "./live-row.tsx";
import "./home.css";

const AllLanes = lazy<object>(async () => (await import("../../lanes/all-lanes.tsx")).AllLanes);

/** Agents that are shown at first: the streams below them should be in sight. */
const MOST_AGENTS = 6;

/** The start: who is here, what runs, what ran. */
export function Home({ view }: { readonly view: "overview" | "lanes" }): VNode {
  return view === "lanes" ? <AllLanes /> : <Overview />;
}

function Overview(): VNode {
  const tasks = useMemo(followTasks, []);
  useEffect(() => tasks.close, [tasks]);
  const isEmpty = tasks.isEmpty.value;
  const hasDemo = server.value?.features.includes("demo") === true;
  useEffect(() => {
    if (isEmpty === true && hasDemo) void startDemo();
  }, [isEmpty, hasDemo]);
  const demo = demoTask.value;
  // Before it is known what stands above, nothing below is shown, or it would be pushed away.
  const isKnown = server.value !== undefined && (isEmpty !== undefined || tasks.problem.value !== undefined);
  return (
    <div class="page home">
      <header class="stack">
        <div class="page-head">
          <h1>Agents, streaming</h1>
          <OpenFileButton label="Open file" title="A stream that was exported (.ndjson); it may be dropped anywhere on the page, too" />
        </div>
        <p class="muted lead">Each answer is a durable stream of numbered entries: watch it live, cut it off, come back, replay it.</p>
      </header>
      {demo !== undefined ? (
        <DemoTalk key={demo.task} agent={demo.agent} task={demo.task} />
      ) : (
        (demoBegun.value ?? (isEmpty === true && hasDemo)) && <DemoPlace />
      )}
      {isKnown && (
        <>
          <Agents />
          <Live tasks={tasks} hasDemo={hasDemo} />
          <Recent tasks={tasks} />
          {/* On a phone there is no side bar to have it. */}
          <div class="narrow-foot">
            <ThemeButton />
          </div>
        </>
      )}
    </div>
  );
}

function Agents(): VNode {
  const all = agents.value;
  const isWhole = useSignal(false);
  const shown = all === undefined || isWhole.value || all.length <= MOST_AGENTS ? all : all.slice(0, MOST_AGENTS);
  return (
    <section class="stack" aria-labelledby="agents-here">
      <div class="page-head">
        <h2 id="agents-here">Talk to an agent</h2>
        <a href={paths.remotes}>Bring any A2A agent</a>
      </div>
      <ul class="agents">
        {shown === undefined
          ? [0, 1].map((at) => <li key={at} class="card agent-card" aria-hidden="true" />)
          : shown.map((agent) => <AgentCard key={agent.id} agent={agent} />)}
      </ul>
      {all !== undefined && shown !== all && (
        <div>
          <button type="button" onClick={() => (isWhole.value = true)}>
            Show all {all.length} agents
          </button>
        </div>
      )}
    </section>
  );
}

function AgentCard({ agent }: { readonly agent: AgentSummary }): VNode {
  const { id, name, description, remote, skills } = agent;
  return (
    <li class="card agent-card">
      <h3 class="row">
        <span class="cut-text">{name}</span>
        {remote !== undefined && <span class="pill">A2A {remote.protocol}</span>}
      </h3>
      <p class="muted small about">{description}</p>
      <p class="small muted cut-text skills">
        {skills
          .filter((skill) => skill.name !== name)
          .map((skill) => skill.name)
          .join(" · ")}
      </p>
      <a class="button primary" href={paths.talk(id)} aria-label={`Talk to ${name}`}>
        <Icon name="talk" size={16} /> Talk
      </a>
    </li>
  );
}

function Live({ tasks, hasDemo }: { readonly tasks: LiveTasks; readonly hasDemo: boolean }): VNode {
  const live = tasks.live.value;
  const more = tasks.more.value;
  const hold = useHold((isHeld) => tasks.hold(isHeld ? "live" : undefined));
  return (
    <section class="stack" aria-labelledby="live-now" {...hold}>
      <div class="page-head">
        <h2 id="live-now">Live now</h2>
        {live !== undefined && live.length > 0 && <a href={paths.lanes}>See them as lanes</a>}
      </div>
      {tasks.problem.value !== undefined && <p class="muted">{tasks.problem.value}</p>}
      {live?.length === 0 ? (
        <div class="card nothing">
          <p>
            Nothing runs. Ask an agent something, here or with any A2A client, and its stream appears in this place: what it does, how fast, and whether it has
            stalled.
          </p>
          {hasDemo && (
            <button type="button" onClick={() => void startDemo({ again: true })}>
              Watch two agents talk
            </button>
          )}
        </div>
      ) : (
        <ul class="rows">
          {live?.map((task) => (
            <LiveRow key={task.task} task={task} />
          ))}
        </ul>
      )}
      {more > 0 && (
        <p class="small muted">
          {more} more {more === 1 ? "runs" : "run"}: <a href={paths.tasks}>all tasks</a>
        </p>
      )}
    </section>
  );
}

function Recent({ tasks }: { readonly tasks: LiveTasks }): VNode | null {
  const recent = tasks.recent.value;
  const now = useNow(10_000).value;
  const hold = useHold((isHeld) => tasks.hold(isHeld ? "recent" : undefined));
  if (recent === undefined || recent.length === 0) return null;
  return (
    <section class="stack" aria-labelledby="recently" {...hold}>
      <div class="page-head">
        <h2 id="recently">Recently</h2>
        <a href={paths.tasks}>All tasks</a>
      </div>
      <ul class="rows">
        {recent.map((task) => (
          <RecentRow key={task.task} task={task} now={now} />
        ))}
      </ul>
    </section>
  );
}

function RecentRow({ task, now }: { readonly task: TaskSummary; readonly now: number }): VNode {
  return (
    <li>
      <a class="row-link" href={paths.task(task.agent, task.task)}>
        <span class="who cut-text">{agentName(task.agent)}</span>
        <span class="what cut-text">{task.title ?? "…"}</span>
        <StatePill state={task.state} />
        <span class="small muted num when">{whenWords(task.statusAt, now)}</span>
      </a>
    </li>
  );
}
