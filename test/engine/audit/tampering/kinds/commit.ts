/** Tampering with the commit itself: who, when, and where it is. */
import { createIdentity } from '../../../../helpers/people/signing.ts';
import { type Case, ELSEWHERE } from '../case.ts';
import {
  carry,
  type Given,
  type Kind,
  parentOf,
  signed,
  type Tampered,
  treeOf,
  unsigned,
} from '../tampering.ts';
import { expectedBy, type FoundBy } from './expect.ts';

interface CommitKind {
  readonly codes: FoundBy;
  readonly where?: (of: Case) => unknown;
  readonly isWhole?: boolean;
  readonly tamper: (given: Given) => Promise<Tampered>;
}

const text =
  (from: RegExp, to: string) =>
  ({ rewrite }: Given) =>
    rewrite({ text: (own) => own.replace(from, to) });

/** The rollback on top of another commit than its own. */
async function onto(given: Given, base: string, { isBaseTold = false } = {}): Promise<Tampered> {
  const { objects, honest, base: before, changed, tree } = given;
  const edits = Object.fromEntries(
    changed.map((path) => {
      const line = objects.find(tree, path);
      return [path, line && { mode: line.mode, id: line.id }];
    }),
  );
  const own = await objects.edit(treeOf(objects, base), edits);
  let written = objects
    .text(honest.commit)
    .replace(/^tree .*/, `tree ${own}`)
    .replace(`parent ${before}`, `parent ${base}`);
  if (isBaseTold) written = written.replace(`Rollback-Base: ${before}`, `Rollback-Base: ${base}`);
  const commit = await objects.write('commit', written);
  return { ...given.branch(commit, commit) };
}

/** A commit of somebody else on top of one. */
export async function between({ objects, file }: Given, on: string, content = 'between\n'): Promise<string> {
  const tree = await objects.edit(treeOf(objects, on), await file(ELSEWHERE, content));
  const who = 'Eve <eve@example.com> 1790000000 +0000';
  return objects.write('commit', `tree ${tree}\nparent ${on}\nauthor ${who}\ncommitter ${who}\n\nDeploy\n`);
}

const isRollback = ({ kind }: Case) => kind === 'rollback';
const isPlain = (of: Case) => of.delivery === undefined && !of.isFollowed;

