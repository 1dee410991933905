/** Tampering with what a rollback says of itself: each of its trailers, its subject, its text. */
import type { Case } from '../case.ts';
import type { Given, Kind } from '../tampering.ts';
import { type Codes, expectedBy, type FoundBy } from './expect.ts';

const isOurs = ({ how }: Case) => how === 'push';
const unlessLedgered =
  (alone: Codes, ledgered: Codes) =>
  ({ hasLedger }: Case) =>
    hasLedger ? ledgered : alone;
const isField = ({ name }: Case) => name === 'field' || name === 'approved field';

/** Somebody else's id, of the same form. */
const OTHER_ID = 'rbk-01AAAAAAAAAAAAAAAAAAAAAAAA';

/** What a trailer says instead, and what is found then. */
interface Trailer {
  readonly value: (value: string, given: Given) => string;
  readonly changed: FoundBy;
  readonly dropped: FoundBy;
}

const flip = (text: string) =>
  text.replace(/[0-9a-f](?=[^0-9a-f]*$)/, (digit) => (digit === '0' ? '1' : '0'));

const TRAILERS: Readonly<Record<string, Trailer>> = {
  Mode: {
    value: (value) => (value === 'full' ? 'service' : 'full'),
    changed: unlessLedgered(['TRAILER_INVALID', 'SCOPE_UNKNOWN'], ['TRAILER_INVALID', 'LEDGER_DIFFERS']),
    dropped: ['TRAILER_MISSING'],
  },
  Service: {
    value: (value) => `${value}x`,
    changed: (of) =>
      of.hasLedger ? ['LEDGER_DIFFERS'] : isField(of) ? ['SCOPE_UNKNOWN'] : ['DIGEST_DIFFERS'],
    dropped: (of) =>
      of.hasLedger
        ? ['LEDGER_DIFFERS', 'TRAILER_MISSING']
        : isField(of)
          ? ['TRAILER_DIFFERS']
          : ['TRAILER_INVALID', 'SCOPE_UNKNOWN'],
  },
  Justification: { value: () => 'other', changed: ['TRAILER_DIFFERS'], dropped: ['TRAILER_MISSING'] },
  Author: {
    value: () => 'eve@example.com',
    changed: unlessLedgered(['AUTHOR_DIFFERS'], ['TRAILER_DIFFERS']),
    dropped: ['TRAILER_MISSING'],
  },
  Approval: {
    value: (value) => value.replace(/by \S+/, 'by eve@example.com'),
    changed: ['TRAILER_DIFFERS'],
    dropped: ['TRAILER_MISSING'],
  },
  'Rollback-Request-ID': {
    value: () => OTHER_ID,
    changed: (of) =>
      of.hasLedger || of.isDemanded
        ? ['LEDGER_MISSING']
        : of.places || of.delivery
          ? ['TRAILER_DIFFERS']
          : 'hidden',
    dropped: ['TRAILER_MISSING'],
  },
  'Rollback-Tenant': { value: () => 'other', changed: ['DIGEST_DIFFERS'], dropped: ['SCOPE_UNKNOWN'] },
  'Rollback-Environment': {
    value: () => 'other',
    changed: (of) =>
      of.hasLedger ? ['LEDGER_DIFFERS'] : isField(of) ? ['SCOPE_UNKNOWN'] : ['DIGEST_DIFFERS'],
    dropped: ['TRAILER_MISSING'],
  },
  'Rollback-Target': { value: flip, changed: ['TARGET_NOT_ON_LINE'], dropped: ['TRAILER_MISSING'] },
  'Rollback-Base': { value: flip, changed: ['BASE_DIFFERS'], dropped: ['TRAILER_MISSING', 'BASE_DIFFERS'] },
  'Rollback-Plan': { value: flip, changed: ['TRAILER_DIFFERS'], dropped: ['TRAILER_MISSING'] },
  'Rollback-Engine': { value: () => '0', changed: ['TRAILER_INVALID'], dropped: ['TRAILER_MISSING'] },
  'Rollback-Field': {
    value: (value) => `${value}x`,
    changed: ['TRAILER_DIFFERS'],
    dropped: (of) =>
      of.hasLedger || !isField(of) ? ['TRAILER_MISSING'] : ['TRAILER_INVALID', 'SCOPE_UNKNOWN'],
  },
  'Rollback-Override': {
    value: () => 'SHARED_FILE',
    changed: (of) => (of.removed ? ['PLAN_BLOCKED'] : of.hasLedger ? ['TRAILER_DIFFERS'] : 'hidden'),
    dropped: (of) => (of.removed ? ['PLAN_BLOCKED'] : of.hasLedger ? ['TRAILER_MISSING'] : 'hidden'),
  },
  'Rollback-Break-Glass': { value: flip, changed: ['TRAILER_DIFFERS'], dropped: ['TRAILER_MISSING'] },
  'Rollback-Ledger': { value: flip, changed: ['LEDGER_MISSING'], dropped: ['TRAILER_MISSING'] },
  'Rollback-Hold': {
    value: (value) => value.replace(/rbk-/, 'rbk-x'),
    changed: ['TRAILER_DIFFERS'],
    dropped: (of) => (of.hasLedger ? ['TRAILER_MISSING'] : ['PATH_ADDED', 'DIGEST_DIFFERS']),
  },
  'Resume-Hold': {
    value: (value) => value.replace(/rbk-/, 'rbk-x'),
    changed: (of) => (of.hasLedger ? ['TRAILER_DIFFERS'] : ['PLAN_BLOCKED']),
    dropped: (of) => (of.hasLedger ? ['TRAILER_MISSING'] : ['PLAN_BLOCKED']),
  },
  'Resume-Request-ID': {
    value: () => OTHER_ID,
    changed: (of) => (of.hasLedger ? ['LEDGER_MISSING'] : 'hidden'),
    dropped: ['TRAILER_MISSING'],
  },
  // Which fields were asked for is not recorded: the digest of a resume of some cannot be made again.
  'Resume-Plan': {
    value: flip,
    changed: (of) => (of.hasLedger ? ['DIGEST_DIFFERS'] : 'hidden'),
    dropped: ['TRAILER_MISSING'],
  },
  'Resume-Ledger': { value: flip, changed: ['LEDGER_MISSING'], dropped: ['TRAILER_MISSING'] },
  Change: { value: () => 'other', changed: ['TRAILER_DIFFERS'], dropped: ['TRAILER_MISSING'] },
  'Signed-off-by': {
    value: () => 'Eve <eve@example.com>',
    changed: ['TRAILER_DIFFERS'],
    dropped: ['TRAILER_MISSING'],
  },
};

