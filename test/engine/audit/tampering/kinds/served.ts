/** Tampering with what a server signed for people: by somebody without a key, with the server's, or with one of a person. */
import { readRequestEvents, requestPath } from '../../../../../engine/record/ledger-file.ts';
import { foldRequest } from '../../../../../engine/record/transitions.ts';
import type { Identity } from '../../../../helpers/people/signing.ts';
import type { Case } from '../case.ts';
import type { Given, Kind, Tampered } from '../tampering.ts';
import { chain, changing, type Link, type LedgerKind, ledgerKinds, links, rowOnTop } from './ledger-chain.ts';

type Event = Record<string, unknown>;
type Signer = 'server' | 'bob' | null;

interface Telling {
  /** Of the opening 0, of the votes 1 and 2. */
  readonly which: number;
  readonly change: (event: Event) => void;
  /** Who signs it anew; null: its signature stays, and does not fit. */
  readonly by: Signer;
  /** The text of its commit. */
  readonly text?: (text: string) => string;
}

/** One event of the request told otherwise, and all after it: the branch names it, and a worker says that it executed that. */
async function retell(
  given: Given,
  { which, change, by, text = (same) => same }: Telling,
): Promise<Tampered> {
  const { honest } = given;
  const all = links(given);
  const own = all.filter(({ isOwn }) => isOwn);
  const [target, last, allowing] = [own[which], own.at(-1), own.at(-2)];
  const { keys, worker } = honest.scene;
  if (target === undefined || last === undefined || allowing === undefined || worker === undefined)
    throw new Error('It has no such event.');
  const from = all.indexOf(target);
  const keyOf = (name: Signer): Identity | null => (name === null ? null : (keys?.[name] ?? null));
  // What comes after it is signed by whoever signed it before.
  const before: Signer = honest.of.isServed === true ? 'server' : 'bob';
  const key = (link: Link) => keyOf(link === target ? by : before);
  const file = changing((json) => {
    const event = json.events[which];
    if (event === undefined) return;
    change(event);
    json.version = json.events.some(({ authenticated }) => authenticated !== undefined) ? 6 : 1;
    const path = requestPath(honest.requestId);
    json.state = { ...foldRequest(readRequestEvents(JSON.stringify(json), path)) };
  });
  const told = await chain(given, all.slice(from, -1), {
    onto: all[from - 1]?.id ?? '',
    key,
    text: (link) => (link === target ? text(link.text) : link.text),
    file,
  });
  const { main, at: commit } = await given.rewrite({ text: (same) => same.replaceAll(allowing.id, told) });
  const named = (same: string) =>
    same
      .replaceAll(honest.commit, commit)
      .replaceAll(honest.commit.slice(0, 10), commit.slice(0, 10))
      .replaceAll(honest.commit.slice(0, 7), commit.slice(0, 7));
  const ledger = await chain(given, [last], {
    onto: told,
    key: () => worker,
    text: (link) => named(link.text),
    file: (json) => file(named(json)),
  });
  return { main, ledger, at: commit };
}

const telling = (how: Telling) => (given: Given) => retell(given, how);
const inFile = (change: (event: Event) => void, which = 1) =>
  rowOnTop({
    content: changing(({ events }) => {
      const event = events[which];
      if (event !== undefined) change(event);
    }),
  });

const leaveOut = (event: Event) => void delete event['authenticated'];
const say = (authenticated: object) => (event: Event) => void Object.assign(event, { authenticated });
const byIssuer = say({ how: 'oidc', by: 'https://other.example.com' });
const alone = say({ how: 'single-user', by: null });
const byToken = say({ how: 'token', by: 'bbbbbbbbbbbbbbbb' });
const acting = (name: string, email: string) => (event: Event) =>
  void Object.assign(event, { actor: { name, email } });
/** Who the commit says that it was. */
const namedAs = (name: string, email: string) => (text: string) =>
  text.replaceAll(/carol <carol@example\.com>/gi, `${name} <${email}>`).replaceAll(/^carol /gim, `${name} `);

const isServed = ({ isServed: is }: Case) => is;
const needsOwnKey = ({ needsOwnKey: needs }: Case) => needs;
const isOwn = ({ name }: Case) => name === 'approved';

