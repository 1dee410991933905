import fc from 'fast-check';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { gfm } from 'micromark-extension-gfm';
import { describe, expect, it } from 'vitest';
import { type ProposedRollback, pullRequestText } from '../../../../engine/requests/pull-requests/body.ts';
import { runs } from '../../../helpers/run/proof.ts';
import { anyCharacter } from '../../../helpers/trees/any-character.ts';

const ID = 'rbk-01JD0000000000000000000001';
const BRANCH = `backtrail/${ID}`;
const COMMIT = '1'.repeat(40);

/** Every text of others is `text`. */
function rollback(
  text: string,
  how: { readonly files?: number; readonly diff?: string } = {},
): ProposedRollback {
  const person = { name: text, email: text };
  const at = '2026-11-28T20:00:00Z';
  const file = {
    path: text || 'f',
    change: 'modified',
    fields: [
      { selector: text, op: 'replace', before: text, after: text },
      { selector: text, op: 'replace', diff: `@@ -1 +1 @@\n-${text}\n+${text}\n` },
    ],
  } as const;
  const large = { path: `${text}/l`, change: 'added', diff: how.diff ?? text } as const;
  return {
    plan: {
      mode: 'service',
      scope: text,
      environment: text,
      service: text,
      fields: [text],
      owners: [text, text],
      branch: text,
      base: COMMIT,
      target: '2'.repeat(40),
      targetVersion: 3,
      current: '3'.repeat(40),
      currentVersion: null,
      digest: `sha256:${'a'.repeat(64)}`,
      unchanged: false,
      changes: [
        { service: text, files: Array.from({ length: how.files ?? 1 }, () => file) },
        { service: null, files: [large] },
      ],
      manifests: [large],
      kept: [{ path: text, selector: text, by: text }],
      impact: { services: [text], bindings: [text], variables: [], files: 2, fields: 2 },
      findings: [
        { code: 'KEPT_PATH', severity: 'info', message: text },
        { code: 'IMAGE_MISSING', severity: 'warn', message: text, overridden: true },
      ],
      hold: {
        for: null,
        fields: [{ path: text, selector: text, held: null }],
        taken: [{ adapter: text, path: text, selector: text }],
      },
      replacesHolds: [text],
      revisions: { target: { time: at, author: person, subject: text } },
    },
    request: {
      id: ID,
      author: person,
      createdAt: at,
      justification: text,
      incident: text,
      reviews: [
        {
          id: 'evt-1',
          decision: 'approved',
          actor: person,
          at,
          comment: text,
          digest: '',
          identity: 'verified',
          counts: true,
        },
      ],
      approval: { need: 1, have: 1, approvers: [] },
      breakGlass: null,
    },
    commit: COMMIT,
    deliveryCommit: null,
  };
}

const write = (text: string, how?: Parameters<typeof rollback>[1]) =>
  pullRequestText({ subject: text, branch: BRANCH, rollbacks: [rollback(text, how)] });

interface Node {
  readonly type: string;
  readonly value?: string;
  readonly depth?: number;
  readonly children?: readonly Node[];
}

const parse = (body: string): Node =>
  fromMarkdown(body, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] });

const nodesOf = (node: Node): readonly Node[] => [node, ...(node.children ?? []).flatMap(nodesOf)];

const OWN_HTML = /^(?:<details>\n<summary>[A-Z][a-z ]+<\/summary>|<\/details>)$/;
const OWN_NODES = new Set([
  'root',
  'paragraph',
  'strong',
  'text',
  'inlineCode',
  'code',
  'list',
  'listItem',
  'html',
  'thematicBreak',
]);
/** GitLab's own, with the references that it knows (docs.gitlab.com, "Default closing pattern"). */
const CLOSES =
  /\b(?:clos(?:e[sd]?|ing)|fix(?:e[sd]|ing)?|resolv(?:e[sd]?|ing)|implement(?:s|ed|ing)?):? +(?:issues? +)?(?:[\w./-]*#\d|[A-Z][A-Z0-9_]+-\d|https?:)/i;

const PIECES = [
  '`',
  '``',
  '\n```\n',
  '\n~~~\n',
  '`'.repeat(100),
  '`'.repeat(300),
  '\\',
  ' ',
  '    ',
  '\t',
  '\r',
  '\n',
  '@bob',
  '@acme/ops ',
  '#12',
  '!3',
  'GH-12',
  'acme/app#1',
  'https://evil.example',
  'www.evil.example',

  'bob@example.com',
  '[x](https://evil.example)',
  '![x](y)',
  '[x]: https://evil.example\n',
  '[^1]',
  '<http://a.b>',

  '<script>',
  '</details>',
  '<!--',
  '<img src=x>',
  '</code>',
  '&lt;',
  '&#64;bob',
  '$`x`$',
  ':tada:',
  '|',
  '\n|-|-|\n',

  'Closes #1',
  'fixes: #1',
  'Resolves  acme/app#1',
  '\n/merge\n',
  '\n/approve',
  '\n---\n',
  '\n===\n',
  '\n# ',
  '\n- [ ] ',

  '\u202e',
  '\u200b',
  '\ufeff',
  '\u2028',
  '\u0085',
  '\u0000',
  '\u001b[31m',
  '\ud800',
  'é',
  '😀',
  '*',
  '**',
  '_',
  '~~',
];
const hostile = fc
  .array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ unit: anyCharacter, maxLength: 4 })), {
    maxLength: 12,
  })
  .map((pieces) => `ZQX${pieces.join('')}ZQX`);

