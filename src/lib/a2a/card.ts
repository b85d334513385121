import type { Agent } from "../engine/agent.ts";
import type { JsonObject } from "../model/a2a.ts";
import { IasError } from "../model/errors.ts";
import type { Page } from "../net/page.ts";
import type { SecurityScheme } from "../tenancy/authenticator.ts";
import { buildCard, type CardFacts, mergeCards, toLegacyCard, withoutDefaults } from "./card/build.ts";
import { type CardForm, type CardPageOptions, createCardPage } from "./card/page.ts";
import { signCard } from "./card/sign.ts";
import type { Cards } from "./server.ts";
import { JWKS_PATH, type SigningKey } from "./signing-key.ts";

/** What the cards of a server are made of. */
export interface CardsOptions {
  readonly agents: ReadonlyMap<string, Agent>;
  /** Default: the first agent. */
  readonly defaultAgent?: string;
  /** The server's own URL without a trailing slash: `PUBLIC_URL`, else where it listens. */
  readonly origin: () => string;
  /** `host:port` of the gRPC server, once it listens. */
  readonly grpc?: () => string | undefined;
  /** Whether protocol 0.3 is served too. Default true. */
  readonly serves03?: boolean;
  /** From the authenticator. */
  readonly schemes: readonly SecurityScheme[];
  /** What readers get that name no version. Default `merged`; a conformance suite of 1.0 alone wants `1.0`. */
  readonly bare?: CardForm;
  /** Whether the WebSocket binding is declared; true. */
  readonly websocket?: boolean;
  /** Signs the cards; its public half must be shown at `JWKS_PATH`. */
  readonly signingKey?: SigningKey;
  /** Who asks for the card of an agent that is one caller's own. Throws `unauthenticated`. Absent: such cards are not shown. */
  readonly authenticate?: NonNullable<CardPageOptions["authenticate"]>;
  readonly now: () => number;
}

/** The cards of a server's agents, and the page that shows the public ones. */
export function createCards(options: CardsOptions): Cards & { readonly page: Page } {
  const { agents, signingKey, serves03 = true, defaultAgent = [...agents.keys()][0] ?? "" } = options;
  /** By agent, then by facts and form: agents do not change, but where the server listens is known late. */
  const made = new WeakMap<Agent, Map<string, Promise<JsonObject>>>();

  const factsNow = (): CardFacts => ({
    origin: options.origin(),
    grpc: options.grpc?.(),
    defaultAgent,
    serves03,
    websocket: options.websocket ?? true,
    schemes: options.schemes,
  });

  const cached = (agent: Agent, name: string, facts: CardFacts, make: () => Promise<JsonObject>): Promise<JsonObject> => {
    const cards = made.get(agent) ?? new Map<string, Promise<JsonObject>>();
    made.set(agent, cards);
    const key = JSON.stringify([name, facts.origin, facts.grpc]);
    const card = cards.get(key) ?? make();
    cards.set(key, card);
    return card;
  };

  const inForm = async (agent: Agent, unsigned: JsonObject, form: CardForm, facts: CardFacts): Promise<JsonObject> => {
    if (form === "0.3") return toLegacyCard(unsigned, agent, facts);
    const card = signingKey === undefined ? unsigned : await signCard(unsigned, signingKey, `${facts.origin}${JWKS_PATH}`);
    return form === "merged" ? mergeCards(card, agent, facts) : card;
  };

  const publicCard = (agent: Agent, form: CardForm): Promise<JsonObject> => {
    const facts = factsNow();
    return cached(agent, form, facts, () => inForm(agent, buildCard(agent, facts), form, facts));
  };

  return {
    card: publicCard,
    async extended({ agent, version }) {
      const { extendedCard } = agent;
      if (extendedCard === undefined) throw new IasError("unsupported-operation", `The agent ${agent.id} has no extended card; its card says so.`);
      const facts = factsNow();
      return cached(agent, `extended ${version}`, facts, () => inForm(agent, withoutDefaults({ ...buildCard(agent, facts), ...extendedCard }), version, facts));
    },
    page: createCardPage({
      agents,
      defaultAgent,
      bare: options.bare ?? "merged",
      card: publicCard,
      ...(options.authenticate !== undefined && { authenticate: options.authenticate }),
      since: options.now(),
    }),
  };
}
