import type { Artifact, Message, Part, StreamResponse, Task, TaskStatus } from "../model/a2a.ts";
import { EXTENSION_URI } from "../model/entry.ts";

/** Maps one part; the same part where nothing changes. */
export type MapPart = (part: Part) => Part;

/** A `StreamResponse`, or a bare Task or Message as it was decoded, with each of its parts mapped in order of the text. `data` is never looked into. */
export function mapParts(value: StreamResponse | Task | Message, map: MapPart): StreamResponse | Task | Message {
  if ("task" in value) return { ...value, task: mapTask(value.task, map) };
  if ("message" in value) return { ...value, message: mapMessage(value.message, map) };
  if ("artifactUpdate" in value) return { ...value, artifactUpdate: { ...value.artifactUpdate, artifact: mapArtifact(value.artifactUpdate.artifact, map) } };
  if ("statusUpdate" in value) {
    const { statusUpdate: update } = value;
    return { ...value, statusUpdate: { ...update, status: mapStatus(update.status, map), ...mapMetadata(update, map) } };
  }
  return "parts" in value ? mapMessage(value, map) : mapTask(value, map);
}

/** A Task with each of its parts mapped. */
export function mapTask(task: Task, map: MapPart): Task {
  return {
    ...task,
    status: mapStatus(task.status, map),
    ...(task.artifacts && { artifacts: task.artifacts.map((artifact) => mapArtifact(artifact, map)) }),
    ...(task.history && { history: task.history.map((message) => mapMessage(message, map)) }),
  };
}

function mapStatus(status: TaskStatus, map: MapPart): TaskStatus {
  return status.message === undefined ? status : { ...status, message: mapMessage(status.message, map) };
}

function mapMessage(message: Message, map: MapPart): Message {
  return { ...message, parts: message.parts.map(map) };
}

function mapArtifact(artifact: Artifact, map: MapPart): Artifact {
  return { ...artifact, parts: artifact.parts.map(map) };
}

/** Inputs and replies stand as messages in our extension's metadata, for the owner and the inspector. */
function mapMetadata(update: { readonly metadata?: Task["metadata"] }, map: MapPart): { readonly metadata?: NonNullable<Task["metadata"]> } {
  const own = update.metadata?.[EXTENSION_URI];
  if (own === null || typeof own !== "object" || !("message" in own)) return {};
  const message = own.message as unknown as Message;
  return { metadata: { ...update.metadata, [EXTENSION_URI]: { ...own, message: mapMessage(message, map) as unknown as NonNullable<Task["metadata"]> } } };
}
