import { type CardFinding, checkCard, isCardRight, verifySignatures } from "../a2a/card-check.ts";
import { fetchRawCard } from "../client/card.ts";
import { createGuardedFetch } from "../net/guarded-fetch.ts";
import { type Command, EXIT } from "./command.ts";
import { CONNECT_HELP, CONNECT_OPTIONS, DEFAULT_URL, headersOf, withScheme } from "./connect.ts";
import { toJsonLine, toJsonText, toLine } from "./terminal.ts";

const HELP = `Usage: ias card [url] [options]

Fetches the agent card of any A2A agent and examines it rule by rule, by A2A 1.0.1 and, where the
card speaks it, by 0.3. Signatures are verified with the keys that they point to. The URL is an
agent's, its server's or its card's; without one it is ${DEFAULT_URL}.

  --all                 also the rules that are kept
  --raw                 the card itself, nothing else
${CONNECT_HELP}

Exit codes: 0 no MUST is broken; 1 no card; 2 usage; 3 a MUST is broken.

Examples:
  ias card
  ias card https://agent.example.com --all
  ias card http://127.0.0.1:4000/a2a/team --raw
`;

/** `ias card`. */
export const cardCommand: Command = {
  name: "card",
  summary: "Fetch an agent card and examine it rule by rule",
  help: HELP,
  options: { ...CONNECT_OPTIONS, all: { type: "boolean" }, raw: { type: "boolean" } },
  async run(args, io) {
    const [url = DEFAULT_URL] = args.positionals;
    // The operator chose the address, so private and loopback ones are fine.
    await using fetch = createGuardedFetch({ allowLocal: true, allowPrivate: true });
    const fetched = await fetchRawCard(withScheme(url), { fetch, headers: headersOf(args, io) });
    if (args.flag("raw")) {
      io.out(io.json ? toJsonLine(fetched.raw) : toJsonText(fetched.raw));
      return EXIT.ok;
    }
    const findings = [...checkCard(fetched.raw, fetched), ...(await verifySignatures(fetched.raw, fetch))];
    const right = isCardRight(findings);
    if (io.json) io.out(toJsonLine({ url: fetched.url, right, findings, card: fetched.raw }));
    else {
      const told = (name: string, width: number): string => toLine(typeof fetched.raw[name] === "string" ? fetched.raw[name] : `(no ${name})`, width);
      io.out(`${told("name", 60)} ${told("version", 20)}: ${told("description", 200)}\n${fetched.url}\n\n`);
      for (const finding of findings) if (!finding.ok || args.flag("all")) io.out(`${toText(finding)}\n`);
      io.out(`${summary(findings)}\n`);
    }
    return right ? EXIT.ok : EXIT.negative;
  },
};

function toText(finding: CardFinding): string {
  const mark = finding.ok ? "ok  " : finding.level === "MUST" ? "FAIL" : "note";
  const rule = `${mark} ${finding.level.padEnd(6)} ${toLine(finding.rule, 80)}`;
  return finding.ok ? rule : `${rule}\n            found ${toLine(finding.found, 120)}\n            expected ${finding.expected}`;
}

function summary(findings: readonly CardFinding[]): string {
  const broken = (level: CardFinding["level"]): number => findings.filter((finding) => !finding.ok && finding.level === level).length;
  const kept = findings.filter((finding) => finding.ok).length;
  return `${kept} of ${findings.length} rules kept; broken: ${broken("MUST")} MUST, ${broken("SHOULD")} SHOULD, ${broken("MAY")} MAY`;
}
