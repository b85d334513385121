/** Where the specification stands that entries are held against: A2A 1.0.1. */
const SPECIFICATION = "https://github.com/a2aproject/A2A/blob/v1.0.1/docs/specification.md";

/** The headings of the sections that rules name. */
const TITLES: Readonly<Record<string, string>> = {
  "3.1.2": "Send Streaming Message",
  "3.2.3": "Stream Response",
  "3.2.5": "Metadata",
  "3.4.1": "Context Identifier Semantics",
  "3.4.3": "Multi-Turn Conversation Patterns",
  "3.5.2": "Streaming Event Delivery",
  "3.7": "Messages and Artifacts",
  "4.1.1": "Task",
  "4.1.2": "TaskStatus",
  "4.1.3": "TaskState",
  "4.1.4": "Message",
  "4.1.5": "Role",
  "4.1.6": "Part",
  "4.1.7": "Artifact",
  "4.2.1": "TaskStatusUpdateEvent",
  "4.2.2": "TaskArtifactUpdateEvent",
  "4.6.1": "Extension Declaration",
  "5.5": "JSON Field Naming Convention",
  "5.6.1": "Timestamps",
  "5.7": "Field Presence and Optionality",
  "7.6.1": "In-Task Authorization Agent Responsibilities",
  "A.2.1": "Breaking Change: Kind Discriminator Removed",
};

/** A section as a link tells it: its heading, and its address. Undefined for what is not A2A's (`PROTOCOL.md 2`). */
export function sectionOf(section: string): { readonly title: string; readonly href: string } | undefined {
  const title = TITLES[section];
  if (title === undefined) return undefined;
  const anchor = `${section} ${title}`
    .toLowerCase()
    .replaceAll(/[^\w -]/g, "")
    .replaceAll(" ", "-");
  return { title, href: `${SPECIFICATION}#${anchor}` };
}
