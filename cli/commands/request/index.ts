import type { Command } from 'commander';
import type { Program } from '../command.ts';
import { addActs } from './acts.ts';
import { addApprove } from './approve.ts';
import { addRequestPlan, addRequestShow, addRequestList } from './look.ts';
import { addRetry } from './retry.ts';

/** A subcommand of `request`, and where it is added. */
export type AddTo = (program: Program, group: Command) => void;

export function addRequest(program: Program): void {
  const group = program.root
    .command('request')
    .description('rollbacks that people approve: list, show, plan, approve, reject, retry, cancel, note')
    .addHelpText('after', HELP);
  const adds: readonly AddTo[] = [
    addRequestList,
    addRequestShow,
    addRequestPlan,
    addApprove,
    addRetry,
    addActs,
  ];
  for (const add of adds) add(program, group);
}

const HELP = `
A rollback becomes a request where the policy of its environment asks for approval; \`backtrail rollback\` prints its id.
Requests live in the ledger, a branch of the repository: git log refs/backtrail/ledger
An id may be shortened to six or more characters of its end: 7Q2M9K for rbk-01JD2M…7Q2M9K.

Examples:
  backtrail request list acme/production
  backtrail request plan 7Q2M9K
  backtrail request approve 7Q2M9K --comment "v2.0.5 served well for a week"
  backtrail request retry 7Q2M9K --to v11`;
