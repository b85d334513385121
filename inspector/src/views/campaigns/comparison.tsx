import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect } from "preact/hooks";
import type { Comparison as Compared } from "../../../../src/lib/campaign/report/compare.ts";
import { messageOf } from "../../../../src/lib/model/errors.ts";
import { callApi } from "../../state/call.ts";
import { Problem } from "../../ui/problem.tsx";
import { campaignPaths } from "./parts.tsx";

/** A campaign set against an earlier one, battle by battle. */
export function Comparison({ campaign, base }: { readonly campaign: string; readonly base: string }): VNode {
  const compared = useSignal<Compared | undefined>(undefined);
  const problem = useSignal<string | undefined>(undefined);
  useEffect(() => {
    callApi<Compared>(`/api/campaigns/${encodeURIComponent(campaign)}/comparison/${encodeURIComponent(base)}`).then(
      (found) => {
        compared.value = found;
      },
      (error: unknown) => {
        problem.value = messageOf(error);
      },
    );
  }, [campaign, base, compared, problem]);
  const found = compared.value;
  return (
    <div class="page">
      <header class="stack">
        <p class="small">
          <a href={campaignPaths.board(campaign)}>{campaign}</a>
        </p>
        <h1>
          {campaign} against {base}
        </h1>
      </header>
      {problem.value !== undefined && <Problem title="These cannot be compared">{problem.value}</Problem>}
      {found === undefined && problem.value === undefined && <div class="wait" role="status" aria-label="Loading" />}
      {found !== undefined && (
        <>
          <ul class="says">
            {found.says.map((sentence) => (
              <li key={sentence}>{sentence}</li>
            ))}
          </ul>
          <section class="card table-card" aria-label="Items">
            <table>
              <thead>
                <tr>
                  <th>Item</th>
                  <th>Subject</th>
                  <th class="right">Battles</th>
                  <th class="right">Passed before</th>
                  <th class="right">Passed now</th>
                </tr>
              </thead>
              <tbody>
                {found.items.map((item) => (
                  <tr key={`${item.subject}/${item.item}`} class={item.nextPassed < item.basePassed ? "is-stalled" : undefined}>
                    <td>{item.item}</td>
                    <td>{item.subject}</td>
                    <td class="right num">{item.battles}</td>
                    <td class="right num">{item.basePassed}</td>
                    <td class="right num">{item.nextPassed}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
        </>
      )}
    </div>
  );
}
