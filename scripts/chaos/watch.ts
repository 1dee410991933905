/** The statuses of all requests, as plain git has them: each look reads what came since the one before. */
import { LEDGER } from './ledger/answers.ts';
import { readFiles } from './ledger/ledger.ts';
import { git } from './ledger/repository.ts';

export interface Known {
  readonly status: string;
  /** Of the newest event. */
  readonly code: string | null;
  readonly commit: string | null;
  readonly outcome: string | null;
}

export interface Watch {
  readonly known: ReadonlyMap<string, Known>;
  /** False where the remote is away. */
  look(): boolean;
}

const EMPTY_TREE = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';
const textOf = (value: unknown) => (typeof value === 'string' ? value : null);

export function watchLedger(directory: string): Watch {
  const known = new Map<string, Known>();
  let seen = EMPTY_TREE;
  return {
    known,
    look() {
      try {
        const tip = git(directory, ['rev-parse', '--verify', '--quiet', LEDGER]).trim();
        if (tip === seen) return true;
        const raw = git(directory, ['diff-tree', '-r', '--raw', '--no-abbrev', '--no-renames', seen, tip]);
        const changed = new Map<string, string>();
        for (const line of raw.split('\n')) {
          const id = /rbk-\w+(?=\.json$)/.exec(line)?.[0];
          if (id !== undefined) changed.set(line.split(/[ \t]/)[3] ?? '', id);
        }
        for (const [blob, { state, events }] of readFiles(directory, [...changed.keys()])) {
          const id = changed.get(blob);
          const last = events.at(-1);
          if (id === undefined || last === undefined) continue;
          known.set(id, {
            status: textOf(state['status']) ?? '?',
            code: textOf(last['code']),
            commit: textOf(last['commit']),
            outcome: textOf(last['outcome']),
          });
        }
        seen = tip;
        return true;
      } catch {
        return false;
      }
    },
  };
}
