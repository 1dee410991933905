import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { isFailure } from '../../engine/model/index.ts';
import { parseConfig } from '../../engine/layout/configuration/parse.ts';
import { draftText, templateText } from '../../engine/init/proposal/text.ts';
import { exampleOf, type KeySchema, readSchema } from '../../scripts/configuration/schema.ts';
import { configurationDocs } from '../../scripts/configuration-reference.ts';
import { CONFIG, SHARED } from '../helpers/repositories/plan-repo.ts';
import { configOf } from '../helpers/people/requests.ts';
import { policyOf } from '../helpers/people/scene.ts';
import { runs } from '../helpers/run/proof.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const SCHEMA = readSchema(JSON.parse(read('docs/configuration.schema.json')));
const valid = new Ajv({ strict: true, strictTypes: false, strictRequired: false }).compile(SCHEMA);

/** What Backtrail itself says of it. */
function complaint(text: string): string | null {
  try {
    parseConfig(text, 'c.yaml');
    return null;
  } catch (error) {
    if (isFailure(error)) return error.message;
    throw error;
  }
}

/** Each key with its path, as the reference writes it. */
function keysOf(schema: KeySchema, path = ''): { path: string; schema: KeySchema }[] {
  const inner = schema.items ?? schema;
  const below = Object.entries(inner.properties ?? {}).flatMap(([key, value]) =>
    keysOf(value, path === '' ? key : `${path}${schema.items ? '[]' : ''}.${key}`),
  );
  return path === '' ? below : [{ path, schema }, ...below];
}

const examples = () => z.record(z.string(), z.unknown()).parse(exampleOf(SCHEMA));

/** Everything that can be said, but for `subject`, in whose place `commit.subject` stands. */
function everything(): Record<string, unknown> {
  const { subject: _subject, ...all } = examples();
  return all;
}

describe('the reference of the configuration', () => {
  it('is what `npm run docs:configuration` writes', () => {
    for (const [name, text] of Object.entries(configurationDocs())) expect(read(`docs/${name}`)).toBe(text);
  });

  it('has each key with its meaning, and shows each in an example', () => {
    const text = read('docs/configuration.md');
    const keys = keysOf(SCHEMA);
    expect(keys.length).toBeGreaterThan(40);
    const unclear = keys.filter(({ path, schema }) => {
      const isLeaf = schema.properties === undefined && schema.items?.properties === undefined;
      const isShown = !isLeaf || schema.examples?.length === 1;
      return !isShown || !/\S\.$/.test(schema.description ?? '') || !text.includes(`\n| \`${path}\` | `);
    });
    expect(unclear).toEqual([]);
  });

  it('has examples that Backtrail takes, alone and together', () => {
    const { version, layout, ...sections } = examples();
    const around = { version, layout };
    for (const [key, value] of Object.entries(sections))
      expect([key, complaint(stringify({ ...around, [key]: value }))]).toEqual([key, null]);
    expect(complaint(stringify(everything()))).toBeNull();
  });

  it('says the defaults that a configuration has', () => {
    const defaults = new Map(keysOf(SCHEMA).map(({ path, schema }) => [path, schema.default]));
    const least = parseConfig(
      'version: 1\nlayout: { environment: ["e/{environment}/**"] }\npolicy: { environments: [ { match: "x", breakGlass: { allowed: true } } ] }\n',
      'c',
    );
    const [rule] = least.policy.environments;
    const hour = 3_600_000;
    expect(rule?.expiryMs).toBe(Number.parseInt(String(defaults.get('policy.environments[].expiry'))) * hour);
    expect(rule?.breakGlass?.longestMs).toBe(hour);
    expect(defaults.get('policy.environments[].breakGlass.longest')).toBe('1h');
    for (const key of ['quorum', 'selfApproval', 'rejections', 'unsignedApprovals', 'bind'] as const)
      expect([key, defaults.get(`policy.environments[].${key}`)]).toEqual([key, rule?.[key]]);
    expect(defaults.get('keep')).toEqual(least.keep);
    expect(defaults.get('ledger.ref')).toBe(least.ledger.ref);
    expect(defaults.get('subject')).toBe(least.subject);
    expect(defaults.get('commit.signoff')).toBe(least.commit.signoff);
    expect(defaults.get('commit.sign')).toBe(least.commit.sign);
  });
});

