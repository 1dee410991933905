/** Parses and validates `.backtrail/config.yaml`. Every problem is reported with file, line and column. */
import { LineCounter, parseDocument } from 'yaml';
import { BacktrailError, type Config, type NameLists } from '../../model/index.ts';
import { layoutProblem } from '../outputs.ts';
import { compilePattern } from '../pattern.ts';
import { withCheckDefaults } from './checks.ts';
import { DEPLOYMENTS_REF, LEDGER_REF, withPolicyDefaults } from './policy.ts';
import { matchProblems, policyProblems } from './policy-problems.ts';
import { placeholderProblems, withAutoDefaults, withDriftDefaults, withLiveDefaults } from './live.ts';
import { aliasOffset, offsetOf } from './positions.ts';
import { withHostDefaults, withPublishDefaults } from './publish.ts';
import { configSchema, type RawConfig, DEFAULT_SUBJECT } from './schema.ts';

export { DEFAULT_KEEP } from './schema.ts';
export { LEDGER_REF };

/** Maximum length in UTF-16 units: detecting duplicate keys is quadratic in their number. */
const MAX_LENGTH = 64 * 1024;
/** Maximum number of problems in `details.problems`. */
const MAX_PROBLEMS = 50;

let last: { readonly source: string; readonly file: string; readonly config: Config } | undefined;

/**
 * Parses a configuration. `file` is its name in messages. The last one is remembered: a command reads the same text more than once.
 * @throws CONFIG_INVALID with the first problem in the message and the first fifty in `details.problems`
 */
export function parseConfig(source: string, file: string): Config {
  if (last?.source !== source || last.file !== file) last = { source, file, config: parse(source, file) };
  return last.config;
}

function parse(source: string, file: string): Config {
  if (source.length > MAX_LENGTH)
    throw invalid([{ file, line: 1, column: 1, message: 'The configuration is larger than 64 KiB.' }]);
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col };
  };
  const broken = document.errors.map((error) => ({ ...at(error.pos[0]), message: yamlMessage(error.code) }));
  if (broken.length > 0) throw invalid(broken);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 50 });
  } catch {
    throw invalid([
      { ...at(aliasOffset(document)), message: 'The aliases of this file cannot be resolved.' },
    ]);
  }
  const parsed = configSchema.safeParse(value);
  if (!parsed.success) {
    throw invalid(
      parsed.error.issues.map(({ path, message, code, ...rest }) => {
        const unknown = code === 'unrecognized_keys' && 'keys' in rest ? rest.keys.slice(0, 1) : [];
        const where = [...path, ...unknown].filter((step) => typeof step !== 'symbol');
        return { ...at(offsetOf(document, where)), message: `${where.join('.') || 'The file'}: ${message}` };
      }),
    );
  }
  const place = (path: (string | number)[]) => at(offsetOf(document, path));
  const tenancy = requireOneTenancy(parsed.data, place);
  const misfits = [
    ...policyProblems(parsed.data.policy ?? {}, tenancy, parsed.data.features),
    ...matchProblems('publish', parsed.data.publish ?? [], tenancy),
    ...matchProblems('live', parsed.data.live ?? [], tenancy),
    ...matchProblems('auto', parsed.data.auto ?? [], tenancy),
    ...placeholderProblems(parsed.data.live ?? [], tenancy),
  ];
  if (misfits.length > 0)
    throw invalid(
      misfits.map(({ path, message }) => ({ ...place(path), message: `${path.join('.')}: ${message}` })),
    );
  if (parsed.data.subject !== undefined && parsed.data.commit?.subject !== undefined)
    throw invalid([
      {
        ...place(['subject']),
        message: 'subject: `commit.subject` is the whole subject; remove one of the two.',
      },
    ]);
  const config = withDefaults(parsed.data);
  const output = layoutProblem(config);
  if (output !== null)
    throw invalid([{ ...place(['delivery', 'output']), message: `delivery.output: ${output}` }]);
  return config;
}

