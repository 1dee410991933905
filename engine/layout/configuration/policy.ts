/** The sections `policy` and `ledger` of the configuration. What can never take effect is refused: it would open a gate that someone thinks is shut. */
import * as z from 'zod';
import {
  type EnvironmentPolicy,
  type Features,
  PERMISSIONS,
  type Policy,
  SELECTIVE_MODES,
} from '../../model/index.ts';
import { cronProblem, timezoneProblem } from '../../policy/windows.ts';
import { DURATION, duration } from './duration.ts';
import { environmentsProblem, ledgerProblem } from './text-rules.ts';

export const LEDGER_REF = 'refs/backtrail/ledger';

export const DEPLOYMENTS_REF = 'refs/backtrail/deployments';

const checked = (longest: number, problemOf: (value: string) => string | null) =>
  z
    .string()
    .max(longest)
    .superRefine((value, context) => {
      const message = problemOf(value);
      if (message !== null) context.addIssue({ code: 'custom', message });
    });

const DAY = 86_400_000;

const email = z
  .string()
  .trim()
  .pipe(
    checked(320, (value) => {
      if (value.includes('*')) return 'An email cannot have a wildcard: list each person, or a group.';
      return /^[^\s@<>\p{C}]+@[^\s@<>\p{C}]+$/u.test(value)
        ? null
        : 'A person must be an email such as a@example.com.';
    }),
  );

const GROUP = /^[A-Za-z0-9][\w.-]{0,99}$/;

const groupName = checked(100, (value) =>
  GROUP.test(value) ? null : 'A group name may have letters, digits, ".", "-" and "_".',
);

export interface RawPeople {
  readonly users?: string[] | undefined;
  readonly groups?: string[] | undefined;
}

const people = {
  users: z
    .array(email)
    .max(500)
    .optional()
    .meta({ description: 'Emails of people.', example: ['carol@example.com'] }),
  groups: z
    .array(groupName)
    .max(100)
    .optional()
    .meta({ description: 'Names of `policy.groups`.', example: ['sre'] }),
};

const namesSomeone = ({ users = [], groups = [] }: RawPeople) => users.length + groups.length > 0;

const NAMES_NOBODY = { message: 'It names nobody: list people in `users`, or `groups`.' };

/** The same rule for the JSON schema. */
const SOMEONE_REQUIRED = { anyOf: [{ required: ['users'] }, { required: ['groups'] }] };

const pattern = checked(512, environmentsProblem);

export const featuresSchema = z.strictObject({
  rollback: z.boolean().optional().meta({ description: 'Rollbacks at all.', default: true, example: true }),
  basic_rollback: z
    .boolean()
    .optional()
    .meta({ description: 'Rollbacks of a whole environment.', default: true, example: false }),
  selective_rollback: z
    .array(z.enum(SELECTIVE_MODES))
    .max(SELECTIVE_MODES.length)
    .optional()
    .meta({
      description: 'Rollbacks of less than an environment: of a service, of fields.',
      default: [...SELECTIVE_MODES],
      example: ['service'],
    }),
  rollback_approval: z.boolean().optional().meta({
    description: 'Requests that wait for an approval. It cannot be off where a quorum asks for approvals.',
    default: true,
    example: true,
  }),
});

export type RawFeatures = z.infer<typeof featuresSchema>;

const changeWindow = z.strictObject({
  match: pattern.meta({ description: 'Environments, as in `policy.environments`.', example: '*/production' }),
  kind: z.enum(['deny', 'allow']).default('deny').meta({
    description: '`deny`: frozen within the window; `allow`: frozen outside of all windows that allow.',
    example: 'deny',
  }),
  cron: checked(100, cronProblem).meta({
    description: 'When a window begins: minute, hour, day of the month, month, day of the week.',
    example: '0 18 * * FRI',
  }),
  duration: duration(31 * DAY, '31d').meta({
    description: 'How long a window lasts.',
    ...DURATION,
    example: '62h',
  }),
  timezone: checked(100, timezoneProblem).default('UTC').meta({
    description: 'The time zone of `cron`, by its IANA name; daylight saving is considered.',
    example: 'Europe/Berlin',
  }),
  rollbacks: z.enum(['exempt', 'bound']).default('exempt').meta({
    description:
      '`exempt`: rollbacks go ahead, and their plans tell of the freeze; `bound`: they are blocked (`WINDOW_CLOSED`, `--override`).',
    example: 'bound',
  }),
});

