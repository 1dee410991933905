/** What is to be found, by what there is to find it with. */
import type { ProblemCode } from '../../../../../engine/audit/problems.ts';
import type { Case } from '../case.ts';
import type { Expected } from '../tampering.ts';

export type Codes = readonly ProblemCode[];

/**
 * `hidden`: it makes a record like any other, and the ledger alone tells, as it names the commit; `outside`: git reads no record any more, though it
 * looks like one; `gone`: it is not there any more.
 */
export type Found = Codes | 'hidden' | 'outside' | 'gone';
export type FoundBy = Found | ((of: Case) => Found);

export const expectedBy =
  (by: FoundBy) =>
  (of: Case): Expected => {
    const found = typeof by === 'function' ? by(of) : by;
    if (typeof found !== 'string') return { in: 'row', codes: found };
    if (of.hasLedger)
      return found === 'hidden'
        ? { in: 'row', codes: ['COMMIT_DIFFERS'] }
        : { in: 'gone', codes: ['COMMIT_MISSING'] };
    return { in: found === 'outside' ? 'outside' : 'hidden', codes: [] };
  };
