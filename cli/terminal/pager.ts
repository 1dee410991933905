/** Long results on a terminal go through a pager, as git's do. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Pager } from './pager-choice.ts';
import { wrapped } from '../print/table.ts';

export { type Pager, pagerOf } from './pager-choice.ts';

type Variables = Pager['env'];

/** Does it fit on one screen? */
export const fits = (text: string, { columns, rows }: Pager): boolean =>
  text.split('\n').length < rows && wrapped(text, columns).split('\n').length < rows;

/**
 * Shows a text in the pager, and waits until it ends. Gives false where there is no such pager, and nothing was shown. One that ends
 * before it has read everything has shown what its user wanted to see.
 */
export async function page(text: string, { command, env }: Pager): Promise<boolean> {
  if (!isThere(command, env)) return false;
  // Ctrl-C is for the pager.
  const stay = () => undefined;
  process.on('SIGINT', stay);
  try {
    const child = spawn('/bin/sh', ['-c', command], { stdio: ['pipe', 'inherit', 'inherit'], env });
    child.stdin.on('error', stay);
    const ended = once(child, 'close');
    child.stdin.end(text);
    const [code] = await ended;
    // Exit codes of the shell for a command that it cannot find or run.
    return code !== 127 && code !== 126;
  } catch {
    return false;
  } finally {
    process.off('SIGINT', stay);
  }
}

/** A plain command that is not on PATH is not tried, to avoid an error of the shell; anything else only the shell can resolve. */
function isThere(command: string, env: Variables): boolean {
  const [word = ''] = command.split(/\s+/);
  if (!/^[\w.+/-]+$/.test(word)) return true;
  const places = word.includes('/')
    ? [word]
    : (env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, word));
  return places.some((place) => {
    try {
      accessSync(place, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
