/** Cases of checks: what a service is now, what it was at the target, and what the check says. */
export interface Case {
  readonly code: string;
  readonly name: string;
  readonly now: Readonly<Record<string, string>>;
  readonly target: Readonly<Record<string, string>>;
  /** Severity and message; null: nothing. */
  readonly finds: RegExp | null;
  /** Texts that are nowhere in a finding. */
  readonly secrets?: readonly string[];
  readonly message?: string;
}

const object = (kind: string, rest: string, name = 'web') =>
  `apiVersion: ${GROUPS[kind] ?? 'v1'}\nkind: ${kind}\nmetadata:\n  name: ${name}\n${rest}`;

const GROUPS: Readonly<Record<string, string>> = {
  Deployment: 'apps/v1',
  StatefulSet: 'apps/v1',
  Job: 'batch/v1',
  RoleBinding: 'rbac.authorization.k8s.io/v1',
  CustomResourceDefinition: 'apiextensions.k8s.io/v1',
  ExternalSecret: 'external-secrets.io/v1',
  SealedSecret: 'bitnami.com/v1alpha1',
};

type Sides = readonly [now: string | Case['now'], then: string | Case['target']];
const files = (text: string | Case['now']) => (typeof text === 'string' ? { 'app.yaml': text } : text);
const make =
  (code: string) =>
  (name: string, [now, then]: Sides, finds: RegExp | null, secrets: readonly string[] = []): Case => ({
    code,
    name,
    now: files(now),
    target: files(then),
    finds,
    secrets,
  });

const fixed = make('FIXED_FIELD');
const application = (source: string, tag = 'v1') =>
  `apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: web\nspec:\n  source:\n    repoURL: https://example.com/x\n    ${source}\n    targetRevision: ${tag}\n`;
const FIXED = [
  fixed(
    'a kind',
    [object('Deployment', 'spec: {}\n'), object('StatefulSet', 'spec: {}\n')],
    /^block: .*#\/kind of web was StatefulSet at the target and is Deployment now/,
  ),
  fixed('a kind that is missing now', ['image: v2\n', 'kind: Workload\nimage: v1\n'], null),
  fixed(
    'a profile',
    ['profile: web\nreplicas: 2\n', 'profile: batch\nreplicas: 2\n'],
    /^block: .*#\/profile was batch/,
  ),
  fixed(
    'a profile of several lines',
    ['profile:\n  size: 2\n', 'profile:\n  size: 1\n'],
    /^block: .*#\/profile differs/,
  ),
  fixed(
    'a kind in one of several documents',
    [
      'kind: A\nmetadata: {name: a}\n---\nkind: B\nmetadata: {name: b}\n',
      'kind: A\nmetadata: {name: a}\n---\nkind: C\nmetadata: {name: b}\n',
    ],
    /^block: .* of b was C/,
  ),
  fixed(
    'a chart in the place of a path',
    [application('path: charts/web'), application('chart: web')],
    /^block: .*#\/spec\/source of web had chart at the target and has path now/,
  ),
  fixed(
    'another kind of source',
    [
      'kind: HelmRelease\nspec:\n  chart:\n    spec:\n      sourceRef:\n        kind: GitRepository\n',
      'kind: HelmRelease\nspec:\n  chart:\n    spec:\n      sourceRef:\n        kind: HelmRepository\n',
    ],
    /^block: .*sourceRef\/kind was HelmRepository/,
  ),
  fixed(
    'another version of the same chart',
    [application('chart: web', 'v2'), application('chart: web')],
    null,
  ),
  fixed('a profile inside of something else', ['a:\n  profile: x\n', 'a:\n  profile: y\n'], null),
  fixed('a file that was not there', [{ 'app.yaml': 'kind: A\n' }, { 'b.yaml': 'kind: B\n' }], null),
  fixed('a file that does not parse', ['profile: {{ .A }}\n', 'profile: {{ .B }}\n'], null),
  fixed(
    'an alias bomb',
    [
      'profile: a\n',
      `profile: &a [x, x]\n${Array.from({ length: 30 }, (_, n) => `b${n}: &b${n} [*${n === 0 ? 'a' : `b${n - 1}`}, *${n === 0 ? 'a' : `b${n - 1}`}]\n`).join('')}`,
    ],
    null,
  ),
];

