import type { TObject, TSchema } from 'typebox';
import type { Permission } from '../contract/index.ts';
import type { Actor, Control } from '../control/index.ts';

export type ToolInput = Readonly<Record<string, unknown>>;
export type ToolOutput = Readonly<Record<string, unknown>>;

/** What a model may call: a use case of control with a name, a schema and honest hints. */
export interface Tool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** Needed besides the floor; control checks it again. */
  readonly permission: Permission;
  readonly input: TSchema;
  readonly output: TObject;
  readonly hints: ToolHints;
  run(control: Control, actor: Actor, input: ToolInput): Promise<ToolOutput>;
}

export interface ToolHints {
  readonly readOnlyHint: boolean;
  readonly destructiveHint: boolean;
  readonly idempotentHint: boolean;
  /** Whether it reaches beyond this installation, to a CA or a DNS provider. */
  readonly openWorldHint: boolean;
}

/** Every token that may use MCP at all has this. */
export const FLOOR: Permission = 'system.ingress.read';

export const READS: ToolHints = {
  readOnlyHint: true,
  destructiveHint: false,
  idempotentHint: true,
  openWorldHint: false,
};
/** Makes something, or asks for a mission; nothing that is there goes. */
export const MAKES: ToolHints = { ...READS, readOnlyHint: false, idempotentHint: false };
export const MAKES_ONCE: ToolHints = { ...MAKES, idempotentHint: true };
export const DESTROYS: ToolHints = { ...MAKES, destructiveHint: true, openWorldHint: true };

/** A text that the schema of the tool has checked. */
export const textOf = (input: ToolInput, field: string): string => String(input[field] ?? '');
