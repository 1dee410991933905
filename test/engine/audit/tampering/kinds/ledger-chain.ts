/** The ledger written anew: without some of its commits, with others, or with one more on top; and what an audit has to say of it. */
import type { ProblemCode } from '../../../../../engine/audit/problems.ts';
import { requestPath } from '../../../../../engine/record/ledger-file.ts';
import type { Identity } from '../../../../helpers/people/signing.ts';
import type { Case } from '../case.ts';
import type { Codes } from './expect.ts';
import {
  type Expected,
  eventsOf,
  type Given,
  type Kind,
  signed,
  type Tampered,
  treeOf,
  unsigned,
} from '../tampering.ts';

export interface LedgerKind {
  readonly in?: Expected['in'];
  readonly codes: Codes | ((of: Case) => Codes);
  readonly where?: (of: Case) => unknown;
  /** Of what a host merged: of that, the ledger alone says what it is. */
  readonly merged?: (of: Case) => Expected;
  readonly hasSeen?: boolean;
  readonly tamper: (given: Given) => Promise<Tampered>;
}

/** A commit of the ledger on its way into another one. */
export interface Link {
  readonly id: string;
  readonly text: string;
  readonly isOwn: boolean;
  /** `opened`, `approved`, …; '' where there are several. */
  readonly type: string;
}

export function links({ objects, honest }: Given): readonly Link[] {
  return eventsOf(objects, honest.ledger).map((id) => {
    const text = objects.text(id);
    return {
      id,
      text,
      isOwn: text.includes(honest.requestId),
      type: /^Event: (.*)$/m.exec(text)?.[1] ?? '',
    };
  });
}

export const at = (given: Given, ledger: string | null, named: string = given.honest.commit): Tampered => ({
  main: given.honest.main,
  ledger,
  at: named,
});

/** The ledger as it would be without some of its commits, or with others: the file of the request holds what the links say. */
export async function chain(
  given: Given,
  list: readonly Link[],
  {
    text = (link) => link.text,
    file = (json) => json,
    key = () => null,
    onto = '',
  }: {
    readonly text?: (link: Link) => string;
    readonly file?: (json: string, link: Link) => string;
    /** Whose key signs it anew; null: its signature stays as it is. */
    readonly key?: (link: Link) => Identity | null;
    /** What the first of them follows. */
    readonly onto?: string;
  },
): Promise<string> {
  const { objects, honest } = given;
  const path = requestPath(honest.requestId);
  let last = onto;
  for (const link of list) {
    const own = objects.find(treeOf(objects, link.id), path);
    let tree = treeOf(objects, link.id);
    if (own !== null) {
      const before = objects.text(own.id);
      const after = file(before, link);
      if (after !== before)
        tree = await objects.edit(tree, { [path]: { mode: own.mode, id: await given.blob(after) } });
    }
    const parent = last === '' ? '' : `parent ${last}\n`;
    const written = text(link)
      .replace(/^parent .*\n/m, '')
      .replace(/^tree .*\n/, `tree ${tree}\n${parent}`);
    const by = key(link);
    const final = by === null ? written : await signed(unsigned(written), by.keyFile, honest.scene.repo.env);
    last = await objects.write('commit', final);
  }
  return last;
}

interface RequestJson {
  version: number;
  state: Record<string, unknown>;
  events: Record<string, unknown>[];
}

export const parse = (json: string): RequestJson => JSON.parse(json);
const print = (file: RequestJson) => `${JSON.stringify(file, null, 2)}\n`;
export const changing = (change: (file: RequestJson) => void) => (json: string) => {
  const file = parse(json);
  change(file);
  return print(file);
};

/** One more commit, by somebody without a key. */
export async function append(
  given: Given,
  change: {
    readonly path?: string;
    readonly content?: ((json: string) => string) | null;
    readonly message?: string;
    readonly parents?: readonly string[];
  },
): Promise<string> {
  const { objects, honest } = given;
  const ledger = honest.ledger ?? '';
  const path = change.path ?? requestPath(honest.requestId);
  const { content } = change;
  const own = objects.find(treeOf(objects, ledger), path);
  let tree = treeOf(objects, ledger);
  if (content === null) tree = await objects.edit(tree, { [path]: null });
  else if (content !== undefined) {
    const id = await given.blob(content(own === null ? '' : objects.text(own.id)));
    tree = await objects.edit(tree, { [path]: { mode: '100644', id } });
  }
  const who = 'Bob <bob@example.com> 1790000000 +0000';
  const message = change.message ?? objects.text(ledger).split('\n\n').slice(1).join('\n\n');
  const parents = [ledger, ...(change.parents ?? [])].map((id) => `parent ${id}\n`).join('');
  return objects.write('commit', `tree ${tree}\n${parents}author ${who}\ncommitter ${who}\n\n${message}`);
}

/** Of the ledger's problems, at its newest commit. */
export const onTop =
  (change: Parameters<typeof append>[1] | ((given: Given) => Parameters<typeof append>[1])) =>
  async (given: Given) => {
    const ledger = await append(given, typeof change === 'function' ? change(given) : change);
    return at(given, ledger, ledger);
  };
export const rowOnTop =
  (change: Parameters<typeof append>[1] | ((given: Given) => Parameters<typeof append>[1])) =>
  async (given: Given) =>
    at(given, await append(given, typeof change === 'function' ? change(given) : change));

/** Who it was is not in the ledger any more. */
export const unknown =
  (...codes: ProblemCode[]) =>
  ({ how }: Case): Expected => {
    if (how === 'rebase') return { in: 'row', codes };
    // Its subject is still ours.
    return { in: how === 'squash' ? 'outside' : 'hidden', codes: [] };
  };
export const inLedger =
  (...codes: ProblemCode[]) =>
  (): Expected => ({ in: 'ledger', codes });
export const inRow =
  (...codes: ProblemCode[]) =>
  (): Expected => ({ in: 'row', codes });

/** Of a batch, a commit of the ledger holds the end of several. */
export const missingVotes = ({ isFollowed }: Case): Codes =>
  isFollowed ? ['LEDGER_TAMPERED'] : ['APPROVAL_MISSING'];

export const hasVotes = ({ hasVotes: votes }: Case) => votes;
export const isVote = ({ isOwn, type }: Link) => isOwn && type === 'approved';
export const without = (types: readonly string[]) =>
  changing((file) => {
    file.events = file.events.filter(({ type }) => !types.includes(String(type)));
  });

export const ledgerKinds = (kinds: Readonly<Record<string, LedgerKind>>): readonly Kind[] =>
  Object.entries(kinds).map(
    ([name, { in: where = 'row', codes, where: applies = () => true, merged, hasSeen = false, tamper }]) => ({
      name,
      group: 'ledger',
      applies: (of) => of.hasLedger === true && Boolean(applies(of)),
      expected: (of) =>
        of.how !== 'push' && merged !== undefined
          ? merged(of)
          : { in: where, codes: typeof codes === 'function' ? codes(of) : codes },
      hasSeen,
      tamper,
    }),
  );