const immutable = make('IMMUTABLE_FIELD');
const selector = (app: string) => `spec:\n  selector:\n    matchLabels:\n      app: ${app}\n  template: {}\n`;
const claim = (size: string, rest = '') =>
  object(
    'PersistentVolumeClaim',
    `spec:\n  accessModes: [ReadWriteOnce]\n${rest}  resources:\n    requests:\n      storage: ${size}\n`,
  );
const service = (spec: string) => object('Service', `spec:\n  ports: []\n${spec}`);
const IMMUTABLE = [
  immutable(
    'a selector',
    [object('Deployment', selector('a')), object('Deployment', selector('b'))],
    /^block: Deployment web would change spec\.selector/,
  ),
  immutable(
    'the service and the policy of a StatefulSet',
    [
      object('StatefulSet', 'spec:\n  serviceName: a\n  podManagementPolicy: Parallel\n'),
      object('StatefulSet', 'spec:\n  serviceName: b\n'),
    ],
    /spec\.serviceName, spec\.podManagementPolicy/,
  ),
  immutable(
    'claims of a StatefulSet',
    [
      object('StatefulSet', 'spec:\n  volumeClaimTemplates: [{metadata: {name: a}}]\n'),
      object('StatefulSet', 'spec:\n  volumeClaimTemplates: [{metadata: {name: b}}]\n'),
    ],
    /volumeClaimTemplates/,
  ),
  immutable(
    'the template of a Job',
    [object('Job', 'spec: {template: {a: 1}}\n'), object('Job', 'spec: {template: {a: 2}}\n')],
    /Job web would change spec\.template/,
  ),
  immutable('an address', [service('  clusterIP: None\n'), service('')], /spec\.clusterIP/),
  immutable('a smaller claim', [claim('20Gi'), claim('5000Mi')], /storage \(smaller\)/),
  immutable(
    'the class of a claim',
    [claim('1Gi', '  storageClassName: fast\n'), claim('1Gi', '  storageClassName: slow\n')],
    /storageClassName/,
  ),
  immutable(
    'a role',
    [object('RoleBinding', 'roleRef: {name: a}\n'), object('RoleBinding', 'roleRef: {name: b}\n')],
    /roleRef/,
  ),
  immutable(
    'an immutable ConfigMap',
    [
      object('ConfigMap', 'immutable: true\ndata: {a: "topsecret1"}\n'),
      object('ConfigMap', 'immutable: true\ndata: {a: "topsecret2"}\n'),
    ],
    /ConfigMap web would change data/,
    ['topsecret'],
  ),
  immutable('a larger claim', [claim('5Gi'), claim('20Gi')], null),
  immutable('the same size, written in another way', [claim('1Gi'), claim('1024Mi')], null),
  immutable(
    'a ConfigMap that can change',
    [object('ConfigMap', 'data: {a: x}\n'), object('ConfigMap', 'data: {a: y}\n')],
    null,
  ),
  immutable(
    'replicas',
    [
      object('Deployment', `${selector('a')}  replicas: 2\n`),
      object('Deployment', `${selector('a')}  replicas: 1\n`),
    ],
    null,
  ),
  immutable(
    'another object',
    [object('Deployment', selector('a')), object('Deployment', selector('b'), 'other')],
    null,
  ),
];

