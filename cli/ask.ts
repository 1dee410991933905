/** Questions on the terminal, and what counts as a reason. */
import { cancel, confirm, isCancel, text } from '@clack/prompts';
import { BacktrailError } from '../engine/index.ts';

/** REASON_REQUIRED where nothing readable is left. */
export function requireReason(reason: string | undefined): void {
  if (reason === undefined || !/[\p{L}\p{N}\p{P}\p{S}]/u.test(reason)) {
    throw new BacktrailError('REASON_REQUIRED', 'A rollback needs a reason.');
  }
}

/** Asks for the reason, where it is not known, and whether to go on; gives the reason. */
export async function confirmRollback(known: string | undefined): Promise<string> {
  const streams = { input: process.stdin, output: process.stderr };
  const reason =
    known ??
    (await text({
      message: 'Why? (becomes part of the record)',
      ...streams,
      validate: (value) => complain(value),
    }));
  if (isCancel(reason)) throw stopped();
  const go = await confirm({ message: 'Roll back?', initialValue: false, ...streams });
  if (isCancel(go) || !go) throw stopped();
  return reason;
}

function complain(value: string | undefined): string | undefined {
  try {
    requireReason(value);
    return undefined;
  } catch {
    return 'A rollback needs a reason.';
  }
}

function stopped(): BacktrailError {
  cancel('Nothing was changed.', { output: process.stderr });
  return new BacktrailError('CONFIRMATION_REQUIRED', 'The rollback was not confirmed; nothing was changed.');
}
