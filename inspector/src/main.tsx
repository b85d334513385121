import "./theme/tokens.css";
import "./theme/base.css";
import "./theme/frame.css";
import "./theme/lists.css";
import { render } from "preact";
import { App } from "./app.tsx";
import { startRouter } from "./router.ts";
import { startDrop } from "./shell/open-file.ts";
import { warmUp } from "./shell/warm.ts";
import { callApi } from "./state/call.ts";
import { watchClock } from "./state/clock.ts";
import { loadServer } from "./state/server.ts";
import { startTheme } from "./theme/theme.ts";

startTheme();
startRouter();
startDrop();
void loadServer();
watchClock(() => void callApi("/api/session").catch(() => undefined));
const place = document.getElementById("app");
if (place !== null) {
  place.replaceChildren();
  render(<App />, place);
  warmUp();
}
