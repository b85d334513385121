import type { VNode } from "preact";
import { Frame } from "./shell/frame.tsx";
import { TaskPage } from "./shell/task-page.tsx";
import { type Route, route } from "./router.ts";
import { lazy } from "./ui/lazy.tsx";
import { Home } from "./views/home/home.tsx";

const Talk = lazy(async () => (await import("./views/conversation/talk.tsx")).Talk);
const Tasks = lazy(async () => (await import("./views/tasks/tasks.tsx")).Tasks);
const Remotes = lazy(async () => (await import("./views/remote/remotes.tsx")).Remotes);
const Campaigns = lazy(async () => (await import("./views/campaigns/campaigns.tsx")).Campaigns);

/** The whole page. */
export function App(): VNode {
  return (
    <Frame>
      <View at={route.value} />
    </Frame>
  );
}

function View({ at }: { readonly at: Route }): VNode {
  switch (at.page) {
    case "home":
      return <Home view={at.view} />;
    case "talk":
      return <Talk panes={at.panes} />;
    case "task":
      return <TaskPage key={`${at.agent}/${at.task}`} agent={at.agent} task={at.task} view={at.view} />;
    case "tasks":
      return <Tasks />;
    case "remotes":
      return <Remotes />;
    case "campaigns":
      return <Campaigns rest={at.rest} query={at.query} />;
    case "unknown":
      return <Lost />;
  }
}

function Lost(): VNode {
  return (
    <div class="page">
      <h1>Nothing is at this address</h1>
      <p>
        The link may be mistyped, or of a newer version. <a href="/">Go to the start</a>, or look through <a href="/tasks">all tasks</a>.
      </p>
    </div>
  );
}