const destructive = make('DESTRUCTIVE');
const CRD = object(
  'CustomResourceDefinition',
  'spec:\n  group: example.com\n  names: {kind: X}\n',
  'xs.example.com',
);
const DESTRUCTIVE = [
  destructive(
    'a definition of objects',
    [{ 'a.yaml': 'x: 2\n', 'crd.yaml': CRD }, { 'a.yaml': 'x: 1\n' }],
    /^block: CustomResourceDefinition xs\.example\.com would go away, and with it every object/,
  ),
  destructive(
    'a StatefulSet among other documents',
    [`${object('StatefulSet', 'spec: {template: {}}\n')}---\nx: 1\n`, 'x: 1\n'],
    /StatefulSet web would go away/,
  ),
  destructive(
    'a claim in a list',
    [
      'apiVersion: v1\nkind: List\nitems:\n  - {apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: d, namespace: n}, spec: {accessModes: []}}\n',
      'apiVersion: v1\nkind: List\nitems: []\n',
    ],
    /PersistentVolumeClaim n\/d would go away/,
  ),
  destructive('it moves to another file', [{ 'a.yaml': CRD }, { 'b.yaml': CRD }], null),
  destructive(
    'a file that stays has it',
    [
      { 'a.yaml': CRD, 'b.yaml': CRD },
      { 'b.yaml': CRD, 'c.yaml': 'x: 1\n' },
    ],
    null,
  ),
  destructive(
    'a Deployment',
    [{ 'a.yaml': 'x: 2\n', 'd.yaml': object('Deployment', selector('a')) }, { 'a.yaml': 'x: 1\n' }],
    null,
  ),
  destructive(
    'a patch of one',
    [
      { 'a.yaml': 'x: 2\n', 'patch.yaml': object('StatefulSet', 'spec: {replicas: 2}\n') },
      { 'a.yaml': 'x: 1\n' },
    ],
    null,
  ),
];

const raw = make('RAW_SECRET');
const TOKEN = `ghp_${'Ab3dEf6hIj'.repeat(3)}Kl5nOp`;
const secret = (data: string) => object('Secret', `data:\n  ${data}\n`, 'db');
const variable = (value: string) =>
  object(
    'Deployment',
    `spec:\n  template:\n    spec:\n      containers:\n        - name: web\n          env:\n            - name: DB_PASSWORD\n              ${value}\n`,
  );
const REFERS = 'valueFrom: {secretKeyRef: {name: db, key: password, optional: true}}';
const RAW = [
  raw(
    'a token of a vendor',
    ['token: ${TOKEN}\n', `token: ${TOKEN}\n`],
    /^block: .* would hold a secret as plain text again: GitHub token in line 1/,
    [TOKEN],
  ),
  raw(
    'a token in a text file',
    [{ 'notes.txt': 'none\n' }, { 'notes.txt': `a\nuse ${TOKEN}\n` }],
    /GitHub token in line 2/,
    [TOKEN],
  ),
  raw(
    'a Secret that an ExternalSecret replaced',
    [object('ExternalSecret', 'spec: {}\n', 'db'), secret('password: aHVudGVyMg==')],
    /password of Secret db/,
    ['aHVudGVyMg'],
  ),
  raw(
    'a Secret that is encrypted now',
    [`${secret('password: ENC[AES256_GCM,data:x]')}sops: {mac: x}\n`, secret('password: aHVudGVyMg==')],
    /password of Secret db/,
  ),
  raw(
    'a variable that refers to a Secret now',
    [variable(REFERS), variable('value: hunter2hunter2')],
    /DB_PASSWORD/,
    ['hunter2'],
  ),
  raw(
    'a value that a vault holds now',
    ['db:\n  password: ref+vault://db#password\n', 'db:\n  password: hunter2hunter2\n'],
    /db\/password/,
    ['hunter2'],
  ),
  raw(
    'a value that an existing Secret holds now',
    ['auth:\n  existingSecret: db\n', 'auth:\n  password: hunter2hunter2\n'],
    /auth\/password/,
    ['hunter2'],
  ),
  raw('the same token now', [`token: ${TOKEN}\na: 2\n`, `token: ${TOKEN}\na: 1\n`], null),
  raw('a Secret that is plain text now as well', [secret('password: bmV3'), secret('password: b2xk')], null),
  raw('a password that is plain text now as well', ['password: newnewnew\n', 'password: oldoldold\n'], null),
  raw('a reference at the target', ['a: 1\n', 'password: ${DB_PASSWORD}\n'], null),
  raw('a tag', ['image:\n  tag: v2\n', 'image:\n  tag: v1\n'], null),
];

