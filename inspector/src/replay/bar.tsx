import type { ReadonlySignal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect } from "preact/hooks";
import { spanText } from "../lanes/scale.ts";
import { isWriting } from "../shell/shortcuts.tsx";
import type { StreamStore } from "../state/stream.ts";
import { SPEEDS } from "./clock.ts";
import { holdReplay, replayOf } from "./session.ts";
import "./replay.css";

/** The bar under a stream's views: scrub by time or seq, play at 1× to 50×. The address holds the position, so that a link shows the very moment. */
export function ReplayBar({
  stream,
  at,
  moveTo,
}: {
  readonly stream: StreamStore;
  readonly at: ReadonlySignal<number | undefined>;
  readonly moveTo: (seq: number | undefined) => void;
}): VNode {
  const session = replayOf(stream, at, moveTo);
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || isWriting(event)) return;
      const seq = session.seq.peek() ?? stream.entries.at(-1)?.seq ?? 1;
      if (event.key === " " && !(event.target instanceof HTMLButtonElement)) session.toggle();
      else if (event.key === ",") session.seekSeq(Math.max(1, seq - 1));
      else if (event.key === ".") session.seekSeq(Math.min(stream.entries.at(-1)?.seq ?? 1, seq + 1));
      else return;
      event.preventDefault();
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, [session, stream]);
  useEffect(() => () => holdReplay(stream), [stream]);

  void stream.version.value;
  const last = stream.entries.at(-1)?.seq ?? 0;
  const { from, to } = { from: session.from.value, to: session.to.value };
  const time = session.time.value;
  const seq = session.seq.value;
  const isLive = seq === undefined;
  const playing = session.playing.value;
  return (
    <div class="replay" role="group" aria-label="Replay">
      <button type="button" class="replay-play" onClick={() => session.toggle()} disabled={last === 0} title="Space">
        <span aria-hidden="true">{playing ? "❚❚" : "▶"}</span>
        <span class="replay-word">{playing ? "Pause" : "Replay"}</span>
      </button>
      <input
        type="range"
        class="grow"
        aria-label="Moment"
        aria-valuetext={isLive ? "the live end" : `entry ${seq} of ${last}, ${spanText((time ?? from) - from, 100)} after the beginning`}
        min={0}
        max={Math.max(1, to - from)}
        step={1}
        value={(time ?? to) - from}
        disabled={last === 0}
        onInput={(event) => session.seekTime(from + Number(event.currentTarget.value))}
      />
      <span class="num small replay-time">
        {spanText((time ?? to) - from, 100)} <span class="muted">/ {spanText(to - from, 100)}</span>
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
            if (Number.isInteger(wanted) && wanted >= 1) session.seekSeq(Math.min(last, wanted));
          }}
        />
      </label>
      <select aria-label="Speed" value={session.speed.value} onChange={(event) => session.setSpeed(Number(event.currentTarget.value))}>
        {SPEEDS.map((speed) => (
          <option key={speed} value={speed}>
            {speed}×
          </option>
        ))}
      </select>
      <button type="button" class={isLive ? "quiet" : ""} onClick={() => session.leave()} disabled={isLive}>
        {stream.source === "file" || stream.connection.value.kind === "ended" ? "To the end" : "Live"}
      </button>
    </div>
  );
}
