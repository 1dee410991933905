/** Whatever an adapter takes away comes back byte for byte. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AdapterSettings } from '../../../engine/holds/adapters/adapter.ts';
import { giveBack } from '../../../engine/holds/give-back.ts';
import { leavesOf } from '../../../engine/holds/held.ts';
import { plainAddress } from '../../../engine/holds/settings.ts';
import { take, type Taken } from '../../../engine/holds/take.ts';
import type { TakenPart } from '../../../engine/model/index.ts';
import { runs } from '../../helpers/run/proof.ts';

const settings: AdapterSettings = {
  set: [{ selector: '/auto', value: 'false' }],
  isOwn: (address) => plainAddress(address) === 'git.example.com/acme/config',
  branch: 'main',
  target: 'c0ffee'.repeat(6) + 'abcd',
};

const taking = (text: string, path = 'app.yaml'): Taken =>
  take({ path, text, fields: leavesOf(path, text), settings, isChanged: true });

function givenBack(text: string, parts: readonly TakenPart[]): string {
  let now = text;
  for (const part of parts.toReversed()) {
    const given = giveBack(now, part);
    if ('problem' in given) throw new Error(`${part.adapter}: ${given.problem}`);
    now = given.text;
  }
  return now;
}

const APPLICATION = `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: api
  annotations:
    team: a # who
    argocd-image-updater.argoproj.io/image-list: api=registry.example.com/api
    argocd-image-updater.argoproj.io/api.update-strategy: |
      semver
    notify: 'yes'
spec:
  source:
    repoURL: git@git.example.com:acme/config.git
    targetRevision: main # moves
`;

describe('what adapters take away', () => {
  it.each([
    ['a marker of Flux', 'tag: v1 # {"$imagepolicy": "a:b:tag"}\n', 'tag: v1\n', ['flux']],
    ['a marker without a final newline', 'tag: v1 # {"$imagepolicy": "a:b"}', 'tag: v1', ['flux']],
    [
      'a marker behind spaces and a carriage return',
      'tag:   v1   # {"$imagepolicy": "a:b"}  \r\nb: 1\r\n',
      'tag:   v1\r\nb: 1\r\n',
      ['flux'],
    ],
    [
      'a marker behind a flow map',
      'image: {name: a, tag: "v1"} # {"$imagepolicy": "a:b"}\n',
      'image: {name: a, tag: "v1"}\n',
      ['flux'],
    ],
    [
      'a marker inside of a flow map of several lines',
      'image: {\n  tag: v1, # {"$imagepolicy": "a:b"}\n  name: a\n}\n',
      'image: {\n  tag: v1,\n  name: a\n}\n',
      ['flux'],
    ],
    [
      'markers of a list',
      '- v1 # {"$imagepolicy": "a:b"}\n- v2 # {"$imagepolicy": "a:c"}\n',
      '- v1\n- v2\n',
      ['flux', 'flux'],
    ],
    [
      'a marker of a value that is not written',
      'tag: # {"$imagepolicy": "a:b"}\nb: 1\n',
      'tag:\nb: 1\n',
      ['flux'],
    ],
    [
      'a comment of Renovate above',
      'a: 1\n# renovate: datasource=docker depName=x\nversion: 1.2.3\n',
      'a: 1\nversion: 1.2.3\n',
      ['renovate'],
    ],
    [
      'a comment of Renovate behind',
      'version: 1.2.3 # renovate: datasource=docker\n',
      'version: 1.2.3\n',
      ['renovate'],
    ],
    [
      'a comment of Renovate in the first line, behind a byte order mark',
      '\uFEFF# renovate: depName=x\nv: 1\n',
      '\uFEFFv: 1\n',
      ['renovate'],
    ],
    ['a key', 'auto: true # on\n', 'auto: false # on\n', ['keys']],
    ['a key in quotes', 'auto: "yes"\n', 'auto: false\n', ['keys']],
    ['a key of JSON', '{"auto": true, "b": [1]}\n', '{"auto": false, "b": [1]}\n', ['keys']],
    [
      'the image updater of Argo CD, and a source that moves',
      APPLICATION,
      APPLICATION.replace(/ {4}argocd[^]*?semver\n/, '').replace(
        'targetRevision: main',
        `targetRevision: ${settings.target}`,
      ),
      ['argocd-image-updater', 'git-source'],
    ],
    [
      'a source of Flux',
      'apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nspec:\n  url: ssh://git@git.example.com:22/acme/config\n  ref: {branch: main}\n',
      `apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nspec:\n  url: ssh://git@git.example.com:22/acme/config\n  ref: {commit: ${settings.target}}\n`,
      ['git-source'],
    ],
    [
      'nothing of block texts, other comments and other sources',
      'a: | # {"$imagepolicy": "a:b"}\n  x # {"$imagepolicy": "a:b"}\nb: 1 # imagepolicy\nkind: GitRepository\n',
      'a: | # {"$imagepolicy": "a:b"}\n  x # {"$imagepolicy": "a:b"}\nb: 1 # imagepolicy\nkind: GitRepository\n',
      [],
    ],
  ])('is exactly that, and comes back: %s', (_, text, wanted, adapters) => {
    const path = text.startsWith('{') ? 'app.json' : 'app.yaml';
    const taken = taking(text, path);
    expect(taken.text).toBe(wanted);
    expect(taken.parts.map(({ adapter }) => adapter)).toEqual(adapters);
    expect(taken.problems).toEqual([]);
    expect(givenBack(taken.text, taken.parts)).toBe(text);
  });

  it('says of a source that is somewhere else that it cannot be pinned', () => {
    const { text, problems } = taking(APPLICATION.replace('acme', 'other'));
    expect(text).toContain('targetRevision: main');
    expect(problems).toEqual([expect.stringContaining('git.example.com:other/config.git')]);
  });

  it('comes back byte for byte for generated files of every form, also one part after the other in any order', () => {
    fc.assert(
      fc.property(files, fc.infiniteStream(fc.nat(1000)), (text, numbers) => {
        const taken = taking(text);
        expect(taken.problems.filter((problem) => problem.includes('exactly'))).toEqual([]);
        expect(taken.text).not.toContain('imagepolicy');
        expect(givenBack(taken.text, taken.parts)).toBe(text);
        const shuffled = [...taken.parts].sort(() => ((numbers.next().value ?? 0) % 2) * 2 - 1);
        const inAnyOrder = shuffled.reduce<string | null>((now, part) => {
          const given = now === null ? null : giveBack(now, part);
          return given && 'text' in given ? given.text : null;
        }, taken.text);
        // A part beside another one may have to wait for it; what comes back is right.
        expect([null, text]).toContain(inAnyOrder);
      }),
      { numRuns: runs(40, 10) },
    );
  });

  it('comes back where other lines came and went meanwhile', () => {
    fc.assert(
      fc.property(files, fc.constantFrom('# a line\n', 'zzz: 1\n', '# a\n# b\n\n'), (text, line) => {
        const taken = taking(text);
        const eol = text.includes('\r\n') ? line.replaceAll('\n', '\r\n') : line;
        expect(givenBack(eol + taken.text, taken.parts)).toBe(eol + text);
      }),
      { numRuns: runs(40, 10) },
    );
  });

  it('comes back once: what is there already is left alone', () => {
    fc.assert(
      fc.property(files, (text) => {
        const again = taking(text).parts.map((part) => giveBack(text, part));
        expect(again.filter((given) => 'text' in given && given.text !== text)).toEqual([]);
      }),
      { numRuns: runs(40, 10) },
    );
  });
});

const MARKERS = [
  ' # {"$imagepolicy": "flux:api:tag"}',
  '   # {"$imagepolicy": "flux:api"} # more',
  ' # renovate: datasource=docker',
  ' # other',
  '',
];
const scalars = fc.constantFrom(
  'v1',
  '"v1"',
  "'v1'",
  '1.10',
  '0644',
  'true',
  '~',
  '',
  '{a: 1}',
  '[1, 2]',
  'é',
);
const above = fc.constantFrom('', '# renovate: datasource=docker depName=x\n', '# note\n', '\n');

/** Maps in maps, in block form, with some flow maps in them: `depth` levels. */
const maps = (depth: number, indent: string): fc.Arbitrary<string> =>
  fc
    .array(
      fc.tuple(
        above,
        depth > 0
          ? fc.oneof(
              scalars,
              maps(depth - 1, `${indent}  `).map((text) => `\n${text}`),
            )
          : scalars,
        fc.constantFrom(...MARKERS),
      ),
      { minLength: 1, maxLength: 4 },
    )
    .map((entries) =>
      entries
        .map(([comment, value, marker], index) => {
          const head = comment === '' || comment === '\n' ? comment : `${indent}${comment}`;
          const line = value.startsWith('\n') ? value : `${value === '' ? '' : ' '}${value}${marker}\n`;
          return `${head}${indent}${index === 3 ? 'auto' : `k${index}`}:${line}`;
        })
        .join(''),
    );