const dangling = make('DANGLING_REFERENCE');
const uses = (name: string, rest = '') =>
  object(
    'Deployment',
    `spec:\n  template:\n    spec:\n      containers:\n        - name: web\n          envFrom:\n            - secretRef:\n                name: ${name}\n                ${rest}\n`,
  );
const kustomization = (...names: string[]) => `resources:\n${names.map((name) => `  - ${name}\n`).join('')}`;
const DANGLING = [
  dangling(
    'a Secret that is nowhere',
    [uses('new'), uses('gone-with-the-wind')],
    /^warn: .* names Secret gone-with-the-wind, which is not in the tree/,
  ),
  dangling(
    'a base that is nowhere',
    [
      { 'kustomization.yaml': kustomization('a.yaml'), 'a.yaml': 'x: 1\n' },
      { 'kustomization.yaml': kustomization('a.yaml', '../../base-of-old'), 'a.yaml': 'x: 1\n' },
    ],
    /names .*base-of-old, which would not be in the tree/,
  ),
  dangling(
    'a ConfigMap that goes away and is named',
    [
      {
        'a.yaml': object('Deployment', 'spec:\n  volumes:\n    - configMap:\n        name: lost-settings\n'),
        'c.yaml': object('ConfigMap', 'data: {}\n', 'lost-settings'),
      },
      {
        'a.yaml': object('Deployment', 'spec:\n  volumes:\n    - configMap:\n        name: lost-settings\n'),
      },
    ],
    /ConfigMap lost-settings would go away/,
  ),
  dangling(
    'a Secret that is restored too',
    [
      { 'a.yaml': uses('new') },
      { 'a.yaml': uses('old-one'), 's.yaml': object('SealedSecret', 'spec: {}\n', 'old-one') },
    ],
    null,
  ),
  dangling(
    'a Secret that an ExternalSecret makes',
    [
      {
        'a.yaml': uses('new'),
        's.yaml': object('ExternalSecret', 'spec: {target: {name: made-one}}\n', 'x'),
      },
      {
        'a.yaml': uses('made-one'),
        's.yaml': object('ExternalSecret', 'spec: {target: {name: made-one}}\n', 'x'),
      },
    ],
    null,
  ),
  dangling(
    'a Secret that a generator makes',
    [
      { 'a.yaml': uses('new'), 'kustomization.yaml': 'secretGenerator:\n  - name: generated-one\n' },
      {
        'a.yaml': uses('generated-one'),
        'kustomization.yaml': 'secretGenerator:\n  - name: generated-one\n',
      },
    ],
    null,
  ),
  dangling('an optional one', [uses('new'), uses('gone', 'optional: true')], null),
  dangling('one that is named now as well', [`${uses('nowhere')}x: 2\n`, `${uses('nowhere')}x: 1\n`], null),
  dangling(
    'a base at an address',
    [
      { 'kustomization.yaml': kustomization('a.yaml'), 'a.yaml': 'x: 1\n' },
      {
        'kustomization.yaml': kustomization('a.yaml', 'https://github.com/a/b?ref=v1', 'github.com/a/b'),
        'a.yaml': 'x: 1\n',
      },
    ],
    null,
  ),
];

export const CASES: readonly Case[] = [...FIXED, ...IMMUTABLE, ...DESTRUCTIVE, ...RAW, ...DANGLING];
