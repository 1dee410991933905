/** `checks` of the configuration: how severe each check is, and what it looks at. */
import * as z from 'zod';
import { CHECK_CODES, CHECKS, type ChecksConfig } from '../../model/index.ts';
import { fixedProblem, sharedProblem } from './text-rules.ts';

/** Default of `checks.fixed`: another kind of object, another type of source, another profile is another thing. */
export const DEFAULT_FIXED = [
  '#/kind',
  '#/profile',
  '#/spec/source/{chart,path}',
  '#/spec/sourceRef/kind',
  '#/spec/chart/spec/sourceRef/kind',
  '#/sourceRef/kind',
] as const;

const text = z.string().min(1).max(512);

const checked = (problemOf: (value: string) => string | null) =>
  text.superRefine((value, context) => {
    const message = problemOf(value);
    if (message !== null) context.addIssue({ code: 'custom', message });
  });

const severity = z.enum(['block', 'warn', 'info', 'off']);

/** `features` alone decides what is switched off. */
const CONFIGURABLE = CHECK_CODES.filter((code) => code !== 'MODE_FORBIDDEN');

const severities = Object.fromEntries(
  CONFIGURABLE.map((code) => [
    code,
    severity.optional().meta({
      description: CHECKS[code].sees,
      default: CHECKS[code].severity,
      example: CHECKS[code].severity,
    }),
  ]),
);

const migration = z.preprocess(
  (value) => (typeof value === 'string' ? { path: value } : value),
  z.strictObject({
    path: checked((value) =>
      value.includes('#') ? 'A migration is a path pattern without a selector.' : sharedProblem(value),
    ).meta({
      description: 'A path pattern, as in the layout. Placeholders stand for the names of the scope.',
      example: 'services/{service}/migrations/**',
    }),
    fence: z.boolean().default(false).meta({
      description: 'A rollback to before such a change is blocked, not only warned of.',
      example: true,
    }),
  }),
);

export const checksSchema = z.strictObject({
  ...severities,
  fixed: z
    .array(checked(fixedProblem))
    .max(50)
    .default([...DEFAULT_FIXED])
    .meta({
      description:
        'What FIXED_FIELD compares: `path#selector`, or `#selector` in any file; a last step `{a,b}` asks only which of these keys there is. Your own list replaces the default.',
      example: ['**/service.yaml#/profile', '#/spec/source/{chart,path}'],
    }),
  recurring: z
    .strictObject({
      times: z.int().min(2).max(1000).default(3).meta({ description: 'How many rollbacks.', example: 3 }),
      days: z.int().min(1).max(3650).default(30).meta({ description: 'Within how many days.', example: 30 }),
    })
    .optional()
    .meta({
      description:
        'When rollbacks of one scope to one revision are worth a word (RECURRING, `backtrail log --recurring`).',
    }),
  migrations: z.array(migration).max(50).optional().meta({
    description:
      'Paths whose change is a migration (MIGRATION_CROSSED): a list of patterns, or of `path` and `fence`. A commit says the same by the trailer `Migration: TEXT`, which is a fence where the text ends in `(fence)`.',
  }),
});

type RawChecks = z.infer<typeof checksSchema>;

export function withCheckDefaults({
  fixed,
  migrations,
  recurring,
  ...codes
}: Partial<RawChecks>): ChecksConfig {
  const set = Object.entries(codes).flatMap(([code, value]) => {
    const parsed = severity.safeParse(value);
    return parsed.success ? [[code, parsed.data] as const] : [];
  });
  return {
    severity: Object.fromEntries(set),
    fixed: fixed ?? [...DEFAULT_FIXED],
    migrations: migrations ?? [],
    recurring: recurring ?? { times: 3, days: 30 },
  };
}