const KINDS: Readonly<Record<string, LedgerKind>> = {
  'how a server knew who voted left out of its file': {
    codes: ['LEDGER_TAMPERED'],
    where: isServed,
    tamper: inFile(leaveOut),
  },
  'another issuer in its file': { codes: ['LEDGER_TAMPERED'], where: isServed, tamper: inFile(byIssuer, 0) },
  'another way in its file in which a server knew who voted': {
    codes: ['LEDGER_TAMPERED'],
    where: isServed,
    tamper: inFile(alone),
  },
  'another person in its file than the server knew': {
    codes: ['LEDGER_TAMPERED'],
    where: isServed,
    tamper: inFile(acting('Eve', 'eve@example.com')),
  },
  'a server in its file that knew who signed it': {
    codes: ['LEDGER_TAMPERED'],
    where: (of) => isOwn(of) || needsOwnKey(of),
    tamper: inFile(byToken),
  },
  'its file in a form of before there were servers': {
    codes: ['LEDGER_TAMPERED'],
    where: isServed,
    tamper: rowOnTop({ content: changing((file) => void (file.version = 5)) }),
  },
  'how a server knew who voted left out, its signature as it was': {
    codes: ['APPROVAL_MISSING'],
    where: isServed,
    tamper: telling({ which: 1, change: leaveOut, by: null }),
  },
  'another issuer of who asked, its signature as it was': {
    codes: ['IDENTITY_UNVERIFIED'],
    where: isServed,
    tamper: telling({ which: 0, change: byIssuer, by: null }),
  },
  'another way in which a server knew who voted, its signature as it was': {
    codes: ['APPROVAL_MISSING'],
    where: isServed,
    tamper: telling({ which: 1, change: alone, by: null }),
  },
  'a server that knew who voted, its signature as it was': {
    codes: ['APPROVAL_MISSING'],
    where: (of) => isOwn(of) || needsOwnKey(of),
    tamper: telling({ which: 1, change: byToken, by: null }),
  },
  'how a server knew who voted left out, signed by the server': {
    codes: ['AUTHENTICATION_DIFFERS', 'APPROVAL_MISSING'],
    where: isServed,
    tamper: telling({ which: 1, change: leaveOut, by: 'server' }),
  },
  'how a server knew who asked left out, signed by the server': {
    codes: ['AUTHENTICATION_DIFFERS', 'IDENTITY_UNVERIFIED'],
    where: isServed,
    tamper: telling({ which: 0, change: leaveOut, by: 'server' }),
  },
  'a vote with the token of another person, signed by the server': {
    in: 'ledger',
    codes: ['AUTHENTICATION_DIFFERS'],
    where: isServed,
    tamper: telling({ which: 2, change: byToken, by: 'server' }),
  },
  'a vote for whom the server may not sign': {
    codes: ['APPROVAL_MISSING'],
    where: isServed,
    tamper: telling({
      which: 2,
      change: acting('Eve', 'eve@example.com'),
      by: 'server',
      text: namedAs('Eve', 'eve@example.com'),
    }),
  },
  'a vote of another person than whom its commit names, signed by the server': {
    codes: ['APPROVAL_MISSING'],
    where: isServed,
    tamper: telling({ which: 2, change: acting('Dave', 'dave@example.com'), by: 'server' }),
  },
  'a second vote of one person, under another email': {
    codes: ['APPROVAL_MISSING'],
    where: isServed,
    tamper: telling({
      which: 2,
      change: acting('Bob', 'bob@corp.example'),
      by: 'server',
      text: namedAs('Bob', 'bob@corp.example'),
    }),
  },
  'a vote of whoever asked, under another method': {
    codes: ['APPROVAL_MISSING'],
    where: isServed,
    tamper: telling({
      which: 2,
      change: acting('Jane', 'jane@example.com'),
      by: 'server',
      text: namedAs('Jane', 'jane@example.com'),
    }),
  },
  'a vote signed by a server, where only keys of people count': {
    codes: ['APPROVAL_MISSING'],
    where: needsOwnKey,
    tamper: telling({ which: 1, change: byToken, by: 'server' }),
  },
  'a vote that says that a server knew who signed it, where only keys of people count': {
    codes: ['APPROVAL_MISSING'],
    where: needsOwnKey,
    tamper: telling({ which: 1, change: byToken, by: 'bob' }),
  },
  'asked for with the key of a server, where only keys of people count': {
    codes: ['IDENTITY_UNVERIFIED'],
    where: needsOwnKey,
    tamper: telling({ which: 0, change: byToken, by: 'server' }),
  },
  'another issuer of who asked, signed by the server': {
    in: 'hidden',
    codes: [],
    where: isServed,
    tamper: telling({ which: 0, change: byIssuer, by: 'server' }),
  },
  'a server that knew who voted, signed by who voted': {
    in: 'hidden',
    codes: [],
    where: isOwn,
    tamper: telling({ which: 1, change: byToken, by: 'bob' }),
  },
};

export const SERVED: readonly Kind[] = ledgerKinds(KINDS);
