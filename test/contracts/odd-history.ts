import { createRepo, type Repo } from '../helpers/repositories/repo.ts';

const IDENT = 'author A <a@b> 5 +0000\ncommitter A <a@b> 5 +0000\n';

/** Commits without their tree and parents; a character is a byte. What matters is the message. */
export const MESSAGES: readonly string[] = [
  '',
  '\n\n  \n',
  'Subject',
  '\n \nSubject late  \nsecond line\t\n  third\n\nBody',
  'S\n\nKey: value\n',
  'S\n\nbody\n\nKey: long\n  folded\n\tmore\nZ: last\n',
  'S\n\nKey: value\n\n\n# comment\n\n',
  'S\n\nKey: value\n\nConflicts:\n\tfile\n\tother\n',
  'S\n\nKey: value\n# ------------------------ >8 ------------------------\ndiff\n',
  'S\n\nnot one\nSigned-off-by: A <a@b>\nthree: 3\n',
  'S\n\nnot one\nnot two\nnot three\nnot four\nSigned-off-by: A <a@b>\n',
  'S\n\nnot one\nKey: value\n',
  'S\n\nKey: value\n---\nOther: value\n',
  'S\n\nKey: a\n---\n\nOther: b\n',
  'Key: in the title\nOther: too\n',
  'S\n\n  Key: indented\nKey: not\n',
  'S\n\nKey : blank before\nA key: with blank\nKey:no blank\nEmpty:\n',
  'S\n\n(cherry picked from commit 1)\nsome text\nmore\nKey: v\n',
  'S\n\nRollback-Request-ID : rbk-x\n',
  'S\n\nrollback-request-id: rbk-x\nDelivery-Of: y\n',
  'S\n\nRollback-Request-ID: in the body\n\nKey: v\n',
  'S\r\n\r\nKey: value\r\nOther: value\r\n',
  'S\n\nKey: v\0Other: hidden\n',
  'Conflicts:\n\r\nSigned-off-by: A <a@b>\n\n\tfile\n',
  'Conflicts:\nSigned-off-by: A <a@b>\n\nText\n\n\tfile\n',
  '#comment\nS\n\nKey: v\n',
  '# only\n# comments\n',
].map((message) => `${IDENT}\n${message}`);

/** The same, where the header matters. */
export const HEADERS: readonly string[] = [
  'author \xc3\xbc <a@b> 5 +0000\ncommitter A <a@b> 5 +0000\nencoding ISO-8859-1\n\n\xe4\x80\n\nKey: \xfc\n',
  'author \xfc <a@b> 5 +0000\ncommitter A <a@b> 5 +0000\nencoding no-such\n\n\xe4\n\nKey: \xfc\n',
  'author \xa4\xa2 <a@b> 5 +0000\ncommitter A <a@b> 5 +0000\nencoding EUC-JP\n\n\xa4\xa2\n',
  'author \xff <a@b> 5 +0000\ncommitter A <a@b> 5 +0000\n\n\xff\n\nKey: \xff\n',
  'author  Two  Names  <a <b> c> 5 +0000\ncommitter A <a@b>> 1767225600 -0130\n\nx\n',
  'author nobody\ncommitter nobody\n\nx\n',
  'author <a@b> 5 +0000\ncommitter <> 5 +0000\n\nx\n',
  'author A <a@b>\ncommitter A <a@b>\n\nx\n',
  'author A <a@b> 5\ncommitter A <a@b> 7\n\nx\n',
  'author A <a@b> -5 +0000\ncommitter A <a@b> 99999999999999 +0000\n\nx\n',
  `${IDENT}gpgsig -----BEGIN SSH SIGNATURE-----\n author B <b> 1 +0000\n \n x\n -----END SSH SIGNATURE-----\n\nSigned\n`,
  `${IDENT}mergetag object 1\n type commit\n tag x\n encoding latin1\n\n\nS\n\nKey: v\n`,
  IDENT,
];

/** Merges of both kinds, moves, links, modes, a submodule, odd names, an empty commit, tags, loose and packed objects. */
export async function manyKinds(): Promise<Repo> {
  const repo = await createRepo();
  const long = Array.from({ length: 400 }, (_, i) => `line ${i}`).join('\n');
  await repo.commit({ 'a/x.yaml': '1\n', 'b/y.yaml': long, 'a*/star.yaml': 's' });
  await repo.git('checkout', '--quiet', '-b', 'side');
  await repo.commit({ 'a/x.yaml': '2\n' });
  await repo.commit({ 'a/z.yaml': '1\n', kind: 'a file' });
  await repo.git('checkout', '--quiet', 'main');
  await repo.commit({ 'b/y.yaml': `${long}\nmore` });
  await repo.git('merge', '--quiet', '--no-ff', '-m', 'Merge side', 'side');
  await repo.commit({ kind: null, 'kind/inner': 'a folder', 'kind-of': 'x' });
  await repo.git('gc', '--quiet');
  await repo.commit({ kind: { link: 'a/x.yaml' }, 'run.sh': { executable: '#!/bin/sh\n' } });
  await repo.commit({ 'a/x.yaml': null, 'moved/x.yaml': '2\n', kind: { executable: 'x' } });
  await repo.commit({}, { message: 'Empty' });
  await repo.git('update-index', '--add', '--cacheinfo', `160000,${'5'.repeat(40)},vendored`);
  await repo.git('commit', '--quiet', '-m', 'Submodule');
  await repo.git('tag', '-a', '-m', 'Tag', 'v1');
  const names = ['ü', 'a b', '"q"', 'new\nline', ':(top)', '-o', '\u{1f600}'].map((name) => `names/${name}`);
  await repo.git('checkout', '--quiet', '-b', 'foxtrot', 'HEAD~3');
  await repo.commit(Object.fromEntries(names.map((name) => [name, name])));
  // The branch merged its upstream into itself: the line that was the first parents' is now the second's.
  await repo.git('merge', '--quiet', '--no-ff', '-m', 'Merge main into foxtrot', 'main');
  await repo.git('branch', '--force', 'main', 'foxtrot');
  await repo.git('checkout', '--quiet', 'main');
  await repo.git('pack-refs', '--all');
  await repo.git('rm', '--quiet', '--cached', 'a/z.yaml');
  await repo.git('commit', '--quiet', '-m', 'Last');
  return repo;
}
