/**
 * How far each sink was told, `webhooks.json` in the state folder. Whoever loses it tells again what it cannot know to be told: so the file says
 * which sinks there are, and a sink that it does not name is a new one, while none is new where there is no file.
 */
import { randomUUID } from 'node:crypto';
import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Logger } from '../../workers/index.ts';
import { requirePrivate } from '../settings/state.ts';

const place = z.union([
  z.strictObject({ after: z.string().max(80) }),
  z.strictObject({ commit: z.string().max(64), requestId: z.string().max(100) }),
  z.strictObject({ records: z.string().max(64), id: z.string().max(100) }),
]);
const cursor = z.strictObject({
  /** Of the ledger: what comes after it was not looked at. */
  position: z.string().max(80),
  branch: z.strictObject({ commit: z.string().max(64).nullable(), time: z.number() }),
  /** Of the records of deployments; absent: they were not looked at yet. */
  records: z.string().max(64).exactOptional(),
  /** What was looked at, and has not been taken; oldest first. */
  waiting: z
    .array(
      z.strictObject({
        id: z.string().max(40),
        of: z.string().max(100),
        at: z.string().max(40),
        place,
      }),
    )
    .max(20_000),
});
const file = z.strictObject({ version: z.literal(1), sinks: z.record(z.string(), cursor) });

export type Cursor = Readonly<z.output<typeof cursor>>;

export interface Cursors {
  /** `new`: the others are known, and this one is not. `lost`: nothing is known. */
  of(sink: string): Cursor | 'new' | 'lost';
  /** As it is then; several changes may become one. A folder that cannot be written is logged, and tried again with the next change. */
  changed(sink: string, now: () => Cursor): void;
  /** When all that changed so far is written, or could not be. */
  written(): Promise<void>;
}

const FILE_BYTES = 64 * 1024 * 1024;

/** `sinks`: by name; what is known of any other one is forgotten. @throws INVALID_REQUEST where others may read the file */
export async function openCursors(
  folder: string,
  { sinks, logger }: { readonly sinks: readonly string[]; readonly logger: Logger },
): Promise<Cursors> {
  const path = join(folder, 'webhooks.json');
  const known = await readCursors(path, logger);
  const kept = new Map([...(known ?? [])].filter(([name]) => sinks.includes(name)));
  const looks = new Map<string, () => Cursor>();
  let writing: Promise<void> | null = null;
  let isDirty = false;
  let isBroken = false;
  const write = async () => {
    while (isDirty) {
      isDirty = false;
      for (const [name, look] of looks) kept.set(name, look());
      // Where one of several sinks has not begun, a file would make it a new one.
      if (known === null && kept.size < sinks.length) return;
      try {
        const unfinished = `${path}.${randomUUID()}`;
        const text = `${JSON.stringify({ version: 1, sinks: Object.fromEntries(kept) })}\n`;
        await writeFile(unfinished, text, { mode: 0o600, flag: 'wx', flush: true });
        await rename(unfinished, path);
        isBroken = false;
      } catch (error) {
        if (!isBroken) logger.error({ err: error }, 'how far webhooks are cannot be written');
        isBroken = true;
      }
    }
  };
  const begin = () => {
    writing ??= write().finally(() => {
      writing = null;
      // It changed after the last look.
      if (isDirty) begin();
    });
  };
  const settled = async (): Promise<void> => {
    if (writing === null) return;
    await writing;
    return settled();
  };
  return {
    of: (sink) => known?.get(sink) ?? (known === null ? 'lost' : 'new'),
    changed: (sink, now) => {
      looks.set(sink, now);
      isDirty = true;
      begin();
    },
    written: settled,
  };
}

/** Null: there is none that can be read. */
async function readCursors(path: string, logger: Logger): Promise<ReadonlyMap<string, Cursor> | null> {
  await requirePrivate(path);
  const found = await stat(path).catch(() => null);
  if (found === null) return null;
  const text = found.size > FILE_BYTES ? '' : await readFile(path, 'utf8');
  const parsed = file.safeParse(parseJson(text));
  if (parsed.success) return new Map(Object.entries(parsed.data.sinks));
  logger.error({ file: 'webhooks.json' }, 'how far webhooks are cannot be read: it counts as lost');
  return null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