interface Problem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

function invalid(problems: readonly Problem[]): BacktrailError {
  const [first] = problems;
  const place = first ? `${first.file}:${first.line}:${first.column}: ` : '';
  const sentence = (first?.message ?? 'The configuration is not valid').replace(/\.?$/, '.');
  return new BacktrailError('CONFIG_INVALID', `${place}${sentence}`, {
    details: { problems: problems.slice(0, MAX_PROBLEMS) },
  });
}

/** Requires that all patterns have {tenant} or none has: otherwise `a/b` would be ambiguous. */
function requireOneTenancy(
  { layout, delivery }: RawConfig,
  at: (path: (string | number)[]) => Omit<Problem, 'message'>,
): boolean {
  const all = (['environment', 'service'] as const).flatMap((key) =>
    (layout[key] ?? []).map((value, index) => ({ value, path: ['layout', key, index] })),
  );
  if (delivery) all.push({ value: delivery.output, path: ['delivery', 'output'] });
  const tenancy = compilePattern(all[0]?.value ?? '').placeholders.has('tenant');
  const odd = all.find(({ value }) => compilePattern(value).placeholders.has('tenant') !== tenancy);
  if (odd) throw invalid([{ ...at(odd.path), message: 'Either every pattern has {tenant} or none has.' }]);
  return tenancy;
}

function withDefaults(raw: RawConfig): Config {
  return {
    version: 1,
    branch: raw.branch ?? null,
    repository: raw.repository === undefined ? [] : [raw.repository].flat(),
    layout: {
      environment: raw.layout.environment ?? [],
      service: raw.layout.service ?? [],
      bindings: raw.layout.bindings ?? [],
      variables: raw.layout.variables ?? [],
      ignore: nameLists(raw.layout.ignore),
      only: nameLists(raw.layout.only),
      shared: raw.layout.shared ?? [],
    },
    fields: raw.fields ?? {},
    keep: raw.keep,
    show: raw.show ?? [],
    source: (raw.source ?? []).map(({ subject, author, is }) => ({
      is,
      ...(subject !== undefined && { subject }),
      ...(author !== undefined && { author }),
    })),
    delivery: raw.delivery ? withCommand(raw.delivery) : null,
    checks: withCheckDefaults(raw.checks ?? {}),
    policy: withPolicyDefaults(raw.policy ?? {}, raw.features),
    holds: {
      bots: raw.holds?.bots ?? [],
      set: raw.holds?.set ?? [],
      sources: raw.holds?.sources ?? [],
    },
    publish: withPublishDefaults(raw.publish),
    host: withHostDefaults(raw.host),
    live: withLiveDefaults(raw.live),
    auto: withAutoDefaults(raw.auto),
    drift: withDriftDefaults(raw.drift),
    ledger: { ref: raw.ledger?.ref ?? LEDGER_REF },
    deployments: {
      ref: raw.deployments?.ref ?? DEPLOYMENTS_REF,
      record: raw.deployments?.record ?? 'auto',
    },
    subject: raw.subject ?? DEFAULT_SUBJECT,
    commit: {
      subject: raw.commit?.subject ?? null,
      signoff: raw.commit?.signoff ?? false,
      sign: raw.commit?.sign ?? false,
      trailers: raw.commit?.trailers ?? {},
    },
  };
}

const nameLists = (raw: RawConfig['layout']['ignore']): NameLists => ({
  tenant: raw?.tenant ?? [],
  environment: raw?.environment ?? [],
  service: raw?.service ?? [],
});

function withCommand({ output, command }: NonNullable<RawConfig['delivery']>): Config['delivery'] {
  if (command === undefined) return { output };
  const { run, version, inputs } = command;
  return { output, command: { run, inputs, ...(version !== undefined && { version }) } };
}

const yamlMessage = (code: string) => `This is not valid YAML (${code.toLowerCase().replaceAll('_', ' ')}).`;
