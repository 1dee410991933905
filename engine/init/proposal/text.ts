/** The proposal as the file that people will read and change. */
import { DEFAULT_KEEP } from '../../layout/configuration/parse.ts';
import type { Coverage, UncoveredKind } from './coverage.ts';
import { describeShape, type ShapeName } from './shapes.ts';

export interface Draft {
  readonly shape: ShapeName;
  /** What no scope holds. */
  readonly uncovered: Coverage['uncovered'];
  readonly bindings: readonly string[];
  /** Where manifests seem to be rendered to. */
  readonly output: string | null;
  readonly environment: readonly string[];
  readonly service: readonly string[];
  readonly ignore: { readonly environment: readonly string[]; readonly service: readonly string[] };
  readonly fields: Readonly<Record<string, string>>;
  readonly keep: readonly string[];
}

/** JSON's strings are YAML's. Characters that a terminal obeys, or that YAML does not allow, are escaped. */
const quote = (text: string) =>
  JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029\p{Cf}]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

const list = (indent: string, values: readonly string[]) =>
  values.map((value) => `${indent}- ${quote(value)}`);

const section = (name: string, values: readonly string[]) =>
  values.length === 0 ? [] : [`  ${name}:`, ...list('    ', values)];

/** None is written: HEAD of the moment may be a branch that is gone tomorrow, and rollbacks would go there. */
const BRANCH = ['# branch: main   # where rollbacks go; without it, the branch that HEAD names'];

export function draftText(draft: Draft): string {
  const { shape, environment, service, bindings, ignore, fields, keep, output } = draft;
  const ignored = Object.entries(ignore).filter(([, names]) => names.length > 0);
  const names = Object.entries(fields);
  const lines = [
    `# ${shape}: ${describeShape(shape)} (docs/layouts.md)`,
    ...leftOut(draft.uncovered),
    'version: 1',
    ...BRANCH,
    'layout:',
    ...section('environment', environment),
    ...section('service', service),
    ...section('bindings', bindings),
    ...(ignored.length === 0 ? [] : ['  ignore:   # found by the patterns, and none']),
    ...ignored.map(([kind, values]) => `    ${kind}: [ ${values.map(quote).join(', ')} ]`),
    ...(names.length === 0 ? [] : ['fields:   # short names for --field, relative to the service']),
    ...names.map(([name, field]) => `  ${name}: ${quote(field)}`),
    ...(output === null
      ? []
      : [
          '# Manifests seem to be rendered to these files; take this in if a rollback is to render them:',
          `# delivery: { output: ${quote(output)} }`,
        ]),
    ...(keep.length === 0
      ? []
      : ['keep:   # never rolled back: old secrets would come back', ...list('  ', keep)]),
  ];
  return `${lines.join('\n')}\n`;
}

/** One line: `# Left out: 3 files common to several (base/api), 2 of charts (charts/api)`. */
function leftOut(uncovered: Draft['uncovered']): string[] {
  const kinds = uncovered.map(
    ({ kind, files, paths }) =>
      `${files} ${files === 1 ? 'file' : 'files'} ${KINDS[kind]} (${paths.slice(0, 2).map(plain).join(', ')})`,
  );
  return kinds.length === 0 ? [] : [`# No rollback touches: ${kinds.join('; ')}.`];
}

/** As it is where nothing of it could end the comment or be obeyed. */
const plain = (path: string) => (/^[\p{L}\p{N}\p{M} ._/@+-]*$/u.test(path) ? path : quote(path));

/** How a kind of uncovered files is called. */
export const KINDS = {
  environment: 'named like an environment',
  sibling: 'beside what it takes',
  shared: 'common to several',
  chart: 'of charts',
  generated: 'generated',
  other: 'elsewhere',
} satisfies Record<UncoveredKind, string>;

/** Where the tree does not say what its environments are. */
export function templateText(): string {
  return `# How Backtrail reads this repository: a template. Keep the lines that fit, change the names, and commit it
# as .backtrail/config.yaml (or try it first: backtrail --config FILE environments).
version: 1
${BRANCH.join('\n')}
layout:
  # {environment} and {service} (and {tenant}, where there are tenants) stand for the name of a folder or file, or part of it.
  environment:
    - "environments/{environment}/**"                      # a folder an environment
    # - "{environment}/**"
    # - "clusters/{environment}.yaml"                      # a file an environment
  service:
    - "environments/{environment}/{service}/**"            # a folder a service
    # - "apps/{service}/overlays/{environment}/**"
    # - "apps/{service}/values-{environment}.yaml"         # a file a service
    # - "clusters/{environment}.yaml#/releases[name={service}]"   # an item of a list in a file
    # - "tenants/{tenant}/{environment}/services/{service}/**"
  # ignore: { environment: [ base ], service: [ kustomization ] }   # names that are none
# fields: { image: "values.yaml#/image/tag" }              # short names for --field
keep: [ ${DEFAULT_KEEP.map(quote).join(', ')} ]
`;
}
