/** Tampering with the ledger by what is added to it, or brought from another one. */
import { requestPath } from '../../../../../engine/record/ledger-file.ts';
import { treeOf, unsigned } from '../tampering.ts';
import {
  at,
  append,
  chain,
  changing,
  inLedger,
  isVote,
  links,
  onTop,
  parse,
  rowOnTop,
  unknown,
  type Link,
  type LedgerKind,
} from './ledger-chain.ts';

export const ADDED: Readonly<Record<string, LedgerKind>> = {
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
