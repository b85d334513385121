/** A2A over WebSocket, a custom binding (A2A 1.0.1, section 12; PROTOCOL.md, section 9): what server and client call it. */

/** `protocolBinding` of an interface in the agent card. */
export const A2A_SOCKET_BINDING = "urn:infinite-agent-streams:binding:websocket:1";

/** The name of the WebSocket subprotocol. */
export const A2A_SOCKET_PROTOCOL = "a2a.jsonrpc.v1";
