// control owns what may be done: use cases, permissions and the audit of every write and refusal. REST, MCP and the
// command line do nothing but what is here. It refuses to know HTTP, and how an engine does what it is asked.
export { type Actor, may, requirePermission } from './actor.ts';
export type { ControlDeps } from './context.ts';
export { type Control, createControl } from './control.ts';
export type { Page, PageInput } from './page.ts';
export type * from './ports/index.ts';
export { SYSTEM } from './tokens.ts';
