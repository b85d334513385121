import type { RefObject, VNode } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { paths } from "../../router.ts";
import { openStream } from "../../state/stream.ts";
import { useTranscript } from "../../state/use-transcript.ts";
import { PhasePill } from "../../ui/phase.tsx";

/** Two agents talking, on the first visit: a field of one height, so that nothing moves while they do. */
export function DemoTalk({ agent, task }: { readonly agent: string; readonly task: string }): VNode {
  const stream = useMemo(() => openStream(agent, task), [agent, task]);
  useEffect(() => () => stream.close(), [stream]);
  const { blocks } = useTranscript(stream);
  const box = useRef<HTMLOListElement>(null);
  const version = stream.version.value;
  useEffect(() => {
    if (box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  }, [version]);
  const lines = blocks.flatMap((block) => {
    if (block.kind === "user") return [{ id: block.id, who: "this page", text: block.message.parts.map(({ text }) => text ?? "").join("") }];
    if (block.kind === "text") return [{ id: block.id, who: block.path === "" ? agent : block.path, text: block.text }];
    return block.kind === "delegation" ? [{ id: block.id, who: block.from, text: `asks ${block.to}` }] : [];
  });
  return <DemoCard box={box} pill={<PhasePill phase={stream.phase.value} />} lines={lines} href={paths.task(agent, task, { view: "lanes" })} />;
}

/** Text with what stands between backticks as code; one that has no other yet stays as it is. */
function withCode(text: string): readonly (string | VNode)[] {
  return text.split(/`([^`\n]+)`/).map((piece, at) => (at % 2 === 1 ? <code key={at}>{piece}</code> : piece));
}

/** Its place, before it has begun: what stands below does not move when it does. */
export function DemoPlace(): VNode {
  return <DemoCard pill={<PhasePill phase="connecting" />} lines={[]} href={paths.lanes} />;
}

function DemoCard(props: {
  readonly box?: RefObject<HTMLOListElement | null>;
  readonly pill: VNode;
  readonly lines: readonly { readonly id: number; readonly who: string; readonly text: string }[];
  readonly href: string;
}): VNode {
  const { box, pill, lines, href } = props;
  return (
    <section class="card demo" aria-labelledby="demo-title">
      <div class="page-head">
        <h2 id="demo-title">Two agents, talking</h2>
        {pill}
      </div>
      <ol class="demo-lines" {...(box !== undefined && { ref: box })} tabIndex={0} aria-label="What they say">
        {lines.map(({ id, who, text }) => (
          <li key={id}>
            <span class="who">{who}</span>
            <span>{withCode(text)}</span>
          </li>
        ))}
      </ol>
      <p class="small muted">
        A demonstration that this page began: the built-in agents answer from a script, without a key or a model, and nothing leaves this machine.{" "}
        <a href={href}>See this stream as lanes</a>
      </p>
    </section>
  );
}
