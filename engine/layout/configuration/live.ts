/** The keys `live`, `auto` and `drift`: which clusters run what the repository holds, what is done when a release degrades, and what is no drift. */
import * as z from 'zod';
import type { AutoRule, DriftConfig, EnvironmentName, LiveRule } from '../../model/index.ts';
import { matchesEnvironment } from '../../policy/policy.ts';
import { duration, SHORT_DURATION, shortDuration } from './duration.ts';
import { environmentsProblem, templateNameProblem } from './text-rules.ts';

const checked = (problemOf: (value: string) => string | null) =>
  z
    .string()
    .max(512)
    .superRefine((value, context) => {
      const message = problemOf(value);
      if (message !== null) context.addIssue({ code: 'custom', message });
    });

const match = checked(environmentsProblem).meta({
  description: 'Environments, as in `policy.environments`. All entries that match are asked.',
  example: '*/production',
});

/** A name of Kubernetes, with placeholders. */
const name = checked(templateNameProblem);

const DAY = 86_400_000;

const NAMED = ['argocd', 'flux', 'kubernetes'] as const;

const rule = z
  .strictObject({
    match,
    cluster: z
      .string()
      .regex(/^[A-Za-z0-9][\w.-]{0,99}$/, 'A cluster is named with letters, digits, ".", "-" and "_".')
      .meta({
        description:
          'The cluster, as the file names it that `BACKTRAIL_CLUSTERS` of whoever asks names: how it is reached never stands in the repository.',
        example: 'prod-eu',
      }),
    within: shortDuration(7 * DAY, '7d')
      .prefault('10m')
      .meta({
        description:
          'How long a revision may take: after it, `progressing` is `degraded` (`DEADLINE`) and `pending` is `unconfirmed` (`NOT_SEEN`).',
        ...SHORT_DURATION,
        example: '10m',
      }),
    nudge: z.boolean().default(false).meta({
      description:
        'After a rollback, sets the annotation that makes Argo CD or Flux reconcile at once. It needs the verb `patch`.',
      example: true,
    }),
    argocd: z
      .strictObject({
        application: name.meta({
          description: 'The name of the Application, with `{tenant}`, `{environment}` and `{service}`.',
          example: '{tenant}-{environment}-{service}',
        }),
        namespace: name.default('argocd').meta({ description: 'Where it lives.', example: 'argocd' }),
      })
      .optional()
      .meta({ description: 'An Application of Argo CD says what runs.' }),
    flux: z
      .strictObject({
        kustomization: name.optional().meta({
          description: 'The name of the Kustomization that applies the revision.',
          example: '{tenant}-{environment}',
        }),
        helmRelease: name.optional().meta({
          description: 'The name of the HelmRelease; believed once its Kustomization is at the revision.',
          example: '{service}',
        }),
        namespace: name
          .default('flux-system')
          .meta({ description: 'Where they live.', example: 'flux-system' }),
      })
      .refine(({ kustomization }) => kustomization !== undefined, {
        message: 'It needs `kustomization`: a HelmRelease names a chart and no commit.',
      })
      .optional()
      .meta({ description: 'A Kustomization (and a HelmRelease) of Flux says what runs.' }),
    kubernetes: z
      .strictObject({
        namespace: name.optional().meta({
          description: 'The namespace of manifests that name none.',
          example: '{tenant}-{environment}',
        }),
      })
      .optional()
      .meta({ description: 'The objects of the delivered manifests themselves are looked at.' }),
  })
  .superRefine((value, context) => {
    if (NAMED.every((key) => value[key] === undefined))
      context.addIssue({ code: 'custom', message: `It needs one of ${NAMED.join(', ')}.` });
  })
  .meta({ anyOf: NAMED.map((key) => ({ required: [key] })) });

export const liveSchema = z.array(rule).max(200);

const LIMIT = /^([1-9]\d{0,2})\/([1-9]\d{0,5}[mhd])$/;

const limit = z
  .string()
  .regex(LIMIT, 'A limit is written as 1/6h: how many, and within what time.')
  .transform((value, context) => {
    const [, times = '', per = ''] = LIMIT.exec(value) ?? [];
    const parsed = duration(31 * DAY, '31d').safeParse(per);
    if (parsed.success) return { times: Number(times), perMs: parsed.data };
    context.addIssue({ code: 'custom', message: 'The time of a limit is at most 31d.' });
    return z.NEVER;
  });

