/** Tampering with the ledger, by somebody who has none of its keys but one of their own. */
import { parentOf, unsigned } from '../tampering.ts';
import {
  at,
  chain,
  changing,
  hasVotes,
  inLedger,
  inRow,
  isVote,
  ledgerKinds,
  links,
  missingVotes,
  rowOnTop,
  unknown,
  without,
  type LedgerKind,
} from './ledger-chain.ts';
import { ADDED } from './ledger-added.ts';

/** By what is changed or left out. */
const CHANGED: Readonly<Record<string, LedgerKind>> = {
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
};

export const LEDGER = ledgerKinds({ ...CHANGED, ...ADDED });
