import { setInterval } from "node:timers";
import type { Progress } from "../../campaign/progress.ts";
import { counted } from "../../campaign/report/words.ts";
import type { Io } from "../command.ts";
import type { ScreenLine } from "../screen.ts";
import { toJsonLine, toLine } from "../terminal.ts";
import { createLiveState, nameOf, type News } from "./live-state.ts";
import { renderLive } from "./live-view.ts";

/** Where progress goes, and how it is timed. */
export interface ShowOptions {
  /** Every token and every phase is told. */
  readonly verbose: boolean;
  /** ms; for what is since when. */
  readonly now: () => number;
}

/** Shows a campaign while it runs. */
export interface ProgressShow {
  /** Must not throw: it is a runner's `onProgress`. */
  readonly onProgress: (progress: Progress) => void;
  /** Something else to tell, for example that it stops. */
  say(text: string): void;
  /** Takes away what was drawn. Idempotent. */
  end(): void;
}

/** Redraws a second; also the shortest time between two frames. */
const FRAMES = 8;
const MAX_LINE = 2000;

/** JSON lines on stdout with `--json`; a live view where stderr is a terminal; else a line on stderr for each thing that happens. */
export function showProgress(io: Io, options: ShowOptions): ProgressShow {
  if (io.json) return jsonLines(io, options);
  return io.openScreen === undefined ? plainLines(io, options) : liveView(io.openScreen(), options);
}

/** Tokens are left out unless `verbose`: the rest is little, and says everything that happened. */
function jsonLines(io: Io, { verbose }: ShowOptions): ProgressShow {
  return {
    onProgress: (progress) => {
      if (progress.kind !== "tokens" || verbose) io.out(toJsonLine(progress));
    },
    say: () => undefined,
    end: () => undefined,
  };
}

function plainLines(io: Io, { verbose, now }: ShowOptions): ProgressShow {
  const { state, apply } = createLiveState();
  const say = (text: string): void => {
    const time = new Date(now()).toISOString().slice(11, 19);
    // Before it has begun nobody knows how many battles there are.
    const stand = state.target === 0 ? "" : `[${state.judged}/${state.target}] `;
    io.err(`${time} ${stand}${toLine(text, MAX_LINE)}\n`);
  };
  return {
    onProgress: (progress) => {
      const news = apply(progress, now());
      if (news !== undefined) say(news.text);
      else if (verbose) for (const text of detail(progress)) say(text);
    },
    say,
    end: () => undefined,
  };
}

function liveView(screen: ReturnType<NonNullable<Io["openScreen"]>>, { verbose, now }: ShowOptions): ProgressShow {
  const { state, apply } = createLiveState();
  let isOver = false;
  const draw = (): void => {
    if (!isOver && state.startedAt > 0) screen.draw(renderLive(state, { ...screen.size(), now: now() }));
  };
  const timer = setInterval(draw, 1000 / FRAMES);
  const offResize = screen.onResize(draw);
  const print = (news: News): void => screen.print([toScreenLine(new Date(now()).toISOString().slice(11, 19), news)]);
  return {
    onProgress: (progress) => {
      if (isOver) return;
      const news = apply(progress, now());
      if (!verbose) return;
      if (news !== undefined) print(news);
      else for (const text of detail(progress)) print({ tone: "quiet", text });
    },
    say: (text) => print({ tone: "strong", text }),
    end() {
      if (isOver) return;
      isOver = true;
      clearInterval(timer);
      offResize();
      screen.end();
    },
  };
}

function toScreenLine(time: string, { text, tone }: News): ScreenLine {
  return [
    { text: `${time} `, tone: "quiet" },
    { text, tone },
  ];
}

/** What only `--verbose` tells. */
function detail(progress: Progress): readonly string[] {
  switch (progress.kind) {
    case "attempt-started":
      return [`${nameOf(progress.attempt.battle)} attempt ${progress.attempt.attempt} ${progress.resumed ? "goes on" : "starts"}`];
    case "phase":
      return [`${nameOf(progress.battle)} ${progress.phase}`];
    case "tokens":
      return [`${nameOf(progress.battle)} ${counted(progress.tokens, "token")}${progress.text === undefined ? "" : `: ${JSON.stringify(progress.text)}`}`];
    case "started":
    case "liveness":
    case "attempt-ended":
    case "retry":
    case "requeued":
    case "concurrency":
    case "warning":
    case "ended":
      return [];
  }
}
