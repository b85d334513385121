import type { VNode } from "preact";
import { useEffect } from "preact/hooks";
import { spanText } from "../lanes/scale.ts";
import { isWriting } from "../shell/shortcuts.tsx";
import { SPEEDS } from "./clock.ts";
import type { ReplaySession } from "./session.ts";
import "./replay.css";

/** The bar under a stream's views: scrub by time or seq, play at 1× to 50×. The address holds the position, so that a link shows the very moment. */
export function ReplayBar({ replay }: { readonly replay: ReplaySession }): VNode {
  const { stream } = replay;
  useKeys(replay);
  void stream.version.value;
  const last = stream.entries.at(-1)?.seq ?? 0;
  const { from, to } = { from: replay.from.value, to: replay.to.value };
  const time = replay.time.value ?? to;
  const seq = replay.seq.value;
  const isLive = seq === undefined;
  const playing = replay.playing.value;
  return (
    <div class={isLive ? "replay" : "replay past"} role="group" aria-label="Replay">
      <button type="button" class="replay-play" onClick={() => replay.toggle()} disabled={last === 0} title="Space">
        <span aria-hidden="true">{playing ? "❚❚" : "▶"}</span>
        <span class="replay-word">{playing ? "Pause" : "Replay"}</span>
      </button>
      <input
        type="range"
        class="grow"
        aria-label="Moment"
        aria-valuetext={isLive ? "the live end" : `entry ${seq} of ${last}, ${spanText(time - from, 100)} after the beginning`}
        min={0}
        max={Math.max(1, to - from)}
        step={stepOf(to - from)}
        value={time - from}
        disabled={last === 0}
        onInput={(event) => replay.seekTime(from + Number(event.currentTarget.value))}
      />
      <span class="num small replay-time">
        {spanText(time - from, 100)} <span class="muted">/ {spanText(to - from, 100)}</span>
      </span>
      <label class="row small">
        <span class="muted">Entry</span>
        <input
          class="num replay-seq"
          type="number"
          min={1}
          max={last}
          value={seq ?? last}
          aria-label="Entry"
          onChange={(event) => {
            const wanted = Number(event.currentTarget.value);
            if (Number.isInteger(wanted) && wanted >= 1) replay.seekSeq(Math.min(last, wanted));
          }}
        />
      </label>
      <select aria-label="Speed" value={replay.speed.value} onChange={(event) => replay.setSpeed(Number(event.currentTarget.value))}>
        {SPEEDS.map((speed) => (
          <option key={speed} value={speed}>
            {speed}×
          </option>
        ))}
      </select>
      {stream.isHeld.value && (
        <span class="small replay-held" role="status">
          The page is full, and reads on with Live.
        </span>
      )}
      <button type="button" class={isLive ? "quiet" : "primary"} onClick={() => replay.leave()} disabled={isLive}>
        {stream.connection.value.kind === "open" ? "Live" : "To the end"}
      </button>
    </div>
  );
}

/** In the bar's place where a view is about now: why, and where the replay stands meanwhile. */
export function NoReplay({ replay, why }: { readonly replay: ReplaySession; readonly why: string }): VNode {
  useEffect(() => replay.hold(), [replay]);
  const seq = replay.seq.value;
  return (
    <p class="replay replay-none muted small" role="note">
      {why} {seq !== undefined && `The replay stands at entry ${seq} in the other views.`}
    </p>
  );
}

/** Space plays and pauses; comma and full stop go an entry back and on. */
function useKeys(replay: ReplaySession): void {
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || (isWriting(event) && !isSlider(event))) return;
      const { entries } = replay.stream;
      const last = entries.at(-1)?.seq ?? 1;
      const seq = replay.seq.peek() ?? last;
      if (event.key === " " && !isPressable(event.target)) replay.toggle();
      else if (event.key === ",") replay.seekSeq(Math.max(entries[0]?.seq ?? 1, seq - 1));
      else if (event.key === ".") replay.seekSeq(Math.min(last, seq + 1));
      else return;
      event.preventDefault();
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, [replay]);
}

/** Whether it was pressed at a slider, which has no use for these keys. */
function isSlider({ target, ctrlKey, metaKey, altKey }: KeyboardEvent): boolean {
  return target instanceof HTMLInputElement && target.type === "range" && !ctrlKey && !metaKey && !altKey;
}

/** Whether Space already does something there. */
function isPressable(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("button, summary, audio, video") !== null;
}

/** How far an arrow key moves the slider: about a thousandth, a round number of ms. */
function stepOf(ms: number): number {
  return Math.max(1, 10 ** Math.floor(Math.log10(Math.max(1, ms / 1000))));
}
