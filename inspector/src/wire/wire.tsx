import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect } from "preact/hooks";
import { LanesOfStream } from "../lanes/task-lanes.tsx";
import { spanText } from "../lanes/scale.ts";
import type { TaskViewProps } from "../shell/task-tabs.ts";
import { pageNow } from "../state/frame.ts";
import type { Connection, Resume } from "../state/stream.ts";
import type { Conditions } from "../state/transport.ts";
import { CONDITIONS, sumUp } from "./facts.ts";
import "./wire.css";

const AWAY: readonly (readonly [number, string])[] = [
  [0, "at once"],
  [800, "after 0.8 s"],
  [5000, "after 5 s"],
];

/** The tab Wire: drops the connection and shows what coming back cost: entries missed and repeated, by seq. Latency and throttling, too. */
export function Wire({ replay }: TaskViewProps): VNode {
  const { stream } = replay;
  const forMs = useSignal(800);
  const network = useSignal("good");
  const { resumes, missed, repeated } = stream.wire.value;
  const connection = stream.connection.value;
  void stream.version.value;
  useEffect(() => () => stream.throttle(undefined), [stream]);
  if (stream.source === "file") return <p class="lanes-empty muted">A file has no wire: there is nothing to cut.</p>;
  const sum = sumUp(stream.wire.value);
  const worsen = (name: string): void => {
    network.value = name;
    const conditions: Conditions | undefined = CONDITIONS.find((one) => one.name === name)?.conditions;
    stream.throttle(conditions);
  };
  return (
    <>
      <div class="wire">
        <section class="wire-act" aria-label="The wire">
          <button type="button" class="primary wire-cut" disabled={connection.kind !== "open"} onClick={() => stream.cut({ forMs: forMs.value })}>
            Cut the wire
          </button>
          <label class="field">
            Come back
            <select value={forMs.value} onChange={(event) => (forMs.value = Number(event.currentTarget.value))}>
              {AWAY.map(([ms, words]) => (
                <option key={ms} value={ms}>
                  {words}
                </option>
              ))}
            </select>
          </label>
          <label class="field">
            Network
            <select value={network.value} onChange={(event) => worsen(event.currentTarget.value)}>
              {CONDITIONS.map(({ name, words }) => (
                <option key={name} value={name}>
                  {words}
                </option>
              ))}
            </select>
          </label>
          <p class="wire-state" role="status">
            <ConnectionWords connection={connection} />
          </p>
        </section>
        <dl class="wire-facts" aria-label="What the cuts cost">
          <Fact name="cuts" value={resumes.length} />
          <Fact name="missed" value={missed} isGood={missed === 0} />
          <Fact name="repeated" value={repeated} isGood={repeated === 0} />
          <Fact name="entries here" value={stream.entries.length} />
        </dl>
        <p class="muted small">{sum}</p>
        {resumes.length > 0 && <Resumes resumes={resumes} />}
      </div>
      <LanesOfStream stream={stream} />
    </>
  );
}

function Fact({ name, value, isGood }: { readonly name: string; readonly value: number; readonly isGood?: boolean }): VNode {
  return (
    <div class={isGood === undefined ? "" : isGood ? "good" : "bad"} data-fact={name}>
      <dt>{name}</dt>
      <dd class="num">{value}</dd>
    </div>
  );
}

function Resumes({ resumes }: { readonly resumes: readonly Resume[] }): VNode {
  return (
    <div class="readers">
      <table>
        <caption class="sr">Every resumption</caption>
        <thead>
          <tr>
            {["Cut after", "Went on with", "Missed", "Repeated", "Took", "Opened as"].map((title) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {resumes
            .slice(-20)
            .reverse()
            .map(({ after, first, missed, repeated, tookMs, opening }) => (
              <tr key={`${after} ${first}`}>
                <td class="num">#{after}</td>
                <td class="num">#{first}</td>
                <td class="num">{missed}</td>
                <td class="num">{repeated}</td>
                <td class="num">{spanText(tookMs, tookMs < 1000 ? 1 : 10)}</td>
                <td>{opening}</td>
              </tr>
            ))}
        </tbody>
      </table>
    </div>
  );
}

function ConnectionWords({ connection }: { readonly connection: Connection }): VNode {
  const beat = useSignal(0);
  const isTimed = connection.kind === "cut" || connection.kind === "waiting";
  useEffect(() => {
    if (!isTimed) return;
    const timer = setInterval(() => (beat.value += 1), 100);
    return () => clearInterval(timer);
  }, [isTimed, beat]);
  void beat.value;
  switch (connection.kind) {
    case "open":
      return <>Connected.</>;
    case "connecting":
      return <>{connection.attempt === 1 ? "Connecting…" : `Connecting, attempt ${connection.attempt}…`}</>;
    case "cut":
      return <>Cut. Back in {spanText(Math.max(0, connection.until - pageNow()), 100)}.</>;
    case "waiting":
      return (
        <>
          {connection.why} Again in {spanText(Math.max(0, connection.until - pageNow()), 100)}.
        </>
      );
    case "ended":
      return <>The stream is sealed and wholly here: there is no wire any more. Send another message to have one.</>;
    case "failed":
      return <>{connection.why}</>;
    case "file":
      return <>A file has no wire.</>;
  }
}
