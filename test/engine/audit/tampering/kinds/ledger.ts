/** Tampering with the ledger, by somebody who has none of its keys but one of their own. */
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
  parentOf,
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

const at = (given: Given, ledger: string | null, named: string = given.honest.commit): Tampered => ({
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

export interface RequestJson {
  version: number;
  state: Record<string, unknown>;
  events: Record<string, unknown>[];
}

const parse = (json: string): RequestJson => JSON.parse(json);
const print = (file: RequestJson) => `${JSON.stringify(file, null, 2)}\n`;
export const changing = (change: (file: RequestJson) => void) => (json: string) => {
  const file = parse(json);
  change(file);
  return print(file);
};

/** One more commit, by somebody without a key. */
async function append(
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
const onTop =
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
const unknown =
  (...codes: ProblemCode[]) =>
  ({ how }: Case): Expected => {
    if (how === 'rebase') return { in: 'row', codes };
    // Its subject is still ours.
    return { in: how === 'squash' ? 'outside' : 'hidden', codes: [] };
  };
const inLedger =
  (...codes: ProblemCode[]) =>
  (): Expected => ({ in: 'ledger', codes });
const inRow =
  (...codes: ProblemCode[]) =>
  (): Expected => ({ in: 'row', codes });

/** Of a batch, a commit of the ledger holds the end of several. */
const missingVotes = ({ isFollowed }: Case): Codes =>
  isFollowed ? ['LEDGER_TAMPERED'] : ['APPROVAL_MISSING'];

const hasVotes = ({ hasVotes: votes }: Case) => votes;
const isVote = ({ isOwn, type }: Link) => isOwn && type === 'approved';
const without = (types: readonly string[]) =>
  changing((file) => {
    file.events = file.events.filter(({ type }) => !types.includes(String(type)));
  });

const KINDS: Readonly<Record<string, LedgerKind>> = {
  'the ledger gone': {
    codes: ['LEDGER_MISSING'],
    merged: unknown('LEDGER_MISSING'),
    tamper: (given) => Promise.resolve(at(given, null)),
  },
  'cut back to before the request': {
    codes: ['LEDGER_MISSING'],
    where: ({ name }) => name !== 'merge' && name !== 'approved',
    merged: unknown('LEDGER_MISSING'),
    tamper: (given) => {
      const first = links(given).findIndex(({ isOwn }) => isOwn);
      return Promise.resolve(at(given, links(given)[first - 1]?.id ?? null));
    },
  },
  'cut back to its opening': {
    codes: ['LEDGER_MISSING', 'APPROVAL_MISSING'],
    where: hasVotes,
    tamper: (given) => Promise.resolve(at(given, links(given).find(({ isOwn }) => isOwn)?.id ?? null)),
  },
  'cut back by the event that says what executed it': {
    in: 'hidden',
    codes: [],
    merged: unknown('BASE_DIFFERS'),
    tamper: (given) => Promise.resolve(at(given, parentOf(given.objects, given.honest.ledger ?? ''))),
  },
  'the same, before who has seen it': {
    in: 'ledger',
    codes: ['LEDGER_REWOUND'],
    hasSeen: true,
    tamper: (given) => Promise.resolve(at(given, parentOf(given.objects, given.honest.ledger ?? ''), '')),
  },
  'its votes left out, and the rest unsigned': {
    codes: missingVotes,
    where: hasVotes,
    tamper: async (given) => {
      const rest = links(given).filter((link) => !isVote(link));
      return at(
        given,
        await chain(given, rest, { text: ({ text }) => unsigned(text), file: without(['approved']) }),
      );
    },
  },
  'its votes left out, with signatures that do not fit': {
    codes: missingVotes,
    where: hasVotes,
    tamper: async (given) => {
      const rest = links(given).filter((link) => !isVote(link));
      return at(given, await chain(given, rest, { file: without(['approved']) }));
    },
  },
  'signatures stripped': {
    codes: ['LEDGER_MISSING'],
    merged: inRow('IDENTITY_UNVERIFIED'),
    tamper: async (given) =>
      at(given, await chain(given, links(given), { text: ({ text }) => unsigned(text) })),
  },
  'signatures of other commits': {
    in: 'ledger',
    codes: ['SIGNATURE_BAD'],
    tamper: async (given) => {
      const list = links(given);
      const signature = /\ngpgsig [^\n]*(?:\n [^\n]*)*/;
      const other = list.map(({ text }) => signature.exec(text)?.[0] ?? '').find(Boolean) ?? '';
      const last = list.at(-1);
      const text = unsigned(last?.text ?? '').replace('\n\n', () => `${other}\n\n`);
      const ledger = await given.objects.write('commit', text);
      return at(given, ledger, ledger);
    },
  },
  'the two first events of the request the other way round': {
    codes: ['LEDGER_TAMPERED'],
    where: hasVotes,
    tamper: async (given) => {
      const list = [...links(given)];
      const [first, second] = [list.findIndex(({ isOwn }) => isOwn), list.findIndex(isVote)];
      const [one, other] = [list[first], list[second]];
      if (one === undefined || other === undefined) throw new Error('It has no vote.');
      list[first] = other;
      list[second] = one;
      return at(given, await chain(given, list, {}));
    },
  },
  'events in its file in another order': {
    codes: ['LEDGER_TAMPERED'],
    merged: inLedger('LEDGER_TAMPERED'),
    tamper: rowOnTop({ content: changing((file) => void file.events.reverse()) }),
  },
  'the name of who acted': {
    codes: ['LEDGER_TAMPERED'],
    tamper: rowOnTop({
      content: (json) =>
        json
          .replaceAll('jane@example.com', 'eve@example.com')
          .replaceAll('carol@example.com', 'eve@example.com'),
    }),
  },
  'the reason in its opening': {
    codes: ['LEDGER_TAMPERED'],
    tamper: rowOnTop({ content: (json) => json.replaceAll('v2 answers 500', 'other') }),
  },
  'the time of its opening': {
    codes: ['LEDGER_TAMPERED'],
    merged: inLedger('LEDGER_TAMPERED'),
    tamper: rowOnTop({
      content: changing((file) => {
        for (const event of file.events) event['at'] = '2026-01-01T00:00:00Z';
      }),
    }),
  },
  'the terms in its opening, everything after it unsigned': {
    codes: ['LEDGER_MISSING'],
    merged: inRow('IDENTITY_UNVERIFIED', 'DIGEST_DIFFERS'),
    tamper: async (given) =>
      at(
        given,
        await chain(given, links(given), {
          text: ({ text, isOwn }) => (isOwn ? unsigned(text) : text),
          file: (json) => json.replaceAll(/"mode": "(?:service|field)"/g, '"mode": "full"'),
        }),
      ),
  },
  'an event of it left out of its file': {
    codes: ['LEDGER_TAMPERED'],
    merged: inLedger('LEDGER_TAMPERED'),
    tamper: rowOnTop({ content: changing((file) => void file.events.shift()) }),
  },
  'its file removed': {
    codes: ['LEDGER_MISSING'],
    merged: inLedger('EVENT_MALFORMED'),
    tamper: rowOnTop({ content: null }),
  },
  'its file emptied': {
    codes: ['LEDGER_TAMPERED'],
    merged: inLedger('LEDGER_TAMPERED'),
    tamper: rowOnTop({ content: () => '{}\n' }),
  },
  'its file no longer JSON': {
    codes: ['LEDGER_TAMPERED'],
    merged: inLedger('LEDGER_TAMPERED'),
    tamper: rowOnTop({ content: () => '{\n' }),
  },
  'another state in its file': {
    codes: ['LEDGER_TAMPERED'],
    tamper: rowOnTop({
      content: changing((file) => {
        file.state['status'] = 'pending';
      }),
    }),
  },
  'a vote forged after it': {
    codes: ['LEDGER_TAMPERED'],
    merged: inLedger('LEDGER_TAMPERED'),
    tamper: rowOnTop({
      content: changing((file) => {
        file.events.push({
          id: 'evt-01KAJ000000000000000000001',
          at: '2026-11-21T12:00:00Z',
          actor: { name: 'Bob', email: 'bob@example.com' },
          type: 'rejected',
          digest: file.state['digest'],
          comment: null,
        });
      }),
    }),
  },
  'another commit in the event that says what executed it': {
    codes: ['COMMIT_DIFFERS'],
    where: ({ how }) => how === 'push',
    tamper: async (given) => {
      const { base, honest } = given;
      const isLast = ({ id }: Link) => id === honest.ledger;
      const short = (id: string) => id.slice(0, 10);
      const other = (text: string) =>
        text.replaceAll(honest.commit, base).replaceAll(short(honest.commit), short(base));
      const text = (link: Link) => (isLast(link) ? other(unsigned(link.text)) : link.text);
      const file = (json: string, link: Link) => (isLast(link) ? other(json) : json);
      return at(given, await chain(given, links(given), { text, file }));
    },
  },
  'a file of its own': {
    in: 'ledger',
    codes: ['EVENT_MALFORMED'],
    tamper: onTop({ path: 'mine.json', content: () => '{}\n' }),
  },
  'a request of its own that is no request': {
    in: 'ledger',
    codes: ['LEDGER_TAMPERED'],
    tamper: async (given) => {
      const ledger = await append(given, {
        path: requestPath('rbk-01AAAAAAAAAAAAAAAAAAAAAAAA'),
        content: () => '{}\n',
      });
      return at(given, ledger, '');
    },
  },
  'an empty commit': { in: 'ledger', codes: ['EVENT_MALFORMED'], tamper: onTop({ message: 'Nothing\n' }) },
  'a merge': {
    in: 'ledger',
    codes: ['LEDGER_TAMPERED'],
    tamper: async (given) => {
      const ledger = await append(given, { parents: [given.base], message: 'Merge\n' });
      return at(given, ledger, '');
    },
  },
  'another message on its newest event': {
    in: 'ledger',
    codes: ['EVENT_DIFFERS'],
    tamper: async (given) => {
      const { objects, honest } = given;
      const text = unsigned(objects.text(honest.ledger ?? '')).replace(
        /^Event-Actor: .*$/m,
        'Event-Actor: Eve <eve@example.com>',
      );
      const ledger = await objects.write('commit', text);
      return at(given, ledger, ledger);
    },
  },
  'another author on its newest event': {
    in: 'ledger',
    codes: ['EVENT_DIFFERS'],
    tamper: async (given) => {
      const { objects, honest } = given;
      const text = unsigned(objects.text(honest.ledger ?? '')).replace(
        /^author .*?>/m,
        'author Eve <eve@example.com>',
      );
      const ledger = await objects.write('commit', text);
      return at(given, ledger, ledger);
    },
  },
  'another state shown by its newest event': {
    in: 'ledger',
    codes: ['STATE_DIFFERS'],
    tamper: async (given) => {
      const { honest } = given;
      const list = links(given);
      const isLast = ({ id }: Link) => id === honest.ledger;
      const ledger = await chain(given, list, {
        text: (link) => (isLast(link) ? unsigned(link.text) : link.text),
        file: (json, link) =>
          isLast(link)
            ? changing((file) => {
                file.state['justification'] = 'shown otherwise';
              })(json)
            : json,
      });
      return at(given, ledger, ledger);
    },
  },
  'a vote copied from another request': {
    codes: ['APPROVAL_MISSING'],
    where: ({ name }) =>
      [
        'quorum',
        'approved override',
        'approved field',
        'last of three',
        'approved manifests',
        'signed',
      ].includes(name),
    tamper: async (given) => {
      const list = links(given);
      const copied = list.find(({ isOwn, type }) => !isOwn && type === 'approved');
      if (copied === undefined) throw new Error('There is no other vote.');
      const signature = /\ngpgsig [^\n]*(?:\n [^\n]*)*/.exec(copied.text)?.[0] ?? '';
      const text = (link: Link) =>
        isVote(link) ? unsigned(link.text).replace('\n\n', () => `${signature}\n\n`) : unsigned(link.text);
      return at(given, await chain(given, list, { text }));
    },
  },
  'its events copied to the ledger of another repository': {
    codes: ['LEDGER_MISSING', 'APPROVAL_MISSING'],
    where: ({ name, hasVotes: votes }) => votes && name !== 'approved',
    tamper: async (given) => {
      const own = links(given).filter(({ isOwn }) => isOwn);
      return at(given, await chain(given, own, {}));
    },
  },
  'the ledger of another repository, without its events': {
    codes: ['LEDGER_MISSING'],
    where: ({ name }) => !['approved', 'merge'].includes(name),
    merged: unknown('LEDGER_MISSING'),
    tamper: async (given) => {
      const path = requestPath(given.honest.requestId);
      const rest = links(given).filter(({ isOwn }) => !isOwn);
      const ledger = await chain(given, rest, {});
      const tree = await given.objects.edit(treeOf(given.objects, ledger), { [path]: null });
      const text = given.objects.text(ledger).replace(/^tree .*/, `tree ${tree}`);
      return at(given, await given.objects.write('commit', text));
    },
  },
  'the opening of another request in its file': {
    codes: ['LEDGER_TAMPERED'],
    where: ({ name }) => !['approved', 'merge'].includes(name),
    merged: inLedger('LEDGER_TAMPERED'),
    tamper: async (given) => {
      const { objects, honest } = given;
      const first = links(given).find(({ isOwn, type }) => !isOwn && type === 'opened');
      const id = /rbk-[0-9A-Z]{26}/.exec(first?.text ?? '')?.[0] ?? '';
      const other = objects.find(treeOf(objects, honest.ledger ?? ''), requestPath(id));
      const [opening] = parse(objects.text(other?.id ?? '')).events;
      const content = changing((file) => {
        if (opening) file.events[0] = opening;
      });
      return at(given, await append(given, { content }));
    },
  },
  'the ledger of a branch of its own': {
    codes: ['LEDGER_MISSING'],
    // After the first of them, that branch has a merge in it.
    merged: ({ how }) => inLedger(how === 'merge' ? 'EVENT_MALFORMED' : 'LEDGER_TAMPERED')(),
    tamper: (given) => Promise.resolve(at(given, given.base)),
  },
};

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

export const LEDGER = ledgerKinds(KINDS);
