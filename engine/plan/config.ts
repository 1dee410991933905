/** Reads `.backtrail/config.yaml`: text in, validated value out; every complaint says file, line and column. */
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { BacktrailError, type Config } from '../model/index.ts';
import { aliasOffset, offsetOf } from './config-places.ts';
import { ledgerSchema, policyMisfits, policySchema, withPolicyDefaults } from './config-policy.ts';
import {
  branchProblem,
  expressionProblem,
  globProblem,
  fieldProblem,
  inputProblem,
  keepProblem,
  outputProblem,
  patternProblem,
} from './config-texts.ts';
import { layoutProblem } from './outputs.ts';
import { templateProblem, trailerKeyProblem } from '../record/style.ts';
import { compilePattern, type Placeholder } from './pattern.ts';

export const CONFIG_PATH = '.backtrail/config.yaml';

export const LEDGER_REF = 'refs/backtrail/ledger';

/** SOPS files, Secret and SealedSecret manifests: what a rollback must never resurrect, unless the configuration says otherwise. */
export const DEFAULT_KEEP = ['format:sops', 'kind:Secret', 'kind:SealedSecret'] as const;

const text = z.string().min(1).max(512);

const checked = (problemOf: (value: string) => string | null) =>
  text.superRefine((value, context) => {
    const message = problemOf(value);
    if (message !== null) context.addIssue({ code: 'custom', message });
  });

const pattern = (needs: readonly Placeholder[]) => checked((value) => patternProblem(value, needs));

const expression = checked(expressionProblem);

const names = z.array(text).max(200).optional();

const globs = z.array(checked(globProblem)).max(200);

/** A command, word by word: no shell ever reads it. */
const words = z
  .array(
    z
      .string()
      .max(2000)
      .refine((word) => !word.includes('\0'), 'A word holds no NUL.'),
  )
  .min(1)
  .max(100)
  .refine(
    ([program = '']) => /^[A-Za-z0-9][\w.+-]*$/.test(program),
    'The first word is the name of a program that PATH finds, not a path.',
  );

const template = checked(templateProblem).max(200);

/** Looked at before the record is made of it, which leaves `__proto__` out without a word. */
const trailers = z.preprocess(
  (value, context) => {
    const keys = typeof value === 'object' && value !== null ? Object.keys(value) : [];
    for (const [at, key] of keys.entries()) {
      const message = trailerKeyProblem(key, keys.slice(0, at));
      if (message !== null) context.issues.push({ code: 'custom', message, path: [key], input: value });
    }
    return value;
  },
  z
    .record(z.string(), template)
    .refine((all) => Object.keys(all).length <= 20, 'There are more than 20 trailers.'),
);

const schema = z.strictObject({
  version: z.literal(1),
  branch: checked(branchProblem).optional(),
  subject: z
    .string()
    .trim()
    .min(1)
    .max(60)
    .regex(/^[^\p{C}]+$/u, 'The subject is one line.')
    .optional(),
  commit: z
    .strictObject({
      subject: template.optional(),
      signoff: z.boolean().optional(),
      trailers: trailers.optional(),
    })
    .optional(),
  layout: z
    .strictObject({
      environment: z
        .array(pattern(['environment']))
        .max(50)
        .optional(),
      service: z
        .array(pattern(['environment', 'service']))
        .max(50)
        .optional(),
      bindings: globs.optional(),
      variables: globs.optional(),
      ignore: z.strictObject({ tenant: names, environment: names, service: names }).optional(),
    })
    .refine((layout) => (layout.environment?.length ?? 0) + (layout.service?.length ?? 0) > 0, {
      message: 'A layout needs at least one `environment` or `service` pattern.',
    }),
  fields: z
    .record(z.string(), checked(fieldProblem))
    .superRefine((fields, context) => {
      const message = 'A short name is letters, digits, "-" and "_".';
      for (const name of Object.keys(fields))
        if (!/^[A-Za-z][\w-]*$/.test(name)) context.addIssue({ code: 'custom', path: [name], message });
    })
    .optional(),
  keep: z.array(checked(keepProblem)).max(200).optional(),
  source: z
    .array(
      z
        .strictObject({
          subject: expression.optional(),
          author: expression.optional(),
          is: z.enum(['deploy', 'release', 'promotion']),
        })
        .refine((rule) => rule.subject !== undefined || rule.author !== undefined, {
          message: 'A source rule needs `subject` or `author`.',
        }),
    )
    .max(50)
    .optional(),
  delivery: z
    .strictObject({
      output: checked(outputProblem),
      command: z
        .strictObject({
          run: words,
          version: words.optional(),
          inputs: z
            .array(checked((value) => inputProblem(value)))
            .max(50)
            .optional(),
        })
        .optional(),
    })
    .optional(),
  policy: policySchema.optional(),
  ledger: ledgerSchema.optional(),
});

type Raw = z.infer<typeof schema>;

/** Characters. Finding duplicate keys takes time that grows with the square of their number. */
const LIMIT = 64 * 1024;
/** Problems told: whoever mends these looks again. */
const TOLD = 50;

/** Rejects with CONFIG_INVALID: the first complaint in the message, the first fifty in `details.problems`. */
export function parseConfig(source: string, file: string): Config {
  if (source.length > LIMIT)
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
  const parsed = schema.safeParse(value);
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
  const misfits = policyMisfits(parsed.data.policy ?? {}, tenancy);
  if (misfits.length > 0)
    throw invalid(
      misfits.map(({ path, message }) => ({ ...place(path), message: `${path.join('.')}: ${message}` })),
    );
  if (parsed.data.subject !== undefined && parsed.data.commit?.subject !== undefined)
    throw invalid([
      {
        ...place(['subject']),
        message: 'subject: `commit.subject` says the whole subject: leave one of them out.',
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
    details: { problems: problems.slice(0, TOLD) },
  });
}

/** All patterns name a tenant (true), or none does: otherwise `a/b` could be read in two ways. */
function requireOneTenancy(
  { layout, delivery }: Raw,
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

function withDefaults(raw: Raw): Config {
  return {
    version: 1,
    branch: raw.branch ?? null,
    layout: {
      environment: raw.layout.environment ?? [],
      service: raw.layout.service ?? [],
      bindings: raw.layout.bindings ?? [],
      variables: raw.layout.variables ?? [],
      ignore: {
        tenant: raw.layout.ignore?.tenant ?? [],
        environment: raw.layout.ignore?.environment ?? [],
        service: raw.layout.ignore?.service ?? [],
      },
    },
    fields: raw.fields ?? {},
    keep: raw.keep ?? DEFAULT_KEEP,
    source: (raw.source ?? []).map(({ subject, author, is }) => ({
      is,
      ...(subject !== undefined && { subject }),
      ...(author !== undefined && { author }),
    })),
    delivery: raw.delivery ? withCommand(raw.delivery) : null,
    policy: withPolicyDefaults(raw.policy ?? {}),
    ledger: { ref: raw.ledger?.ref ?? LEDGER_REF },
    subject: raw.subject ?? 'Rollback',
    commit: {
      subject: raw.commit?.subject ?? null,
      signoff: raw.commit?.signoff ?? false,
      trailers: raw.commit?.trailers ?? {},
    },
  };
}

function withCommand({ output, command }: NonNullable<Raw['delivery']>): Config['delivery'] {
  if (command === undefined) return { output };
  const { run, version, inputs = [] } = command;
  return { output, command: { run, inputs, ...(version !== undefined && { version }) } };
}

const yamlMessage = (code: string) => `This is not valid YAML (${code.toLowerCase().replaceAll('_', ' ')}).`;
