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

/** CONFIRMATION_REQUIRED where the answer is no. */
export async function confirmConfig(branch: string): Promise<void> {
  const message = `Commit this as .backtrail/config.yaml on ${branch}?`;
  const go = await confirm({ message, initialValue: false, input: process.stdin, output: process.stderr });
  if (!isCancel(go) && go) return;
  cancel('Nothing was written.', { output: process.stderr });
  throw new BacktrailError('CONFIRMATION_REQUIRED', 'The proposal was not confirmed; nothing was written.', {
    hint: 'Write it to a file with --file FILE, change it there, and try it with --config FILE.',
  });
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
