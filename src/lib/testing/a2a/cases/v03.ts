import assert from "node:assert/strict";
import type { AgentContext, ConformanceCase } from "../conformance-case.ts";
import { onceForAgent } from "../conformance-case.ts";
import type { V03Endpoints } from "../discover.ts";
import { at, itemsAt, textAt } from "../json.ts";
import { v03JsonRpcCases } from "./v03-jsonrpc.ts";
import { v03RestCases } from "./v03-rest.ts";

/**
 * Version 0.3 for clients that send no `A2A-Version`: on JSON-RPC and REST (specification 0.3.0). The cases need an agent that answers
 * `tck-input-required` with a task that waits: the conformance agent, also as `COMPAT03=1`.
 */
export function v03Cases(endpoints: V03Endpoints): readonly ConformanceCase[] {
  const { card, jsonRpcUrl, restUrl } = endpoints;
  return [
    ...(card === undefined
      ? []
      : [
          onceForAgent(
            "v03.card",
            { level: "MUST", spec: "0.3: 5.5", title: "a client without version header gets a 0.3 card" },
            async (_context: AgentContext) => {
              for (const name of ["name", "description", "version", "url"]) assert.notEqual(textAt(card, name), "", name);
              assert.match(textAt(card, "protocolVersion"), /^0\.3/);
              assert.ok(URL.canParse(textAt(card, "url")), textAt(card, "url"));
              for (const name of ["defaultInputModes", "defaultOutputModes", "skills"]) assert.notEqual(itemsAt(card, name).length, 0, name);
              assert.equal(typeof at(card, "capabilities"), "object");
              const transports = [textAt(card, "preferredTransport"), ...itemsAt(card, "additionalInterfaces").map((item) => textAt(item, "transport"))];
              for (const transport of transports) assert.ok(["JSONRPC", "HTTP+JSON", "GRPC"].includes(transport), transport);
            },
          ),
        ]),
    ...(jsonRpcUrl === undefined ? [] : v03JsonRpcCases(jsonRpcUrl)),
    ...(restUrl === undefined ? [] : v03RestCases(restUrl)),
  ];
}
