/** Questions on the terminal. */
import { BacktrailError, requireReason } from '../../engine/index.ts';
import { clean } from './clean.ts';

/** Loaded where something is asked. */
const prompts = () => import('@clack/prompts');

const streams = { input: process.stdin, output: process.stderr };

/** Asks for the reason, where it is not known, and whether to go on; gives the reason. */
export async function confirmRollback(known: string | undefined, question = 'Roll back?'): Promise<string> {
  const { isCancel, text } = await prompts();
  const reason =
    known ??
    (await text({
      message: 'Why? (becomes part of the record)',
      ...streams,
      validate: (value) => complain(value),
    }));
  if (isCancel(reason)) throw await stopped();
  await confirmGoing(question);
  return reason;
}

/** @throws CONFIRMATION_REQUIRED if the answer is no */
export async function confirmGoing(question: string): Promise<void> {
  const { confirm, isCancel } = await prompts();
  const go = await confirm({ message: question, initialValue: false, ...streams });
  if (isCancel(go) || !go) throw await stopped();
}

/** @throws CONFIRMATION_REQUIRED if the answer is no */
export async function confirmConfig(branch: string, destination: string): Promise<void> {
  const { cancel, confirm, isCancel } = await prompts();
  const message = clean(
    `Commit this as .backtrail/config.yaml on ${branch}? It is published to ${destination}.`,
  );
  const go = await confirm({ message, initialValue: false, ...streams });
  if (!isCancel(go) && go) return;
  cancel('Nothing was written.', { output: process.stderr });
  throw new BacktrailError('CONFIRMATION_REQUIRED', 'The proposal was not confirmed; nothing was written.', {
    hint: 'Write it to a file with --file FILE, change it there, and try it with --config FILE.',
  });
}

/** Whether the clone's own configuration may be changed, so that its `git fetch` brings the ledger too. */
export async function confirmLedgerFetch(remote: string): Promise<boolean> {
  const { confirm, isCancel } = await prompts();
  const message = clean(`Have \`git fetch ${remote}\` in this clone bring the ledger of rollbacks too?`);
  const go = await confirm({ message, initialValue: true, ...streams });
  return !isCancel(go) && go;
}

/** The index of the chosen layout. @throws CONFIRMATION_REQUIRED if none was chosen */
export async function chooseLayout(
  layouts: readonly { readonly label: string; readonly hint: string }[],
): Promise<number> {
  const { cancel, isCancel, select } = await prompts();
  const none = layouts.length;
  const options = layouts.map(({ label, hint }, value) => ({
    value,
    label: clean(`${value + 1}. ${label}`),
    hint: clean(hint),
  }));
  const chosen = await select<number>({
    message: 'Which of these is yours?',
    options: [...options, { value: none, label: 'none of them', hint: 'nothing is written' }],
    ...streams,
  });
  if (!isCancel(chosen) && chosen !== none) return chosen;
  cancel('Nothing was written.', { output: process.stderr });
  throw new BacktrailError('CONFIRMATION_REQUIRED', 'No layout was chosen; nothing was written.', {
    hint: 'Give an example with --like PATH=environment/service, or write the file by hand: docs/layouts.md.',
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

async function stopped(): Promise<BacktrailError> {
  const { cancel } = await prompts();
  cancel('Nothing was changed.', { output: process.stderr });
  return new BacktrailError('CONFIRMATION_REQUIRED', 'It was not confirmed; nothing was changed.', {
    hint: 'Run it again when you want it; the plan is shown before it asks.',
  });
}