const auto = z.strictObject({
  match: checked(environmentsProblem).meta({
    description: 'Environments, as in `policy.environments`. The first entry that matches counts.',
    example: '*/production',
  }),
  window: shortDuration(DAY, '24h')
    .prefault('10m')
    .meta({
      description: 'Only a revision that degrades so long after it became current is rolled back.',
      ...SHORT_DURATION,
      example: '10m',
    }),
  bad: shortDuration(DAY, '24h')
    .prefault('2m')
    .meta({ description: 'How long it has to stay degraded.', ...SHORT_DURATION, example: '2m' }),
  to: z
    .literal('last-successful')
    .default('last-successful')
    .meta({ description: 'The revision that is returned to.', example: 'last-successful' }),
  limit: limit.prefault('1/6h').meta({
    description: 'Automatic rollbacks of one environment: how many, within what time. It stops itself there.',
    pattern: '^[1-9][0-9]{0,2}/[1-9][0-9]{0,5}[mhd]$',
    example: '1/6h',
  }),
  atomic: z.boolean().default(false).meta({
    description:
      'A first delivery that never became healthy is removed again, as an atomic install of Helm is. What `DESTRUCTIVE` blocks stays blocked.',
    example: true,
  }),
});

export const autoSchema = z.array(auto).max(200);

/** `kind:` and a pointer, or a pointer. */
const IGNORED = /^(?:[A-Za-z][A-Za-z0-9]{0,62}#)?(?:\/[^/\p{C}]{1,200}){1,30}$/u;

export const driftSchema = z.strictObject({
  ignore: z
    .array(z.string().max(512).regex(IGNORED, 'Write it as /spec/replicas, or Deployment#/spec/replicas.'))
    .max(200)
    .optional()
    .meta({
      description:
        'Fields that may differ: a pointer into the object (`*` for any key or index), of one kind where it is named before `#`.',
      example: ['Deployment#/spec/replicas', '/metadata/annotations/example.com~1seen'],
    }),
});

export const withLiveDefaults = (raw: z.infer<typeof liveSchema> = []): readonly LiveRule[] =>
  raw.map(({ match, cluster, within, nudge, argocd, flux, kubernetes }) => ({
    match,
    cluster,
    withinMs: within,
    nudge,
    argocd: argocd ?? null,
    flux: flux
      ? {
          kustomization: flux.kustomization ?? null,
          helmRelease: flux.helmRelease ?? null,
          namespace: flux.namespace,
        }
      : null,
    kubernetes: kubernetes ? { namespace: kubernetes.namespace ?? null } : null,
  }));

export const withAutoDefaults = (raw: z.infer<typeof autoSchema> = []): readonly AutoRule[] =>
  raw.map(({ match, window, bad, limit, atomic }) => ({
    match,
    windowMs: window,
    badMs: bad,
    limit,
    atomic,
  }));

export const withDriftDefaults = (raw: z.infer<typeof driftSchema> = {}): DriftConfig => ({
  ignore: raw.ignore ?? [],
});

/** All entries that match. */
export const liveRulesFor = (rules: readonly LiveRule[], environment: EnvironmentName): readonly LiveRule[] =>
  rules.filter(({ match }) => matchesEnvironment(match, environment));

/** The first that matches. */
export const autoRuleFor = (rules: readonly AutoRule[], environment: EnvironmentName): AutoRule | null =>
  rules.find(({ match }) => matchesEnvironment(match, environment)) ?? null;

/** A placeholder that nothing fills would name what is not there. */
export function placeholderProblems(
  rules: z.infer<typeof liveSchema>,
  tenancy: boolean,
): { readonly path: (string | number)[]; readonly message: string }[] {
  if (tenancy) return [];
  return rules.flatMap((rule, at) =>
    NAMED.flatMap((key) =>
      Object.entries(rule[key] ?? {})
        .filter(([, text]) => typeof text === 'string' && text.includes('{tenant}'))
        .map(([name]) => ({
          path: ['live', at, key, name],
          message: 'The layout has no tenants: nothing fills {tenant}.',
        })),
    ),
  );
}
