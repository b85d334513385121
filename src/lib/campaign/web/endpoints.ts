import { z } from "zod";
import { defineEndpoint, defineRawEndpoint, type Endpoint, type EndpointRequest } from "../../api/endpoint.ts";
import { invalidField } from "../../model/errors.ts";
import type { ControlState } from "../ledger.ts";
import { compareCampaigns } from "../report/compare.ts";
import { battlesWithoutVerdict } from "../report/source.ts";
import type { CampaignDirectory, OpenCampaign } from "./directory.ts";
import { boardSchema, campaignListSchema, comparisonSchema, wishesSchema } from "./schemas.ts";
import { openAttempt, readCampaign, watchCampaign } from "./watch.ts";

const TAG = "Campaigns";
const LIMIT = 200;
const MAX_LIMIT = 2000;
const MAX_BATTLES = 10_000;

const limit = z.exactOptional(z.coerce.number().int().min(1).max(MAX_LIMIT).describe(`Battles that are shown, at most; ${LIMIT}`));
const battles = z.array(z.string().max(2000)).max(MAX_BATTLES).describe("Battles, as the board names them");

/**
 * Campaigns in the browser. All of it is for operators: a campaign's file names programs to run, and its results are no single user's. Started is only what
 * stands in the campaigns' folder, by its name.
 */
export function createCampaignEndpoints(directory: CampaignDirectory): readonly Endpoint[] {
  return [...readingEndpoints(directory), ...steeringEndpoints(directory)];
}

function readingEndpoints(directory: CampaignDirectory): readonly Endpoint[] {
  return [
    defineEndpoint({
      method: "GET",
      path: "/api/campaigns",
      tag: TAG,
      access: "operator",
      summary: "Campaigns that can be started, and those that were run here",
      reply: campaignListSchema,
      handle: async () => ({ body: { campaigns: await directory.list() } }),
    }),
    defineEndpoint({
      method: "GET",
      path: "/api/campaigns/{campaign}",
      tag: TAG,
      access: "operator",
      summary: "A campaign's board: how it stands, and its battles by phase",
      query: z.object({ limit }),
      reply: boardSchema,
      handle: async ({ params, query }) => ({ body: await readCampaign(directory, params.campaign, { limit: query.limit ?? LIMIT }) }),
    }),
    defineRawEndpoint({
      method: "GET",
      path: "/api/campaigns/{campaign}/events",
      tag: TAG,
      access: "operator",
      summary: "The board, again whenever it has changed",
      query: z.object({ limit }),
      reply: { mediaType: "text/event-stream", about: "unnamed events, each a `CampaignBoard`" },
      async handle({ params, query, signal }) {
        await directory.overview(params.campaign);
        return { kind: "events", headers: {}, events: watchCampaign(directory, params.campaign, { limit: query.limit ?? LIMIT, signal }) };
      },
    }),
    defineRawEndpoint({
      method: "GET",
      path: "/api/campaigns/{campaign}/battles/{battle}/{attempt}/events",
      tag: TAG,
      access: "operator",
      summary: "What arrived in an attempt, with what its runner saw; goes on while it runs",
      about: "The same form as a task's stream: `open`, entries with their cursor as `id`, `end`. `battle` is percent-encoded.",
      reply: { mediaType: "text/event-stream", about: "`open`, `StreamEntry`s, `end`" },
      async handle({ params, signal, raw }) {
        const after = Number(raw.header("last-event-id") ?? 0) || 0;
        const which = { name: params.campaign, battle: params.battle, attempt: Number(params.attempt), after, signal };
        return { kind: "events", headers: {}, events: await openAttempt(directory, which) };
      },
    }),
    defineEndpoint({
      method: "GET",
      path: "/api/campaigns/{campaign}/comparison/{base}",
      tag: TAG,
      access: "operator",
      summary: "A campaign set against an earlier one: what passed before and fails now, and what of it may be chance",
      reply: comparisonSchema,
      async handle({ params }) {
        await using before = await directory.open(params.base);
        await using now = await directory.open(params.campaign);
        return { body: await compareCampaigns(before.source, now.source, {}) };
      },
    }),
  ];
}

function steeringEndpoints(directory: CampaignDirectory): readonly Endpoint[] {
  type Wished = Pick<EndpointRequest<"{campaign}">, "params">;
  /** Leaves a wish for the runner, which sees it within a second; without one the next run does. */
  const wish = async ({ params }: Wished, change: Partial<ControlState>) => {
    const control = await directory.control(params.campaign);
    await control.write(change);
    return { body: await control.read() };
  };
  /** Of battles: they are looked up. */
  const wishOf = async (request: Wished, find: (open: OpenCampaign) => Promise<Partial<ControlState>>) => {
    await using open = await directory.open(request.params.campaign);
    return await wish(request, await find(open));
  };
  return [
    defineEndpoint({
      method: "POST",
      path: "/api/campaigns/{campaign}/start",
      tag: TAG,
      access: "operator",
      summary: "Starts a campaign of the campaigns' folder, or goes on with it: takes back a pause, and a cancel of all of it",
      async handle({ params }) {
        await directory.start(params.campaign);
        return { body: undefined };
      },
    }),
    defineEndpoint({
      method: "POST",
      path: "/api/campaigns/{campaign}/pause",
      tag: TAG,
      access: "operator",
      summary: "Starts no more battles until `resume`",
      reply: wishesSchema,
      handle: (request) => wish(request, { paused: true }),
    }),
    defineEndpoint({
      method: "POST",
      path: "/api/campaigns/{campaign}/resume",
      tag: TAG,
      access: "operator",
      summary: "Takes back `pause`, and the cancel of a whole campaign",
      reply: wishesSchema,
      handle: (request) => wish(request, { paused: false, canceled: false }),
    }),
    defineEndpoint({
      method: "POST",
      path: "/api/campaigns/{campaign}/cancel",
      tag: TAG,
      access: "operator",
      summary: "Stops a campaign, or single battles of it",
      body: z.object({ battles: z.exactOptional(battles) }).optional(),
      reply: wishesSchema,
      async handle(request) {
        const names = request.body?.battles;
        return await (names === undefined ? wish(request, { canceled: true }) : wishOf(request, async (open) => ({ cancelBattles: await known(open, names) })));
      },
    }),
    defineEndpoint({
      method: "POST",
      path: "/api/campaigns/{campaign}/requeue",
      tag: TAG,
      access: "operator",
      summary: "Has battles tried again, as if they had not been",
      body: z.object({ battles: z.exactOptional(battles), failed: z.exactOptional(z.boolean().describe("All that ended without a verdict")) }),
      reply: wishesSchema,
      handle: (request) =>
        wishOf(request, async (open) => ({
          requeueBattles: [
            ...(await known(open, request.body.battles ?? [])),
            ...(request.body.failed === true ? await battlesWithoutVerdict(open.source) : []),
          ],
        })),
    }),
  ];
}

/** `names`, all of which the ledger has. */
async function known({ source }: OpenCampaign, names: readonly string[]): Promise<readonly string[]> {
  for (const name of names) {
    if ((await source.ledger.attemptsOf(name)).length > 0) continue;
    throw invalidField("battles", `names ${JSON.stringify(name.slice(0, 100))}, which has not begun; the board has the names`);
  }
  return names;
}