const lineOf = (key: string) => new RegExp(`^${key}: (.*)\\n`, 'm');

function ofTrailer([key, { value, changed, dropped }]: readonly [string, Trailer]): Kind[] {
  const kind = (what: string, expected: FoundBy, to: (line: string, given: Given) => string): Kind => ({
    name: `${key} ${what}`,
    group: 'message',
    applies: (of) => isOurs(of) && of.trailers.includes(key),
    expected: expectedBy(expected),
    tamper: (given) =>
      given.rewrite({ text: (text) => text.replace(lineOf(key), (line) => to(line, given)) }),
  });
  return [
    kind('changed', changed, (line, given) => `${key}: ${value(line.slice(key.length + 2, -1), given)}\n`),
    kind('dropped', dropped, () => ''),
    kind(
      'doubled',
      (of) =>
        key === 'Rollback-Field' && isField(of) && !of.hasLedger ? ['DIGEST_DIFFERS'] : ['TRAILER_REPEATED'],
      (line) => line + line,
    ),
    kind('in lower case', ['TRAILER_DIFFERS'], (line) => line.replace(key, key.toLowerCase())),
  ];
}

interface MessageKind {
  readonly codes: FoundBy;
  readonly where?: (of: Case) => unknown;
  readonly text: (text: string, given: Given) => string;
}

const isRollback = ({ kind }: Case) => kind === 'rollback';
const has = (key: string) => (of: Case) => of.trailers.includes(key);
const swap = (from: RegExp, to: string) => (text: string) => text.replace(from, to);
/** The last paragraph. */
const trailers = (text: string, change: (lines: readonly string[]) => readonly string[]) => {
  const at = text.lastIndexOf('\n\n') + 2;
  return `${text.slice(0, at)}${change(text.slice(at).trimEnd().split('\n')).join('\n')}\n`;
};

const MANY = ['Rollback-Engine', 'Rollback-Field', 'Rollback-Override'];
/** One line more, after the last one with one of these keys. */
const following = (line: string, keys: readonly string[]) => (text: string) =>
  trailers(text, (lines) => {
    const at = lines.findLastIndex((own) => keys.some((key) => own.startsWith(`${key}: `)));
    return lines.toSpliced(at + 1, 0, line);
  });