describe('the JSON Schema for editors', () => {
  const layout = 'version: 1\nlayout: { environment: ["e/{environment}/**"] }\n';

  it('is part of the package', () => {
    const { files, exports } = z
      .object({ files: z.array(z.string()), exports: z.record(z.string(), z.unknown()) })
      .parse(JSON.parse(read('package.json')));
    expect(files).toContain('docs');
    expect(exports['./configuration.schema.json']).toBe('./docs/configuration.schema.json');
    expect(existsSync(join(ROOT, 'docs/configuration.schema.json'))).toBe(true);
  });

  it('takes every configuration of this repository that Backtrail takes', () => {
    const folders = ['test/cases', 'fixtures-repo', 'scripts'];
    const files = folders.flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.backtrail/config.yaml'))
        .map((name) => read(join(folder, name))),
    );
    const pages = ['README.md', 'docs/configuration.md', 'docs/layouts.md'].flatMap((page) =>
      [...read(page).matchAll(/```yaml\n([^]*?)```/g)].map(([, block = '']) => block),
    );
    const whole = pages.filter((block) => block.startsWith('version: 1\nlayout:'));
    // One line stands for a whole file there.
    const layouts = pages.flatMap((block) => block.match(/^layout: .*$/gm) ?? []);
    const texts = [
      ...files,
      ...whole,
      ...layouts.map((line) => `version: 1\n${line}\n`),
      templateText(),
      draftText({
        shape: 'environment-folder',
        uncovered: [],
        bindings: ['**/binding.yaml'],
        output: null,
        environment: ['envs/{environment}/**'],
        service: ['envs/{environment}/{service}/**'],
        ignore: { environment: ['base'], service: [] },
        fields: { image: 'values.yaml#/image/tag' },
        keep: ['kind:Secret'],
      }),
      ...[CONFIG, SHARED].map((config) => JSON.stringify({ ...config, version: 1 })),
      configOf(),
      `${layout}${policyOf('quorum: 1, breakGlass: { allowed: true, longest: 1h }').replace('*/', '')}`,
      stringify(everything()),
    ];
    expect(files.length).toBeGreaterThan(20);
    expect(whole.length).toBeGreaterThan(1);
    expect(layouts.length).toBeGreaterThan(3);
    for (const text of texts) {
      expect([text, complaint(text)]).toEqual([text, null]);
      expect([text, valid(parse(text)), valid.errors]).toEqual([text, true, null]);
    }
  });

  it('takes whatever Backtrail takes of the keys that there are', () => {
    const remove = (value: unknown, leave: () => boolean): unknown => {
      if (Array.isArray(value)) return value.map((item) => remove(item, leave));
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(
        Object.entries(value).flatMap(([key, item]) => (leave() ? [[key, remove(item, leave)]] : [])),
      );
    };
    let taken = 0;
    fc.assert(
      fc.property(fc.infiniteStream(fc.integer({ min: 0, max: 9 })), (numbers) => {
        const config = remove(everything(), () => numbers.next().value > 0);
        if (complaint(stringify(config)) !== null) return;
        taken += 1;
        expect([config, valid(config), valid.errors]).toEqual([config, true, null]);
      }),
      { numRuns: runs(300, 50) },
    );
    expect(taken).toBeGreaterThan(runs(10, 4));
  });

  it.each([
    ['no version', 'layout: { environment: ["e/{environment}"] }\n'],
    ['another version', layout.replace('1', '2')],
    ['no layout', 'version: 1\n'],
    ['an empty layout', 'version: 1\nlayout: {}\n'],
    ['a layout without patterns', 'version: 1\nlayout: { environment: [] }\n'],
    ['a key that is not there', `${layout}keeps: []\n`],
    ['a key of a section that is not there', 'version: 1\nlayout: { environments: ["{environment}"] }\n'],
    ['a text in place of a list', `${layout}keep: kind:Secret\n`],
    ['nothing in place of a list', `${layout}keep:\n`],
    ['a subject of 70 characters', `${layout}subject: ${'x'.repeat(70)}\n`],
    ['a sign-off that is a text', `${layout}commit: { signoff: "yes" }\n`],
    ['a trailer that git would not read', `${layout}commit: { trailers: { "a b": x } }\n`],
    ['a trailer that is a number', `${layout}commit: { trailers: { Ticket: 1 } }\n`],
    ['a short name with a dot', `${layout}fields: { "a.b": "x#/y" }\n`],
    ['a source rule without a condition', `${layout}source: [ { is: deploy } ]\n`],
    ['a source that there is not', `${layout}source: [ { author: x, is: rollback } ]\n`],
    ['a delivery without output', `${layout}delivery: {}\n`],
    ['a policy without a place', `${layout}policy: { environments: [ { quorum: 1 } ] }\n`],
    ['a quorum of 21', `${layout}policy: { environments: [ { match: x, quorum: 21 } ] }\n`],
    ['half an approval', `${layout}policy: { environments: [ { match: x, quorum: 0.5 } ] }\n`],
    ['an expiry of weeks', `${layout}policy: { environments: [ { match: x, expiry: 2w } ] }\n`],
    ['approvers that are nobody', `${layout}policy: { environments: [ { match: x, approvers: {} } ] }\n`],
    [
      'a permission that there is not',
      `${layout}policy: { permissions: [ { allow: [fly], users: [a@b.c], in: [x] } ] }\n`,
    ],
    ['a group with a blank', `${layout}policy: { groups: { "a b": [] } }\n`],
  ])('refuses %s, as Backtrail does', (_, text) => {
    expect(complaint(text)).not.toBeNull();
    expect(valid(parse(text))).toBe(false);
  });
});
