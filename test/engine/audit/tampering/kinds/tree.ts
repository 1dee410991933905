/** Tampering with what a rollback leaves in the tree. */
import { type Case, ELSEWHERE } from '../case.ts';
import { FOLDER } from '../objects.ts';
import { type Change, type Given, type Kind, treeOf } from '../tampering.ts';
import { type Codes, expectedBy, type Found, type FoundBy } from './expect.ts';

interface TreeKind {
  readonly codes: FoundBy;
  readonly where?: (of: Case) => unknown;
  readonly change: (given: Given) => Promise<Change> | Change;
}

const FILE = '100644';
const isRollback = ({ kind }: Case) => kind === 'rollback';
/** What it writes is there afterwards. */
const writes = ({ removed, name }: Case) =>
  removed === undefined && name !== 'resume' && name !== 'approved resume';
/** What a resume of some fields lifts besides is a record like any: which ones were asked for is not recorded. */
const unlessSome =
  (codes: Codes, ofSome: Found) =>
  ({ name }: Case) =>
    name === 'resume of a field' ? ofSome : codes;

const KINDS: Readonly<Record<string, TreeKind>> = {
  'a byte elsewhere': {
    codes: ['PATH_ADDED'],
    change: async ({ file }) => ({ edits: await file(ELSEWHERE, 'mine\n') }),
  },
  'a byte in a restored file': {
    codes: ['CONTENT_DIFFERS'],
    where: writes,
    change: async ({ file, restored }) => ({ edits: await file(restored, (text) => `${text}#\n`) }),
  },
  'another value in a restored file': {
    codes: ['CONTENT_DIFFERS'],
    where: (of) => writes(of) && isRollback(of),
    change: async ({ file, restored }) => ({
      edits: await file(restored, (text) => text.replace(/: .*$/m, ': v9')),
    }),
  },
  'a file not restored': {
    codes: ['PATH_MISSING'],
    change: ({ objects, baseTree, restored }) => {
      const line = objects.find(baseTree, restored);
      return { edits: { [restored]: line && { mode: line.mode, id: line.id } } };
    },
  },
  'another file not restored': {
    codes: ['PATH_MISSING'],
    where: ({ other }) => other,
    change: ({ objects, baseTree, honest }) => {
      const path = honest.of.other ?? '';
      const line = objects.find(baseTree, path);
      return { edits: { [path]: line && { mode: line.mode, id: line.id } } };
    },
  },
  'nothing restored at all': {
    codes: ['PATH_MISSING'],
    change: ({ baseTree }) => ({ tree: baseTree }),
  },
  'the whole tree of the target': {
    codes: ['PATH_ADDED'],
    where: ({ name }) =>
      ['service', 'field', 'manifests', 'odd names', 'merges', 'SHA-256', 'hold'].includes(name),
    change: ({ objects, honest }) => {
      const target = /^Rollback-Target: (.*)$/m.exec(objects.text(honest.commit))?.[1] ?? '';
      return { tree: treeOf(objects, target) };
    },
  },
  'a restored file removed': {
    codes: unlessSome(['CONTENT_DIFFERS'], 'hidden'),
    where: writes,
    change: ({ restored }) => ({ edits: { [restored]: null } }),
  },
  'a removed file written': {
    codes: ['CONTENT_DIFFERS'],
    where: ({ removed }) => removed,
    change: async ({ file, honest }) => ({ edits: await file(honest.of.removed ?? '', 'image: v9\n') }),
  },
  'a file more beside a restored one': {
    codes: ['PATH_ADDED'],
    change: async ({ file, restored }) => ({
      edits: await file(restored.replace(/[^/]+$/, 'more.yml'), 'a: 1\n'),
    }),
  },
  'a file more elsewhere': {
    codes: ['PATH_ADDED'],
    change: async ({ file }) => ({ edits: await file('elsewhere/new.yaml', 'a: 1\n') }),
  },
  'a workflow more': {
    codes: ['PATH_ADDED'],
    change: async ({ file }) => ({ edits: await file('.github/workflows/mine.yaml', 'on: push\n') }),
  },
  'a file removed elsewhere': {
    codes: ['PATH_ADDED'],
    change: () => ({ edits: { [ELSEWHERE]: null } }),
  },
  'a restored file under another name': {
    codes: unlessSome(['PATH_ADDED', 'CONTENT_DIFFERS'], ['PATH_ADDED']),
    where: writes,
    change: ({ objects, tree, restored }) => {
      const line = objects.find(tree, restored);
      return { edits: { [restored]: null, [`${restored}.bak`]: line && { mode: line.mode, id: line.id } } };
    },
  },
  'a restored file made executable': {
    codes: ['MODE_DIFFERS'],
    where: writes,
    change: async ({ file, restored }) => ({ edits: await file(restored, (same) => same, '100755') }),
  },
  'an executable made a file': {
    codes: ['MODE_DIFFERS'],
    where: ({ executable }) => executable,
    change: async ({ file, honest }) => ({
      edits: await file(honest.of.executable ?? '', (same) => same, FILE),
    }),
  },
  'a mode elsewhere': {
    codes: ['PATH_ADDED'],
    change: async ({ file }) => ({ edits: await file(ELSEWHERE, (same) => same, '100755') }),
  },
  'a restored file made a link': {
    codes: unlessSome(['MODE_DIFFERS'], ['CONTENT_DIFFERS']),
    where: writes,
    change: async ({ file, restored }) => ({ edits: await file(restored, '../web/app.yaml', '120000') }),
  },
  'a restored file made a submodule': {
    codes: unlessSome(['MODE_DIFFERS'], ['CONTENT_DIFFERS']),
    where: writes,
    change: ({ restored, base }) => ({ edits: { [restored]: { mode: '160000', id: base } } }),
  },
  'a restored file made a folder': {
    codes: unlessSome(['PATH_ADDED', 'CONTENT_DIFFERS'], ['PATH_ADDED']),
    where: writes,
    change: async ({ file, restored }) => ({ edits: await file(`${restored}/inside.yaml`, 'a: 1\n') }),
  },
  'a folder elsewhere made a submodule': {
    codes: ['PATH_ADDED'],
    change: ({ base }) => ({ edits: { [ELSEWHERE]: { mode: '160000', id: base } } }),
  },
  'what is kept': {
    codes: ['PATH_ADDED'],
    where: ({ kept }) => kept,
    change: async ({ file, honest }) => ({ edits: await file(honest.of.kept ?? '', 'key: v1\n') }),
  },
  'a part that is kept, or none of its own': {
    codes: ['CONTENT_DIFFERS'],
    where: ({ part }) => part,
    change: async ({ file, honest }) => {
      const [path = '', line = ''] = honest.of.part ?? [];
      const other = (text: string) => text.replace(`\n${line}\n`, `\n${line.replace(/: .*/, ': v7')}\n`);
      return { edits: await file(path, other) };
    },
  },
  'the configuration in the same commit': {
    codes: ['PATH_ADDED'],
    change: async ({ file }) => ({
      edits: await file('.backtrail/config.yaml', (text) => text.replace('"keep":[', '"keep":["x",')),
    }),
  },
  'line ends of Windows': {
    codes: ['CONTENT_DIFFERS'],
    where: writes,
    change: async ({ file, restored }) => ({
      edits: await file(restored, (text) => text.replaceAll('\n', '\r\n')),
    }),
  },
  'a byte order mark': {
    codes: ['CONTENT_DIFFERS'],
    where: writes,
    change: async ({ file, restored }) => ({ edits: await file(restored, (text) => `\ufeff${text}`) }),
  },
  'the last line end': {
    codes: ['CONTENT_DIFFERS'],
    where: writes,
    change: async ({ file, restored }) => ({ edits: await file(restored, (text) => text.trimEnd()) }),
  },
  'a hold left out': {
    codes: ['PATH_MISSING'],
    where: ({ places }) => places,
    change: ({ hold }) => ({ edits: { [hold]: null } }),
  },
  'a hold for a longer time': {
    codes: ['CONTENT_DIFFERS'],
    where: ({ places }) => places,
    change: async ({ file, hold }) => ({
      edits: await file(hold, (text) => text.replace(/^since: .*$/m, 'since: 2020-01-01T00:00:00Z')),
    }),
  },
  'a hold in the name of another': {
    codes: ['CONTENT_DIFFERS'],
    where: ({ places }) => places,
    change: async ({ file, hold }) => ({
      edits: await file(hold, (text) => text.replace('jane@example.com', 'eve@example.com')),
    }),
  },
  'a hold that holds less': {
    codes: ['CONTENT_DIFFERS'],
    where: ({ places }) => places,
    change: async ({ file, hold }) => ({ edits: await file(hold, (text) => text.replace(/tag/g, 'name')) }),
  },
  'a hold more': {
    codes: ['PATH_ADDED'],
    change: async ({ file }) => ({ edits: await file('.backtrail/holds/prod/mine.yaml', 'version: 1\n') }),
  },
  'a name twice in a folder': {
    codes: ['TREE_MALFORMED'],
    change: async ({ objects, tree, blob }) => {
      const id = await blob('mine\n');
      const lines = objects
        .lines(tree)
        .flatMap((line) => (line.name === ELSEWHERE ? [line, { ...line, id }] : [line]));
      return { tree: await objects.writeTree(lines) };
    },
  },
  'names of a folder in another order': {
    codes: ['TREE_MALFORMED'],
    change: async ({ objects, tree }) => ({
      tree: await objects.writeTree(objects.lines(tree).toReversed()),
    }),
  },
  'a mode that git reads as the same': {
    codes: ['TREE_MALFORMED'],
    change: async ({ objects, tree }) => {
      const lines = objects
        .lines(tree)
        .map((line) => (line.name === ELSEWHERE ? { ...line, mode: '100664' } : line));
      return { tree: await objects.writeTree(lines) };
    },
  },
  'a folder whose mode has a zero more': {
    codes: ['TREE_MALFORMED'],
    change: async ({ objects, tree }) => {
      const lines = objects
        .lines(tree)
        .map((line) => (line.mode === FOLDER ? { ...line, mode: `0${FOLDER}` } : line));
      return { tree: await objects.writeTree(lines) };
    },
  },
  'an empty folder': {
    codes: ['TREE_MALFORMED'],
    change: async ({ objects, tree }) => {
      const empty = await objects.writeTree([]);
      const lines = [...objects.lines(tree), { mode: FOLDER, name: 'zzz', id: empty }];
      return { tree: await objects.writeTree(lines) };
    },
  },
};

export const TREE: readonly Kind[] = Object.entries(KINDS).map(
  ([name, { codes, where = () => true, change }]) => ({
    name,
    group: 'tree',
    applies: (of) => Boolean(where(of)),
    expected: expectedBy(codes),
    tamper: async (given) => given.rewrite(await change(given)),
  }),
);