describe('the text of a pull request', () => {
  it('says what is rolled back, why, who asked and approved, and how to verify it', () => {
    const { title, body } = write('api-gateway');
    expect(title).toBe('api-gateway');
    for (const part of [
      '**Rollback of** `api-gateway` (service) **on** `api-gateway`',
      `- to v3 (\`${'2'.repeat(40)}\`), \`2026-11-28T20:00:00Z\` by`,
      '**OVERRIDDEN** `IMAGE_MISSING`',
      '- quorum: 1 of 1',
      `backtrail request show ${ID}`,
      `git fetch origin ${BRANCH} && git show ${COMMIT}`,
      'never counted',
      'makes the request void',
      '- api-gateway: api-gateway\n+ api-gateway: api-gateway',
    ])
      expect(body).toContain(part);
    expect(body.indexOf('IMAGE_MISSING')).toBeLessThan(body.indexOf('KEPT_PATH'));
    expect(body).not.toContain('Left out');
  });

  it('names who broke the glass in place of who approved', () => {
    const own = rollback('x');
    const breakGlass = { session: 'bgs-1', ticket: null, review: null };
    const request = {
      ...own.request,
      reviews: [],
      approval: { need: 0, have: 0, approvers: [] },
      breakGlass,
    };
    const { body } = pullRequestText({ subject: 'x', branch: BRANCH, rollbacks: [{ ...own, request }] });
    expect(body).toContain('**BREAK-GLASS** session `bgs-1`');
  });

  it('keeps text of others text, whatever it is', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const { title, body } = write(text);
        const nodes = nodesOf(parse(body));
        const strange = nodes.filter(({ type, value = '' }) =>
          type === 'html' ? !OWN_HTML.test(value) : !OWN_NODES.has(type),
        );
        expect(strange).toEqual([]);
        const prose = nodes.filter(({ type }) => type === 'text').map(({ value }) => value);
        expect(prose.join('\n')).not.toMatch(/ZQX|@|:\/\/|www\.|#|!\d|GH-|[0-9a-f]{40}/);
        expect(nodes.filter(({ type }) => type === 'thematicBreak')).toHaveLength(1);
        expect(body).not.toMatch(/^\//m);
        for (const shown of [title, body]) {
          expect(shown).not.toMatch(CLOSES);
          expect(shown.replace(/[\n\t]/g, '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
        }
        expect(title).not.toMatch(/@[\w-]|#\d|:\/\/|\n/);
      }),
      { numRuns: runs(200, 10) },
    );
  });

  it('has at most 60 kB, and says what is left out', () => {
    fc.assert(
      fc.property(hostile, fc.integer({ min: 0, max: 400 }), (text, number) => {
        const { title, body } = write(text, { files: number, diff: `+${text}\n`.repeat(5000) });
        expect(Buffer.byteLength(body)).toBeLessThanOrEqual(60_000);
        expect(title.length).toBeLessThanOrEqual(200);
      }),
      { numRuns: runs(50, 10) },
    );
    const { body } = write('x'.repeat(100), { files: 2000 });
    expect(body).toMatch(/Left out here because of its length:\*\* .*differences of \d+ files/);
    expect(body).toContain(`backtrail request show ${ID} --full`);
  });

  it('has a section for each request of a group, and lines where there are too many', () => {
    const few = pullRequestText({
      subject: 'INC-1',
      branch: BRANCH,
      rollbacks: [rollback('a'), rollback('b')],
    });
    expect(few.body).toContain('## 1. `a`');
    expect(few.body).toContain('## 2. `b`');
    for (const number of [60, 3000]) {
      const rollbacks = Array.from({ length: number }, (_, index) => rollback(`service-${index}`));
      const many = pullRequestText({ subject: 'INC-1', branch: BRANCH, rollbacks });
      expect(Buffer.byteLength(many.body)).toBeLessThanOrEqual(60_000);
      expect(many.body.includes('more are left out here')).toBe(number === 3000);
      expect(many.body).toContain('never counted');
    }
  });

  it('is never taken for a draft by its title', () => {
    for (const subject of ['Draft: x', '[WIP] x', 'wip: x', '(draft) x'])
      expect(write(subject).title).toBe(`Rollback: ${subject}`);
  });
});