const environment = z.strictObject({
  match: pattern.meta({
    description:
      'Environments: `acme/production`, without the tenant where the layout has none; `*` matches any characters within a name, `**` alone all. The first entry that matches counts; an environment without a match needs no approval.',
    example: '*/production',
  }),
  quorum: z
    .int()
    .min(0)
    .max(20)
    .optional()
    .meta({ description: 'Approvals needed.', default: 1, example: 2 }),
  selfApproval: z
    .boolean()
    .default(false)
    .meta({ description: "Whether the author's own approval counts.", example: false }),
  approvers: z
    .strictObject(people)
    .refine(namesSomeone, NAMES_NOBODY)
    .optional()
    .meta({
      description: 'Who may approve. Default: everybody with the permission `deploy`.',
      ...SOMEONE_REQUIRED,
    }),
  rejections: z
    .int()
    .min(1)
    .max(20)
    .default(1)
    .meta({ description: 'Rejections that end a request.', example: 1 }),
  expiry: duration(365 * DAY, '365d')
    .prefault('72h')
    .meta({
      description: 'How long a request may be pending: `30m`, `72h` or `7d`.',
      ...DURATION,
      example: '24h',
    }),
  unsignedApprovals: z
    .boolean()
    .default(false)
    .meta({ description: 'Approvals count even if no trusted key signed them.', example: false }),
  unsignedRequests: z.boolean().optional().meta({
    description:
      'A request is executed although no trusted key confirms its author. Without this key: `false` where a `quorum` asks for signed approvals, else `true`.',
    example: false,
  }),
  signedBy: z.enum(['server', 'person']).default('server').meta({
    description:
      '`person`: only a key counts that the list of trusted keys has for exactly that email; `server`: also that of a server (`backtrail serve`), which the list has by a pattern.',
    example: 'person',
  }),
  automatic: z.enum(['gated', 'exempt']).default('gated').meta({
    description:
      '`exempt`: an automatic rollback (`auto`) needs no approval here; `gated`: it waits for one as any other.',
    example: 'exempt',
  }),
  bind: z.enum(['digest', 'rendered']).default('digest').meta({
    description: 'What a vote is bound to: the digest of the plan, or the rendered manifests as well.',
    example: 'rendered',
  }),
  breakGlass: z
    .strictObject({
      allowed: z.boolean().meta({ description: 'Break-glass sessions may be opened.', example: true }),
      longest: duration(DAY, '24h')
        .prefault('1h')
        .meta({ description: 'How long a session may last.', ...DURATION, example: '1h' }),
    })
    .optional()
    .meta({ description: 'Sessions that replace approval. Without it, there are none.' }),
  features: featuresSchema.optional().meta({
    description: 'What may be used here, where it differs from `features` of the whole configuration.',
  }),
});

const grant = z
  .strictObject({
    allow: z
      .array(z.enum(PERMISSIONS))
      .min(1)
      .max(PERMISSIONS.length)
      .meta({
        description:
          '`deploy` approves, rejects and executes, and includes `record`: saying what was deployed; `admin` includes all others, and each of them includes `read`.',
        example: ['propose', 'deploy'],
      }),
    ...people,
    in: z
      .array(pattern)
      .min(1)
      .max(100)
      .meta({ description: 'Environments, as in `match`.', example: ['*/production'] }),
  })
  .refine(namesSomeone, NAMES_NOBODY)
  .meta(SOMEONE_REQUIRED);

/** Checked before z.record, which silently drops `__proto__`. */
const groups = z.preprocess(
  (value, context) => {
    if (typeof value !== 'object' || value === null) return value;
    for (const name of Object.keys(value))
      if (!GROUP.test(name))
        context.issues.push({
          code: 'custom',
          path: [name],
          message: 'A group name may have letters, digits, ".", "-" and "_".',
          input: value,
        });
    return value;
  },
  z
    .record(z.string(), z.array(email).max(500))
    .refine((all) => Object.keys(all).length <= 100, 'There are more than 100 groups.'),
);