const KINDS: Readonly<Record<string, CommitKind>> = {
  "git's author": {
    codes: ['AUTHOR_DIFFERS'],
    tamper: text(/^author .*?<.*?>/m, 'author Eve <eve@example.com>'),
  },
  "the email of git's author": {
    codes: ['AUTHOR_DIFFERS'],
    tamper: text(/^(author .*?)<.*?>/m, '$1<eve@example.com>'),
  },
  "the name of git's author": {
    codes: (of) => (of.hasLedger ? ['AUTHOR_DIFFERS'] : of.isSignedOff ? ['TRAILER_DIFFERS'] : 'hidden'),
    tamper: text(/^author .*?</m, 'author Eve <'),
  },
  "git's committer": {
    codes: (of) => (of.delivery ? ['COMMITTER_DIFFERS'] : of.isSignedOff ? ['TRAILER_DIFFERS'] : 'hidden'),
    tamper: text(/^committer .*?<.*?>/m, 'committer Eve <eve@example.com>'),
  },
  "the author's date": { codes: ['DATE_DIFFERS'], tamper: text(/^(author .*> )\d+/m, '$11700000000') },
  "the committer's date": { codes: ['DATE_DIFFERS'], tamper: text(/^(committer .*> )\d+/m, '$11700000000') },
  'both dates': {
    codes: (of) =>
      of.hasLedger || of.delivery ? ['DATE_DIFFERS'] : of.places ? ['CONTENT_DIFFERS'] : 'hidden',
    tamper: text(/^((?:author|committer) .*> )\d+/gm, '$11700000000'),
  },
  "the author's zone": { codes: ['DATE_DIFFERS'], tamper: text(/^(author .*) \+0000$/m, '$1 +0100') },
  "the committer's zone": { codes: ['DATE_DIFFERS'], tamper: text(/^(committer .*) \+0000$/m, '$1 +0100') },
  'a date beyond all time': {
    codes: ['DATE_DIFFERS'],
    tamper: text(/^(author .*> )\d+/m, '$1999999999999999'),
  },
  'a date that is none': { codes: ['DATE_DIFFERS'], tamper: text(/^(author .*> )\d+/m, '$1-1') },
  'a line more in its header': {
    codes: ['HEADER_ADDED'],
    tamper: text(/^(committer .*)$/m, '$1\nencoding ISO-8859-1'),
  },
  'a tag in its header': {
    codes: ['HEADER_ADDED'],
    tamper: text(/^(committer .*)$/m, '$1\nmergetag object 1\n type commit'),
  },
  'a second author in its header': {
    codes: ['HEADER_ADDED'],
    tamper: text(/^(author .*)$/m, '$1\nauthor Eve <eve@example.com> 1790000000 +0000'),
  },
  'a signature that is none': {
    codes: (of) => (of.isSigned ? ['SIGNATURE_BAD'] : 'hidden'),
    tamper: ({ rewrite }) =>
      rewrite({
        text: (own) =>
          unsigned(own).replace(
            /^(committer .*)$/m,
            '$1\ngpgsig -----BEGIN SSH SIGNATURE-----\n AAAA\n -----END SSH SIGNATURE-----',
          ),
      }),
  },
  'its signature left out': {
    codes: ['SIGNATURE_MISSING'],
    where: ({ isSigned }) => isSigned,
    tamper: ({ rewrite }) => rewrite({ text: unsigned }),
  },
  'signed by somebody else': {
    codes: ['SIGNATURE_MISSING'],
    where: ({ isSigned }) => isSigned,
    tamper: async ({ rewrite, objects, honest }) => {
      const { keyFile } = await createIdentity({ name: 'Eve', email: 'eve@example.com' });
      const own = unsigned(objects.text(honest.commit)).replace(/^(Justification: ).*$/m, '$1other');
      const text = await signed(own, keyFile, honest.scene.repo.env);
      return rewrite({ text: () => text });
    },
  },
  'another text below its signature': {
    codes: ['SIGNATURE_BAD'],
    where: ({ isSigned }) => isSigned,
    tamper: text(/^(Justification: ).*$/m, '$1other'),
  },
  'a second parent': {
    codes: ['PARENTS'],
    tamper: async (given) => {
      const other = await between(given, given.base);
      return given.rewrite({ text: (own) => own.replace(/^(parent .*)$/m, `$1\nparent ${other}`) });
    },
  },
  'its parents the other way round': {
    codes: ({ kind }) => (kind === 'resume' ? ['PARENTS'] : ['PARENTS', 'BASE_DIFFERS']),
    tamper: async (given) => {
      const other = await between(given, given.base);
      return given.rewrite({ text: (own) => own.replace(/^(parent .*)$/m, `parent ${other}\n$1`) });
    },
  },
  'no parent': { isWhole: true, codes: ['PARENTS'], tamper: text(/^parent .*\n/m, '') },
  'rebased onto another commit': {
    codes: ['BASE_DIFFERS'],
    where: (of) => isRollback(of) && isPlain(of),
    tamper: async (given) => onto(given, await between(given, given.base)),
  },
  'rebased, and its base changed': {
    codes: 'hidden',
    where: (of) => isRollback(of) && isPlain(of),
    tamper: async (given) => onto(given, await between(given, given.base), { isBaseTold: true }),
  },
  'put before the commit that it follows': {
    isWhole: true,
    codes: ['BASE_DIFFERS'],
    where: (of) => isPlain(of) && isRollback(of) && of.name !== 'service' && of.name !== 'merges',
    tamper: (given) => onto(given, parentOf(given.objects, given.base)),
  },
  'picked again': {
    codes: ({ kind }) => (kind === 'resume' ? ['REQUEST_REPEATED'] : ['BASE_DIFFERS', 'REQUEST_REPEATED']),
    where: isPlain,
    tamper: async (given) => {
      const { objects, honest, base, baseTree } = given;
      const who = 'Bot <bot@example.com> 1790000000 +0000';
      const undone = await objects.write(
        'commit',
        `tree ${baseTree}\nparent ${honest.main}\nauthor ${who}\ncommitter ${who}\n\nDeploy\n`,
      );
      const again = objects.text(honest.commit).replace(`parent ${base}`, `parent ${undone}`);
      const commit = await objects.write('commit', again);
      return given.branch(commit, commit);
    },
  },
  'again under another request': {
    codes: (of) =>
      of.isDemanded || of.hasLedger
        ? ['LEDGER_MISSING']
        : of.places
          ? ['PATH_MISSING', 'PATH_ADDED']
          : 'hidden',
    where: (of) => isPlain(of) && isRollback(of),
    tamper: async (given) => {
      const { objects, honest, base, baseTree } = given;
      const who = 'Bot <bot@example.com> 1790000000 +0000';
      const undone = await objects.write(
        'commit',
        `tree ${baseTree}\nparent ${honest.main}\nauthor ${who}\ncommitter ${who}\n\nDeploy\n`,
      );
      const again = objects
        .text(honest.commit)
        .replaceAll(base, undone)
        .replaceAll(honest.requestId, 'rbk-01AAAAAAAAAAAAAAAAAAAAAAAA');
      const commit = await objects.write('commit', again);
      return given.branch(commit, commit);
    },
  },
  'another commit squashed into it': {
    codes: ['PATH_ADDED'],
    where: isPlain,
    tamper: async (given) => {
      const { objects, honest } = given;
      const next = await between(given, honest.commit);
      return given.rewrite({ tree: treeOf(objects, next) });
    },
  },
  'squashed into another commit': {
    codes: 'gone',
    where: (of) => isPlain(of) && of.hasLedger,
    tamper: async (given) => {
      const { objects, honest, base } = given;
      const next = await between(given, honest.commit);
      const commit = await objects.write(
        'commit',
        objects.text(next).replace(/^parent .*$/m, `parent ${base}`),
      );
      return given.branch(commit, honest.commit);
    },
  },
  'taken off the branch': {
    codes: 'gone',
    where: ({ isFollowed }) => !isFollowed,
    tamper: (given) => Promise.resolve(given.branch(given.base, given.honest.commit)),
  },
  'taken off the branch, with others after it': {
    codes: 'gone',
    where: ({ isFollowed }) => isFollowed,
    tamper: async (given) => {
      const { objects, honest, base } = given;
      const commits = [];
      for (let id = honest.main; id !== honest.commit; id = parentOf(objects, id)) commits.unshift(id);
      const ids = new Map([[honest.commit, base]]);
      const main = await carry(objects, { commits, ids });
      return given.branch(main, honest.commit);
    },
  },
};

export const COMMIT: readonly Kind[] = Object.entries(KINDS).map(
  ([name, { codes, where = () => true, isWhole = false, tamper }]) => ({
    name,
    group: 'commit',
    applies: (of) =>
      (of.how === 'push' || name.startsWith('taken off') || name.startsWith('squashed')) &&
      Boolean(where(of)),
    expected: expectedBy(codes),
    isWhole,
    tamper,
  }),
);
