/** The proposal as the file that people will read and change. */
import { DEFAULT_KEEP } from '../plan/config.ts';

export interface Draft {
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

const section = (name: string, values: readonly string[], comment: string) =>
  values.length === 0 ? [] : [`  # ${comment}`, `  ${name}:`, ...list('    ', values)];

/** None is written: HEAD of the moment may be a branch that is gone tomorrow, and rollbacks would go there. */
const BRANCH = [
  '# Rollbacks go to the branch that HEAD names. Where HEAD names none (automation that checks a commit out), say which:',
  '# branch: main',
];

export function draftText({ environment, service, ignore, fields, keep }: Draft): string {
  const ignored = Object.entries(ignore).filter(([, names]) => names.length > 0);
  const lines = [
    '# How Backtrail reads this repository. It is always read at the tip of the branch.',
    'version: 1',
    ...BRANCH,
    '',
    '# Which paths are an environment, and which a service of it. {tenant}, {environment} and {service} stand for a name;',
    '# "/**" is everything below; "file#/list[name={service}]" is a part of a YAML file.',
    'layout:',
    ...section('environment', environment, 'Rolled back as a whole: backtrail rollback ENVIRONMENT'),
    ...section('service', service, 'Rolled back alone: backtrail rollback ENVIRONMENT/SERVICE'),
    ...(ignored.length === 0 ? [] : ['  # Names that the patterns find and that are none.', '  ignore:']),
    ...ignored.map(([kind, names]) => `    ${kind}: [ ${names.map(quote).join(', ')} ]`),
    ...(Object.keys(fields).length === 0
      ? []
      : [
          '',
          '# Short names for --field, relative to the service.',
          'fields:',
          ...Object.entries(fields).map(([name, field]) => `  ${name}: ${quote(field)}`),
        ]),
    '',
    '# Never rolled back: secrets would come back as they were before they were changed.',
    'keep:',
    ...list('  ', keep),
    '',
    '# Tells releases and promotions apart in the history, where authors or subjects do:',
    '# source:',
    '#   - { author: "bot", is: release }',
    '#   - { subject: "^promote", is: promotion }',
  ];
  return `${lines.join('\n')}\n`;
}

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
