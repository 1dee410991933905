/** What another program writes to standard input. */
import { BacktrailError } from '../../engine/model/failure.ts';

const MOST = 16 * 1024 * 1024;

/** @throws INVALID_REQUEST for more than 16 MiB, and for a terminal */
export async function readInput(): Promise<string> {
  if (process.stdin.isTTY) throw invalid('A terminal is no input.');
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > MOST) throw invalid('The input is larger than 16 MiB.');
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const invalid = (message: string) =>
  new BacktrailError('INVALID_REQUEST', message, { hint: 'See `backtrail guard --help`.' });
