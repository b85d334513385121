export { defineAgent } from "./lib/engine/define-agent.ts";
export type { Agent, AgentOptions, CardExtension, Skill } from "./lib/engine/agent.ts";
export type { AgentEvent, Approval, Engine, Turn, Usage } from "./lib/engine/engine.ts";
export { say, scripted, tokens } from "./lib/engine/scripted.ts";
export type { Script, ScriptFunction, ScriptStep, ScriptedOptions } from "./lib/engine/scripted.ts";
export { IasError } from "./lib/model/errors.ts";
export type { ErrorCode } from "./lib/model/errors.ts";