export const policySchema = z.strictObject({
  environments: z
    .array(environment)
    .max(200)
    .optional()
    .meta({ description: 'Rules for the rollbacks of an environment.' }),
  groups: groups.optional().meta({
    description: 'Emails, by the name of a group.',
    propertyNames: { pattern: GROUP.source },
    example: { sre: ['jane@example.com', 'bob@example.com'] },
  }),
  people: z
    .array(z.array(email).min(2).max(20))
    .max(500)
    .optional()
    .meta({
      description:
        'Emails of one person each: their permissions, votes and own requests go by person. The first one stands for all.',
      example: [['jane@example.com', 'jane.doe@corp.example']],
    }),
  permissions: z
    .array(grant)
    .max(200)
    .optional()
    .meta({ description: 'Who may do what. With any entry, whatever is not granted is denied.' }),
  windows: z
    .array(changeWindow)
    .max(50)
    .optional()
    .meta({ description: 'Times at which changes are frozen, shown by every plan that they cover.' }),
});

export const ledgerSchema = z.strictObject({
  ref: checked(200, ledgerProblem).optional().meta({
    description:
      'The ref of the events: `refs/backtrail/NAME`, or `refs/heads/NAME` where the host accepts branches only. Not the branch that is rolled back.',
    default: LEDGER_REF,
    example: 'refs/heads/backtrail-ledger',
  }),
});

export const deploymentsSchema = z.strictObject({
  ref: checked(200, ledgerProblem).optional().meta({
    description:
      'The ref of the records: `refs/backtrail/NAME`, or `refs/heads/NAME` where the host accepts branches only. Neither the branch that is rolled back nor the ledger.',
    default: DEPLOYMENTS_REF,
    example: 'refs/heads/backtrail-deployments',
  }),
  record: z.enum(['auto', 'always', 'never']).optional().meta({
    description:
      'Whether a completed rollback records the new deployment, and marks the one that it replaced: `auto` where there are records already.',
    default: 'auto',
    example: 'always',
  }),
});

export type RawPolicy = z.infer<typeof policySchema>;

export function withPolicyDefaults(raw: RawPolicy, features?: RawFeatures): Policy {
  const { environments = [], groups = {}, people = [], permissions = [], windows = [] } = raw;
  return {
    environments: environments.map(
      ({
        approvers,
        expiry,
        breakGlass,
        features: own,
        quorum,
        unsignedRequests,
        signedBy,
        automatic,
        ...rest
      }): EnvironmentPolicy => ({
        ...rest,
        ...(automatic === 'exempt' && { automatic }),
        unsignedRequests: unsignedRequests ?? null,
        ...(signedBy === 'person' && { signedBy }),
        quorum: quorum ?? (own?.rollback_approval === false ? 0 : 1),
        ...(own && { features: withNames(own) }),
        approvers: approvers ? listed(approvers) : null,
        expiryMs: expiry,
        breakGlass: breakGlass?.allowed === true ? { longestMs: breakGlass.longest } : null,
      }),
    ),
    groups,
    ...(people.length > 0 && { people }),
    permissions: permissions.map((grant) => ({ allow: grant.allow, in: grant.in, ...listed(grant) })),
    ...(windows.length > 0 && {
      windows: windows.map(({ duration: durationMs, ...rest }) => ({ ...rest, durationMs })),
    }),
    ...(features && { features: withNames(features) }),
  };
}

const withNames = ({
  rollback,
  basic_rollback: basicRollback,
  selective_rollback: selectiveRollback,
  rollback_approval: rollbackApproval,
}: RawFeatures): Partial<Features> => ({
  ...(rollback !== undefined && { rollback }),
  ...(basicRollback !== undefined && { basicRollback }),
  ...(selectiveRollback !== undefined && { selectiveRollback }),
  ...(rollbackApproval !== undefined && { rollbackApproval }),
});

const listed = ({ users = [], groups = [] }: RawPeople) => ({ users, groups });
