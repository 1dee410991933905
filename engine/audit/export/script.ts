/**
 * A script for `sh` that holds an export against a clone with git and ssh-keygen alone. Whatever it says of the repository stands in it as data: in
 * single quotes, or in lists whose lines begin with an object id, so that no name can end one.
 */
import type { ObjectId } from '../../model/index.ts';
import { cleanValue } from '../../record/trailers.ts';
import { SKEW_MS } from '../../requests/ledger/times.ts';
import type { Made } from './change.ts';
import type { ChainLink } from './population.ts';
import type { AuditExport } from './types.ts';
import { CHECKS } from './script-text.ts';

export interface Stated extends Omit<AuditExport, 'script'> {
  readonly made: readonly Made[];
  /** Oldest first. */
  readonly chain: readonly ChainLink[];
  /** Commits of the period that are rollbacks, or say so, and were not asked for. */
  readonly others: readonly ObjectId[];
}

export function scriptOf(stated: Stated): string {
  const { branch, ledger, period, made, chain, others, signers, madeAt } = stated;
  const values = {
    branch: branch.name,
    tip: branch.tip,
    first: branch.first ?? '',
    last: branch.last ?? '',
    commits: String(branch.commits),
    ledger: ledger.ref,
    ledger_tip: ledger.tip ?? '',
    ledger_commits: String(ledger.commits),
    from: String(Date.parse(period.from) / 1000),
    until: String(Date.parse(period.until) / 1000),
    now: String((Date.parse(madeAt) + SKEW_MS) / 1000),
  };
  const lines = [
    '#!/bin/sh',
    ...HEAD,
    `# The period from ${period.from} on and before ${period.until}, as exported at ${madeAt}.`,
    ...Object.entries(values).map(([name, value]) => `${name}=${quoted(value)}`),
    'changes() {',
    ...listed([...made.flatMap(changeLines), ...others.map((id) => `${id} - - - was not asked for`)]),
    '}',
    'chain() {',
    ...listed(chain.map(({ commit, signed }) => `${commit} ${signed?.key ?? '-'} ${emailOf(signed?.email)}`)),
    '}',
    'signers() {',
    ...(signers ?? '')
      .trimEnd()
      .split('\n')
      .map((line) => `printf '%s\\n' ${quoted(line)}`),
    '}',
    CHECKS,
  ];
  return lines.join('\n');
}

const HEAD = [
  '# Holds an export of `backtrail audit export` against a clone, with git and ssh-keygen alone.',
  '#',
  '#   git clone URL clone && git -C clone fetch origin "+refs/backtrail/*:refs/backtrail/*"',
  '#   sh verify.sh clone',
  '#',
  '# In a clone of your own: git holds what it fetches against the ids. A line for each check; ends with 0 where all hold, else with 1.',
];

/** Of one change, and of the commit of its manifests: commit, tree, the commit before it, target, and what people read. */
function changeLines({ change, deliveryTree, isTargetOnLine }: Made): string[] {
  const { commit, tree, base, target, deliveryCommit, requestId, scope, kind, asked, reason } = change;
  if (commit === null || tree === null) return [];
  const by = asked === null ? '' : ` by ${asked.by.email}`;
  const said = cleanValue(`${kind} ${requestId} of ${scope}${by}: ${reason.slice(0, MOST_OF_REASON)}`);
  const own = [commit, tree, base ?? '-', isTargetOnLine ? (target ?? '-') : '-', said].join(' ');
  const isApart = deliveryTree !== null && deliveryCommit !== null && deliveryCommit !== commit;
  const manifests = `${deliveryCommit} ${deliveryTree} - - ${cleanValue(`manifests of ${requestId}`)}`;
  return isApart ? [own, manifests] : [own];
}

/** Characters, in a line that people read. */
const MOST_OF_REASON = 80;

/** A list whose end no line of it can be: each begins with an object id. */
const listed = (lines: readonly string[]) => (lines.length === 0 ? [':'] : [`cat <<'${END}'`, ...lines, END]);
const END = 'END-OF-LIST';

/** One word of a shell, whatever is in it. */
function quoted(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  return `'${text.replace(/[\u0000-\u001f\u007f]+/g, ' ').replaceAll("'", String.raw`'\''`)}'`;
}

const emailOf = (email = '-') => email.replace(/[\s\p{C}]/gu, '') || '-';
