import type { Attempt } from "../../src/lib/campaign/attempt.ts";
import { joinKey } from "../../src/lib/model/key.ts";

/** What an agent might say to drive a terminal, a spreadsheet, a page, an XML reader, or a Markdown host. */
export const HOSTILE: readonly string[] = [
  `</script><script>document.title="pwned"</script>`,
  `<img src=x onerror="document.title='pwned'">`,
  `"><svg onload=document.title='pwned'>`,
  `</style><style>*{display:none}</style>`,
  `\u001b[2J\u001b]0;pwned\u0007\u009b31m`,
  `line\u2028separator\u2029paragraph\u0085next`,
  `\u202egnp.exe\u2066`,
  `nul\u0000bell\u0007 \ufffe\uffff \ud800 lone`,
  `=HYPERLINK("http://127.0.0.1","x")`,
  `+1+1`,
  `-2+3`,
  `@SUM(1)`,
  `\t=1+1`,
  `\r\n=1+1`,
  `＝1+1`,
  `]]> <!-- --> <![CDATA[ &amp; &#0;`,
  `| a | b |\n|---|---|\n# heading\n1. one`,
  `[click](javascript:alert(1)) ![x](http://127.0.0.1/x.png) <http://127.0.0.1> http://127.0.0.1 www.example.com`,
  "`code` **bold** @team #1 ~~no~~ $x$",
  `a,b;"c"`,
];

/** Attempts in which every text of others is hostile: one that passed, one that did not, one that failed after a stall. */
export function hostileAttempts(): readonly Attempt[] {
  const attempts = HOSTILE.flatMap((text, index): readonly Attempt[] => {
    const subject = text;
    const item = `${index} ${text}`;
    const measured = {
      events: 3,
      contents: 2,
      tokens: 5,
      ttftMs: 10,
      gapP50Ms: 5,
      gapP95Ms: 9,
      gapMaxMs: 10,
      tokensPerSecond: 5,
      workedMs: 1000,
      durationMs: 1000,
    };
    const base = {
      subject,
      item,
      repeat: 1,
      messageId: text,
      contextId: text,
      taskId: text,
      startedAt: 1_767_225_600_000 + index * 1000,
      measured,
      episodes: [],
    };
    const evidence = { kind: "unknown", text } as const;
    const failed = { kind: "failed", failure: { class: "stall", code: "INFERENCE_STALLED", message: text, evidence } } as const;
    const judged = { kind: "judged", answer: text, verdict: { pass: index % 2 === 0, score: 0.5, reason: text, detail: { text } } } as const;
    const battle = joinKey(subject.toWellFormed(), item.toWellFormed(), "1");
    return [
      {
        ...base,
        battle,
        attempt: 1,
        endedAt: base.startedAt + 1000,
        outcome: failed,
        episodes: [{ kind: "stalled", fromMs: 100, untilMs: 900, activity: text, evidence }],
      },
      { ...base, battle, attempt: 2, startedAt: base.startedAt + 1500, endedAt: base.startedAt + 2500, outcome: judged },
    ];
  });
  return attempts;
}
