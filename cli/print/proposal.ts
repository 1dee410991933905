import type { Destination, Finding, Proposed } from '../../engine/index.ts';
import { destinationText } from './destination.ts';
import { environmentsText } from './history.ts';
import { printFindings } from './plan.ts';
import { short, type Style } from './style.ts';

export interface Written {
  readonly commit: string | null;
  /** Where that was published. */
  readonly destination: Destination | null;
  /** The remote whose ledger `git fetch` brings from now on. */
  readonly ledgerFetch: string | null;
  readonly file: string | null;
  /** What did not follow. */
  readonly findings: readonly Finding[];
}

export function proposalValue({ config, clear, environments, findings }: Proposed, written: Written) {
  const { commit, file, destination, ledgerFetch } = written;
  return {
    config: clear ? config : null,
    environments,
    findings: [...findings, ...written.findings],
    commit,
    destination,
    file,
    ledgerFetch,
  };
}

/** The text of the file, what it finds, and what to know about it. */
export function proposalText(
  style: Style,
  { config, clear, branch, environments, findings }: Proposed,
): string {
  const text = style.paint('reset', config);
  if (!clear) return text;
  return [
    style.paint('bold', `.backtrail/config.yaml for the branch ${branch}:`),
    '',
    text,
    style.paint('bold', 'It finds:'),
    '',
    environmentsText(style, environments),
    '',
    ...printFindings(style, findings),
  ].join('\n');
}

export function writtenText(
  style: Style,
  { branch }: Proposed,
  { commit, destination, file, findings, ledgerFetch }: Written,
): string {
  if (file !== null)
    return `${style.paint('green', 'Written')} to ${style.paint('reset', file)}; try it with --config, then commit it as .backtrail/config.yaml.`;
  const place = destination === null ? branch : destinationText(destination);
  const done = `${style.paint('green', 'Committed and published')} to ${style.paint('reset', place)} as ${style.paint('yellow', short(commit ?? ''))}. Next: backtrail environments`;
  const fetched =
    ledgerFetch === null
      ? []
      : [
          style.paint(
            'reset',
            `\`git fetch ${ledgerFetch}\` brings the ledger too from now on: git log refs/backtrail/remote/ledger`,
          ),
        ];
  return [done, ...fetched, ...printFindings(style, findings)].join('\n');
}
