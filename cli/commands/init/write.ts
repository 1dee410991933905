/** The confirmed proposal, written to the branch or to a new file. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { BacktrailError, type Engine, makeRequestId } from '../../../engine/index.ts';
import { confirmConfig, confirmLedgerFetch } from '../../terminal/ask.ts';
import { destinationText } from '../../print/destination.ts';
import type { Written } from '../../print/proposal.ts';
import type { Context } from '../command.ts';

export const NOTHING: Written = {
  commit: null,
  file: null,
  findings: [],
  ledgerFetch: null,
  destination: null,
};

interface Write {
  readonly branch: string;
  readonly config: string;
  readonly file: string | undefined;
  /** Confirmed already. */
  readonly yes: boolean;
}

/** @throws CONFIRMATION_REQUIRED if the answer is no */
export async function writeProposal(
  { session }: Context,
  engine: Engine,
  { branch, config: text, file, yes }: Write,
): Promise<Written> {
  if (file !== undefined) {
    await writeNew(file, text);
    return { ...NOTHING, file };
  }
  const destination = await engine.destination(branch);
  if (!yes) await confirmConfig(branch, destinationText(destination));
  const fetch = await engine.ledgerFetch(branch);
  const follows = fetch !== null && (yes || (await confirmLedgerFetch(fetch.remote)));
  const { environment } = session;
  const id = makeRequestId(environment.clock.now(), environment.random(10));
  const author = await session.author(engine);
  const written = await engine.writeConfig({ branch, text, id, author });
  if (follows) await fetch.add();
  return { file: null, ...written, destination, ledgerFetch: follows ? fetch.remote : null };
}

/** Never overwrites an existing file: people edit it. */
async function writeNew(file: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text, { flag: 'wx' });
  } catch (cause) {
    const exists = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST';
    const message = exists ? `The file ${file} is there already.` : `The file ${file} cannot be written.`;
    throw new BacktrailError('INVALID_REQUEST', message, {
      hint: exists
        ? 'Name another file, or remove that one.'
        : 'Name a file in a folder that you may write to.',
      cause,
    });
  }
}
