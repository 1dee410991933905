/** Random repositories, and rollbacks of every mode in them: many at once, as a worker executes them. */
import fc from 'fast-check';
import type { Person } from '../../../../engine/internal.ts';
import type { Files } from '../../../helpers/repositories/repo.ts';

/** How they are let go ahead: by nobody else, with a record in the ledger, by a vote. */
const WAYS = ['alone', 'recorded', 'approved'] as const;

export interface Wish {
  readonly service: number;
  readonly mode: 'service' | 'part' | 'file' | 'whole' | 'environment';
  /** Of the commits before it. */
  readonly back: number;
  readonly hold: boolean;
  readonly holdFor: string | null;
  readonly reason: string;
  readonly author: Person;
}

export interface World {
  readonly way: (typeof WAYS)[number];
  readonly isTenanted: boolean;
  readonly isShared: boolean;
  readonly style: object;
  readonly subject: string;
  readonly keep: readonly string[];
  readonly delivers: boolean;
  readonly services: readonly string[];
  /** By commit, then by service: what it holds then; null: nothing. */
  readonly history: readonly (readonly (Content | null)[])[];
  readonly wishes: readonly Wish[];
  /** Resumes of some of what was held. */
  readonly resumes: readonly boolean[];
}

interface Content {
  readonly tag: string;
  readonly replicas: number;
  readonly pinned: number;
  readonly isExecutable: boolean;
  readonly text: string;
}

const ODD = [
  'a',
  'web',
  'öl',
  'x y',
  "it's",
  'q"q',
  'a+b',
  '0',
  'true',
  'n.o',
  '日本',
  '-dash',
  '$HOME',
  '%2F',
  'a=b',
  '~',
];

const text = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      'It answers 500',
      'Two\nlines',
      'Über\tall: broken',
      '  blanks  ',
      'Key: value\n\nOther-Key: x',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }).map((own) => `why ${own}`),
  },
);
const person = fc.constantFrom<Person>(
  { name: 'Jane Doe', email: 'jane@example.com' },
  { name: 'Bob <x>', email: 'bob@example.com' },
  { name: 'Åsa "Q" Ö', email: 'asa+ops@example.com' },
  { name: '', email: 'nobody@example.com' },
);
const content: fc.Arbitrary<Content> = fc.record({
  tag: fc.constantFrom('v1', 'v2', 'v3', '1.0', 'latest'),
  replicas: fc.integer({ min: 1, max: 4 }),
  pinned: fc.integer({ min: 1, max: 3 }),
  isExecutable: fc.boolean(),
  text: fc.constantFrom('', 'x\n', 'line\r\nend\r\n', 'no end', '# ü\n\n\n'),
});

/** `count` services, each of which is rolled back once. */
export const worldOf = (count: number): fc.Arbitrary<World> => {
  const each = <Value>(arbitrary: fc.Arbitrary<Value>) =>
    fc.array(arbitrary, { minLength: count, maxLength: count });
  return fc.record({
    way: fc.constantFrom(...WAYS),
    isTenanted: fc.boolean(),
    isShared: fc.boolean(),
    style: fc.constantFrom(
      {},
      {},
      { signoff: true },
      { subject: 'revert({service}): {reason}' },
      { subject: '{mode} {environment} {target}', trailers: { Change: '{target}', 'Asked-By': '{author}' } },
    ),
    subject: fc.constantFrom('', 'Zurück', 'revert'),
    keep: fc.subarray(['**/secret.yaml', '**/app.yaml#/pinned', '**/*.sh']),
    delivers: fc.boolean(),
    services: each(fc.constantFrom(...ODD)).map((names) => names.map((name, at) => `${name}${at}`)),
    history: fc.array(each(fc.option(content, { freq: 8 })), { minLength: 4, maxLength: 4 }),
    wishes: each(
      fc.record({
        service: fc.constant(0),
        mode: fc.constantFrom<Wish['mode'][]>('service', 'service', 'part', 'file', 'whole', 'environment'),
        back: fc.integer({ min: 1, max: 3 }),
        hold: fc.boolean(),
        holdFor: fc.option(fc.constantFrom('1h', '7d')),
        reason: text,
        author: person,
      }),
    ).map((wishes) => wishes.map((wish, service) => ({ ...wish, service }))),
    resumes: each(fc.boolean()),
  });
};

/** Every service of an environment of its own, so that an environment may be rolled back beside others. */
const environmentOf = (at: number) => `e${at}`;
const folderOf = ({ isTenanted }: World, at: number) =>
  isTenanted ? `t/acme/${environmentOf(at)}` : `t/${environmentOf(at)}`;
export const appOf = (world: World, at: number) => `${folderOf(world, at)}/${world.services[at]}/app.yaml`;

export function scopeOf(world: World, { service, mode }: Pick<Wish, 'service' | 'mode'>) {
  const environment = environmentOf(service);
  const own = { ...(world.isTenanted && { tenant: 'acme' }), environment };
  return mode === 'environment' ? own : { ...own, service: world.services[service] ?? '' };
}

export function configOf(world: World): string {
  const { isTenanted, isShared, style, subject, keep, delivers, way } = world;
  const base = isTenanted ? 't/{tenant}/{environment}' : 't/{environment}';
  const place = isTenanted ? '{tenant}/{environment}' : '{environment}';
  const match = isTenanted ? '*/*' : '*';
  const policy = { environments: [{ match, quorum: 1, unsignedRequests: true, unsignedApprovals: true }] };
  return `${JSON.stringify({
    version: 1,
    ...(subject !== '' && !('subject' in style) && { subject }),
    layout: {
      service: [`${base}/{service}/**`, ...(isShared ? [`${base}/shared.yaml#/{service}`] : [])],
    },
    keep,
    commit: style,
    ...(delivers && { delivery: { output: `out/${place}/{service}.yaml` } }),
    ...(way === 'approved' && { policy }),
  })}\n`;
}

export function filesAt(world: World, commit: number): Files {
  const files: Record<string, Files[string]> = {};
  for (const [at, own] of (world.history[commit] ?? []).entries()) {
    const folder = `${folderOf(world, at)}/${world.services[at]}`;
    const yaml =
      own &&
      `image:\n  tag: ${own.tag} # {"$imagepolicy": "flux-system:${at}:tag"}\nreplicas: ${own.replicas}\npinned: ${own.pinned}\n`;
    const map =
      own && `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: m${at} }\ndata: { v: "${own.tag}" }\n`;
    files[`${folder}/app.yaml`] = yaml;
    files[`${folder}/map.yaml`] = map;
    files[`${folder}/secret.yaml`] = own && `key: ${own.pinned}\n`;
    files[`${folder}/run.sh`] =
      own && (own.isExecutable ? { executable: `echo ${own.tag}\n` } : `echo ${own.tag}\n`);
    files[`${folder}/deep/er/text`] = own && own.text;
    // What another service has in the same file stays.
    const key = JSON.stringify(world.services[at]);
    files[`${folderOf(world, at)}/shared.yaml`] =
      `other: ${commit}\n${own === null ? '' : `${key}:\n  tag: ${own.tag}\n`}`;
  }
  files['README.md'] = `${commit}\n`;
  return files;
}
