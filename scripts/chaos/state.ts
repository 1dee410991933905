/** What a run knows of itself, in a file of its folder: with it, and the remote beside it, a killed run goes on. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const stateSchema = z.object({
  version: z.literal(1),
  seed: z.number(),
  rollbacks: z.number(),
  workers: z.number(),
  /** Waits and troubles last so many times as long. */
  pace: z.number(),
  /** Rollbacks whose batch was opened, voted on and enqueued. */
  opened: z.number(),
  /** Troubles so far; the next one has this number. */
  troubles: z.number(),
  /** How many of each kind. */
  kinds: z.record(z.string(), z.number()),
  /** Failures that the people saw, by code; they tried again. */
  refusals: z.record(z.string(), z.number()),
  bot: z.object({ pushed: z.number(), refused: z.number() }),
  retried: z.number(),
  /** Of all starts together. */
  seconds: z.number(),
  starts: z.number(),
  problems: z.array(z.string()),
});
export type State = z.infer<typeof stateSchema>;

export const newState = (of: Pick<State, 'seed' | 'rollbacks' | 'workers' | 'pace'>): State => ({
  version: 1,
  ...of,
  opened: 0,
  troubles: 0,
  kinds: {},
  refusals: {},
  bot: { pushed: 0, refused: 0 },
  retried: 0,
  seconds: 0,
  starts: 0,
  problems: [],
});

const fileOf = (folder: string) => join(folder, 'state.json');

/** Null where the folder holds no run. */
export function readState(folder: string): State | null {
  const path = fileOf(folder);
  return existsSync(path) ? stateSchema.parse(JSON.parse(readFileSync(path, 'utf8'))) : null;
}

export function writeState(folder: string, state: State): void {
  const path = fileOf(folder);
  writeFileSync(`${path}.new`, `${JSON.stringify(state, null, 1)}\n`);
  renameSync(`${path}.new`, path);
}
