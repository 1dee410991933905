/** The confirmed proposal, written to the branch or to a new file. */
import { type Engine, makeRequestId } from '../../../engine/index.ts';
import { confirmConfig, confirmLedgerFetch } from '../../terminal/ask.ts';
import { destinationText } from '../../print/destination.ts';
import type { Written } from '../../print/proposal.ts';
import { writeNew } from '../../write-new.ts';
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
