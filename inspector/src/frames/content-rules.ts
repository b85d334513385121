import type { Message, Part, StreamResponse } from "../../../src/lib/model/a2a.ts";
import type { RuleBreak } from "./stream-rules.ts";

/** Says that a rule is broken. */
export type Say = (section: string, level: RuleBreak["level"], rule: string, where: string, found: string) => void;

/**
 * The rules of A2A 1.0.1 that are about what the members of one event mean, beyond their form (`checkEvent`): who speaks, that ids agree and are unique, that addresses,
 * media types and times are such. Nothing here trusts the form: what is not there breaks none of these.
 */
export function checkContents(event: StreamResponse, say: Say): void {
  if ("task" in event) {
    const { id, contextId, status, history = [], artifacts = [] } = event.task;
    checkStatus(status, { task: id, context: contextId }, "task.status", say);
    for (const [index, message] of history.entries()) checkMessage(message, { task: id, context: contextId }, `task.history.${index}`, say);
    checkUnique(
      history.map(({ messageId }) => messageId),
      "4.1.4",
      "A message's id is unique",
      "task.history",
      "messageId",
      say,
    );
    for (const [index, { parts, extensions }] of artifacts.entries()) checkHeld({ parts, extensions }, `task.artifacts.${index}`, say);
    checkUnique(
      artifacts.map(({ artifactId }) => artifactId),
      "4.1.7",
      "An artifact's id is unique within its task",
      "task.artifacts",
      "artifactId",
      say,
    );
  } else if ("message" in event) {
    const { message } = event;
    checkMessage(message, undefined, "message", say);
    checkSpeaker(message, "message", say);
    if (message.contextId === undefined || message.contextId === "")
      say("4.1.4", "MUST", "A server's message names its context", "message.contextId", "absent");
  } else if ("statusUpdate" in event) {
    const { taskId, contextId, status } = event.statusUpdate;
    checkStatus(status, { task: taskId, context: contextId }, "statusUpdate.status", say);
  } else {
    const { parts, extensions } = event.artifactUpdate.artifact;
    checkHeld({ parts, extensions }, "artifactUpdate.artifact", say);
  }
}

/** Whose message it is. */
interface Owner {
  readonly task: string | undefined;
  readonly context: string | undefined;
}

function checkStatus(
  status: { readonly state?: string; readonly timestamp?: string; readonly message?: Message } | undefined,
  owner: Owner,
  where: string,
  say: Say,
): void {
  const { state, timestamp, message } = status ?? {};
  if (timestamp !== undefined && Number.isNaN(Date.parse(timestamp)))
    say("5.6.1", "MUST", "A timestamp is a moment that there is", `${where}.timestamp`, timestamp);
  if (state === "TASK_STATE_AUTH_REQUIRED" && message === undefined)
    say("7.6.1", "SHOULD", "Who asks for authorization explains it in the status' message, unless agreed otherwise", `${where}.message`, "absent");
  if (message === undefined) return;
  checkMessage(message, owner, `${where}.message`, say);
  checkSpeaker(message, `${where}.message`, say);
}

function checkSpeaker({ role }: Message, where: string, say: Say): void {
  if (role === "ROLE_USER") say("4.1.5", "MUST", "What a server says is said by the agent: only a client's message is ROLE_USER", `${where}.role`, role);
}

function checkMessage(message: Message, owner: Owner | undefined, where: string, say: Say): void {
  const { taskId, contextId, parts, extensions } = message;
  if (differ(taskId, owner?.task)) say("3.4.3", "MUST", "A message's task is the one that it is in", `${where}.taskId`, `${taskId}, not ${owner?.task}`);
  if (differ(contextId, owner?.context)) say("3.4.3", "MUST", "A message's context is its task's", `${where}.contextId`, `${contextId}, not ${owner?.context}`);
  checkHeld({ parts, extensions }, where, say);
}

function differ(own: string | undefined, owners: string | undefined): boolean {
  return own !== undefined && own !== "" && owners !== undefined && owners !== "" && own !== owners;
}

/** What messages and artifacts have both. */
function checkHeld(
  { parts, extensions }: { readonly parts?: readonly Part[]; readonly extensions?: readonly string[] | undefined },
  where: string,
  say: Say,
): void {
  for (const [index, uri] of (Array.isArray(extensions) ? extensions : []).entries())
    if (!URL.canParse(String(uri))) say("4.6.1", "MUST", "An extension is named by its URI", `${where}.extensions.${index}`, String(uri));
  for (const [index, part] of (Array.isArray(parts) ? (parts as readonly Part[]) : []).entries()) checkPart(part, `${where}.parts.${index}`, say);
}

const MEDIA_TYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+*-]+\s*(?:;.*)?$/;

function checkPart({ url, mediaType }: Part, where: string, say: Say): void {
  if (typeof url === "string" && !URL.canParse(url))
    say("4.1.6", "SHOULD", "A part's url leads to its content from anywhere: it is absolute", `${where}.url`, url);
  if (typeof mediaType === "string" && mediaType !== "" && !MEDIA_TYPE.test(mediaType))
    say("4.1.6", "SHOULD", "A media type is a type and a subtype, as in text/plain", `${where}.mediaType`, mediaType);
}

function checkUnique(ids: readonly string[], section: string, rule: string, where: string, member: string, say: Say): void {
  const seen = new Set<string>();
  for (const [index, id] of ids.entries()) {
    if (seen.has(id)) say(section, "MUST", rule, `${where}.${index}.${member}`, `${id} again`);
    seen.add(id);
  }
}