const annotations = fc.array(
  fc.constantFrom(
    'argocd-image-updater.argoproj.io/image-list: a=b',
    'argocd-image-updater.argoproj.io/a.update-strategy: semver # how',
    'argocd-image-updater.argoproj.io/a.force: "true"',
    'team: a',
    'note: {a: 1} # b',
  ),
  { minLength: 1, maxLength: 5 },
);

const applications = fc
  .tuple(annotations, fc.boolean(), fc.constantFrom('main', 'HEAD', '"main"', 'v1'))
  .map(([lines, flow, revision]) => {
    const unique = [...new Map(lines.map((line) => [line.split(':')[0], line])).values()];
    const inline = unique.map((line) => line.replace(/ #.*/, '')).join(', ');
    const shown = flow ? ` {${inline}}` : `\n${unique.map((line) => `    ${line}`).join('\n')}`;
    return `apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: a\n  annotations:${shown}\nspec:\n  source:\n    repoURL: https://git.example.com/acme/config\n    targetRevision: ${revision}\n`;
  });

const files = fc
  .tuple(
    fc.oneof(
      maps(1, ''),
      applications,
      fc.tuple(maps(1, ''), applications).map((both) => both.join('---\n')),
    ),
    fc.boolean(),
    fc.boolean(),
  )
  .map(([text, crlf, open]) => {
    const ended = open ? text.replace(/\n$/, '') : text;
    return crlf ? ended.replaceAll('\n', '\r\n') : ended;
  });