const KINDS: Readonly<Record<string, MessageKind>> = {
  'another target of the line': {
    codes: (of) => (of.hasLedger ? ['LEDGER_DIFFERS'] : ['DIGEST_DIFFERS']),
    where: isRollback,
    text: (text, { base }) => text.replace(/^(Rollback-Target: ).*$/m, `$1${base}`),
  },
  'itself as its target': {
    codes: ['TARGET_NOT_ON_LINE'],
    where: isRollback,
    text: (text, { honest }) => text.replace(/^(Rollback-Target: ).*$/m, `$1${honest.commit}`),
  },
  'another service that there is': {
    codes: (of) => (of.hasLedger ? ['LEDGER_DIFFERS'] : ['DIGEST_DIFFERS']),
    where: ({ neighbour }) => neighbour,
    text: (text, { honest }) => text.replace(/^Service: .*$/m, `Service: ${honest.of.neighbour}`),
  },
  'rules of a newer version': {
    codes: ['ENGINE_NEWER'],
    where: isRollback,
    text: swap(/^Rollback-Engine: .*$/m, 'Rollback-Engine: 999'),
  },
  'rules of an older version': {
    codes: 'hidden',
    where: isRollback,
    text: swap(/^Rollback-Engine: .*$/m, 'Rollback-Engine: 1'),
  },
  'an override made up': {
    codes: (of) => (of.hasLedger ? ['TRAILER_ADDED'] : 'hidden'),
    where: (of) => isRollback(of) && !has('Rollback-Override')(of),
    text: following('Rollback-Override: SHARED_FILE', ['Rollback-Engine', 'Rollback-Field']),
  },
  'a removal that was allowed, made up': {
    codes: ['TRAILER_ADDED'],
    where: (of) => isRollback(of) && !has('Rollback-Override')(of),
    text: following('Rollback-Override: allow-removal', ['Rollback-Engine', 'Rollback-Field']),
  },
  'a field made up': {
    codes: ['TRAILER_ADDED'],
    where: (of) => isRollback(of) && !has('Rollback-Field')(of),
    text: (text, { restored }) =>
      text.replace(/^(Rollback-Engine: .*)$/m, `$1\nRollback-Field: ${JSON.stringify(`${restored}#/image`)}`),
  },
  'an approval made up': {
    codes: (of) => (of.hasLedger || of.kind === 'resume' ? ['TRAILER_ADDED'] : ['LEDGER_MISSING']),
    where: (of) => !has('Approval')(of),
    text: swap(/^(Author: .*)$/m, '$1\nApproval: Approved by bob@example.com (quorum: 1/1)'),
  },
  'one approval more': {
    codes: ['TRAILER_REPEATED'],
    where: has('Approval'),
    text: swap(/^(Approval: .*)$/m, '$1\nApproval: Approved by eve@example.com (quorum: 1/1)'),
  },
  'break-glass made up': {
    codes: (of) => (of.hasLedger ? ['TRAILER_ADDED'] : ['LEDGER_MISSING']),
    where: (of) => isRollback(of) && !has('Rollback-Break-Glass')(of),
    text: following('Rollback-Break-Glass: bgs-01AAAAAAAAAAAAAAAAAAAAAAAA', MANY),
  },
  'a ledger made up': {
    codes: ['LEDGER_MISSING'],
    where: (of) => isRollback(of) && !of.hasLedger,
    text: (text, { base }) => following(`Rollback-Ledger: ${base}`, MANY)(text),
  },
  'another event of the ledger': {
    codes: ['TRAILER_DIFFERS'],
    where: ({ hasLedger }) => hasLedger,
    text: (text, { events }) => text.replace(/^((?:Rollback|Resume)-Ledger: ).*$/m, `$1${events().at(-1)}`),
  },
  'a hold made up': {
    codes: (of) => (of.hasLedger ? ['TRAILER_ADDED'] : ['PATH_MISSING', 'DIGEST_DIFFERS']),
    where: (of) => isRollback(of) && !of.places,
    text: swap(/^(Rollback-Engine: .*)$/m, '$1\nRollback-Hold: .backtrail/holds/prod/mine.yaml'),
  },
  'the request of another rollback': {
    codes: ['REQUEST_REPEATED'],
    where: ({ name }) =>
      [
        'field',
        'full',
        'resume',
        'second hold',
        'all manifests',
        'quorum',
        'last of three',
        'signed',
      ].includes(name),
    text: (text, { objects, base }) => {
      const before = requestsBefore(objects, base);
      return text.replace(/^((?:Rollback|Resume)-Request-ID: ).*$/m, `$1${before}`);
    },
  },
  'a trailer of somebody else': {
    codes: ['TRAILER_ADDED'],
    text: (text) => `${text}Reviewed-by: Eve <eve@example.com>\n`,
  },
  'two trailers in another order': {
    codes: ['TRAILER_DIFFERS'],
    text: (text) => trailers(text, ([first = '', second = '', ...rest]) => [second, first, ...rest]),
  },
  'a blank more after a value': {
    codes: ['TRAILER_DIFFERS'],
    text: swap(/^(Author: .*)$/m, '$1 '),
  },
  'a tab before a value': {
    codes: ['TRAILER_MISSING', 'TRAILER_ADDED'],
    text: swap(/^Author: /m, 'Author:\t'),
  },
  'a value on two lines': {
    codes: ['TRAILER_MISSING', 'TRAILER_ADDED'],
    text: swap(/^Author: /m, 'Author:\n '),
  },
  'letters that look alike': {
    codes: ['TRAILER_DIFFERS'],
    text: swap(/^Justification: (.)/m, 'Justification: \u200b$1'),
  },
  'line ends of Windows in the message': {
    codes: ['TRAILER_MISSING'],
    text: (text) => {
      const at = text.indexOf('\n\n') + 2;
      return text.slice(0, at) + text.slice(at).replaceAll('\n', '\r\n');
    },
  },
  'a comment among the trailers': {
    codes: ['TRAILER_ADDED'],
    text: swap(/^Author: /m, '# nothing\nAuthor: '),
  },
  'the subject': { codes: ['SUBJECT_DIFFERS'], text: swap(/\n\n(?=\S)/, '\n\nfix: ') },
  'the environment in the subject': {
    codes: ['SUBJECT_DIFFERS'],
    where: ({ name }) => name !== 'styled',
    text: swap(/ env\/\S+/, ' env/staging'),
  },
  'an empty subject': { codes: ['SUBJECT_DIFFERS'], text: swap(/\n\n[^\n]+\n/, '\n\n\n') },
  'the text': {
    codes: ({ hasLedger }) => (hasLedger ? ['BODY_DIFFERS'] : ['TRAILER_DIFFERS']),
    text: swap(/\n {4}\S.*/, '\n    Another reason'),
  },
  'the text dropped': {
    codes: ({ hasLedger }) => (hasLedger ? ['BODY_DIFFERS'] : ['TRAILER_MISSING']),
    text: swap(/\n\n {4}[\s\S]*?\n\n(?=\S)/, '\n\n'),
  },
  'a paragraph more': {
    codes: ({ hasLedger }) => (hasLedger ? ['BODY_DIFFERS'] : ['TRAILER_DIFFERS']),
    text: (text) => text.replace(/\n\n(?=[^\n]*: [^\n]*\n(?:[^\n]+\n)*$)/, '\n\nMore of it.\n\n'),
  },
  'the text without its indentation': {
    codes: ['BODY_DIFFERS'],
    text: (text) => text.replace(/^ {4}(?=\S)/gm, ''),
  },
  'the last line end of the message': { codes: ['BODY_DIFFERS'], text: (text) => text.slice(0, -1) },
  'an empty line more at its end': { codes: ['TRAILER_ADDED'], text: (text) => `${text}\n` },
  'text after the trailers': { codes: 'outside', text: (text) => `${text}\nSigned, somebody.\n` },
  'a byte that ends the message for git': {
    codes: 'outside',
    text: swap(/^Mode: |^Justification: /m, '\0X: '),
  },
  'trailers below an empty line': {
    codes: 'outside',
    text: (text) => trailers(text, ([first = '', ...rest]) => [first, '', 'X', '', ...rest, '', 'x']),
  },
  'no trailers at all': {
    codes: ({ name }) => (name === 'styled' ? 'hidden' : 'outside'),
    text: (text) => text.slice(0, text.lastIndexOf('\n\n') + 1),
  },
};

function requestsBefore(objects: Given['objects'], from: string): string {
  for (let id = from; id !== ''; id = /^parent (.*)$/m.exec(objects.text(id))?.[1] ?? '') {
    const found = /^(?:Rollback|Resume)-Request-ID: (.*)$/m.exec(objects.text(id))?.[1];
    if (found !== undefined) return found;
  }
  throw new Error('There is none before it.');
}

export const MESSAGE: readonly Kind[] = [
  ...Object.entries(TRAILERS).flatMap(ofTrailer),
  ...Object.entries(KINDS).map(
    ([name, { codes, where: applies = () => true, text }]): Kind => ({
      name,
      group: 'message',
      applies: (of) => isOurs(of) && Boolean(applies(of)),
      expected: expectedBy(codes),
      tamper: (given) => given.rewrite({ text: (own) => text(own, given) }),
    }),
  ),
];
