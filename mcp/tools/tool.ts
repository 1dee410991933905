/** What all tools have: who asks, of which repository, and what becomes of failures. */
import type { CallToolResult, McpServer, ToolAnnotations } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { type Actor, type Engine, FAILURES, isFailure } from '../../engine/index.ts';
import { answer } from '../data.ts';

export interface ToolInput {
  readonly engine: Engine;
  /** In whose name it asks: their permissions, and no more. */
  readonly actor: Actor;
  /** What stands before the paths of the API, where people look at all of it; null: they use the command line. */
  readonly server: string | null;
  /** Since when answers are as of an earlier look, as the remote cannot be reached. */
  readonly offline: () => string | null;
  /** Called with what nobody foresaw. */
  readonly onInternal: (error: unknown) => void;
}

export type AddTool = (server: McpServer, input: ToolInput) => void;

export const READS: ToolAnnotations = {
  readOnlyHint: true,
  destructiveHint: false,
  idempotentHint: true,
  openWorldHint: false,
};

/** A failure is an answer that says its code and what can be done. Its own words may name what others wrote: they are data. */
export async function answering(
  { offline, onInternal }: Pick<ToolInput, 'offline' | 'onInternal'>,
  work: () => Promise<CallToolResult>,
): Promise<CallToolResult> {
  try {
    const done = await work();
    const since = offline();
    if (since === null) return done;
    const told = { type: 'text' as const, text: `The remote cannot be reached: this is as of ${since}.` };
    return { ...done, content: [told, ...done.content] };
  } catch (error) {
    if (!isFailure(error)) onInternal(error);
    const failure = isFailure(error)
      ? { code: error.code, message: error.message, hint: error.hint }
      : { code: 'INTERNAL' as const, message: 'Something unexpected failed.', hint: FAILURES.INTERNAL.hint };
    return {
      ...answer([`It failed with ${failure.code}; \`hint\` says what can be done.`], { error: failure }),
      isError: true,
    };
  }
}

export const scope = z
  .string()
  .min(1)
  .max(1024)
  .describe('[tenant/]environment[/service], for example acme/production/api-gateway');
export const fields = z
  .array(z.string().min(1).max(1024))
  .max(100)
  .optional()
  .describe('Single fields: short names of the configuration, or path#selector. Absent: all of the scope.');
export const limit = (usual: number) => z.int().min(1).max(50).default(usual);

/** As a shell takes it. */
export const quoted = (text: string): string =>
  /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;

/** `1 file`, `2 files`. */
export const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

export const peopleOf = (need: number): string => (need === 1 ? 'one person' : `${need} people`);
