import * as z from 'zod';
import { Plain } from '../value.ts';

const isText = (value: unknown): value is string | Plain =>
  typeof value === 'string' || (value instanceof Plain && value.value !== null);

const envName = /^[A-Za-z_][A-Za-z0-9_]{0,252}$/;
export const ENV_NAME = 'must be a name of letters, digits and _ that does not begin with a digit.';

/** Whether no two items have the same key. */
const distinct = <T>(items: readonly T[], key: (item: T) => string) =>
  new Set(items.map(key)).size === items.length;

/**
 * Schema of `service.yaml` with `kind: Workload`. Strict: unknown keys are errors. Text fields take any scalar as written
 * (`tag: 1.10` is "1.10"). Lengths and names follow Kubernetes
 * (kubernetes.io/docs/concepts/overview/working-with-objects/names).
 */
function createSpec() {
  const text = z
    .custom<string | Plain>(isText, 'must be a scalar; write "" for an empty text.')
    .transform((value) => (value instanceof Plain ? value.source : value));

  const matching = (pattern: RegExp, message: string) => text.refine((value) => pattern.test(value), message);

  const integer = (least: number, most: number) => {
    const message = `must be a whole number from ${least} to ${most}, without quotes.`;
    return z
      .instanceof(Plain, { error: message })
      .transform(({ value }) => value)
      .pipe(z.number({ error: message }).int(message).min(least, message).max(most, message));
  };

  const dnsLabel = matching(
    /^[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?$/,
    'must be 1 to 63 lower-case letters, digits and hyphens, beginning with a letter.',
  );

  const subdomain = matching(
    /^(?=.{1,253}$)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/,
    'must be a lower-case name of at most 253 characters.',
  );

  const portName = matching(
    /^(?=.{1,15}$)(?=.*[a-z])(?!.*--)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/,
    'must be 1 to 15 lower-case letters, digits and single hyphens, with a letter.',
  );

  const port = z.strictObject({
    name: portName,
    port: integer(1, 65_535),
    targetPort: integer(1, 65_535).optional(),
    protocol: text.pipe(z.enum(['TCP', 'UDP', 'SCTP'], { error: 'must be TCP, UDP or SCTP.' })).optional(),
  });

  const quantity = matching(
    /^\d+(?:\.\d+)?(?:m|k|Ki|[MGTPE]i?|[eE][-+]?\d+)?$/,
    'must be a quantity such as 250m, 0.5 or 128Mi.',
  );

  const amounts = z.strictObject({
    cpu: quantity.optional(),
    memory: quantity.optional(),
    'ephemeral-storage': quantity.optional(),
  });

  const probe = z
    .strictObject({
      path: matching(/^\//, 'must begin with /.').optional(),
      port: z
        .union([integer(1, 65_535), portName], { error: 'must be a port number or the name of a port.' })
        .optional(),
      command: z.array(text).min(1, 'must not be empty.').optional(),
      initialDelaySeconds: integer(0, 86_400).optional(),
      periodSeconds: integer(1, 86_400).optional(),
      timeoutSeconds: integer(1, 86_400).optional(),
      failureThreshold: integer(1, 1000).optional(),
    })
    .refine(
      ({ path, port, command }) =>
        command === undefined ? port !== undefined : path === undefined && port === undefined,
      'must have a port (with a path, for HTTP), or a command.',
    );

  const image = z
    .strictObject({
      repository: matching(
        /^(?=.{1,255}$)[a-z0-9]+(?:[._:/-]+[a-z0-9]+)*$/i,
        'must be the name of an image without its tag, such as registry.example.com/acme/web.',
      ),
      tag: matching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/, 'must be an image tag.').optional(),
      digest: matching(/^sha256:[0-9a-f]{64}$/, 'must be sha256: and 64 hexadecimal digits.').optional(),
    })
    .refine(({ tag, digest }) => tag !== undefined || digest !== undefined, 'must have a tag or a digest.');

  const secretRef = z.strictObject({
    env: matching(envName, ENV_NAME),
    secret: subdomain,
    key: matching(/^[-._A-Za-z0-9]{1,253}$/, 'must be the name of a key.'),
  });

  const ports = z
    .array(port)
    .refine((list) => distinct(list, ({ name }) => name), 'must have different names.')
    .refine(
      (list) => distinct(list, (item) => `${item.port}/${item.protocol ?? 'TCP'}`),
      'must have different port numbers.',
    );

  return z
    .strictObject({
      apiVersion: z.literal('backtrail.dev/v1', { error: 'must be backtrail.dev/v1.' }),
      kind: z.literal('Workload'),
      name: dnsLabel.optional(),
      namespace: dnsLabel.optional(),
      image,
      replicas: integer(0, 10_000).optional(),
      env: z.record(z.string().regex(envName, ENV_NAME), text).optional(),
      ports: ports.optional(),
      resources: z.strictObject({ requests: amounts.optional(), limits: amounts.optional() }).optional(),
      probes: z
        .strictObject({ liveness: probe.optional(), readiness: probe.optional(), startup: probe.optional() })
        .optional(),
      secretRefs: z
        .array(secretRef)
        .refine((list) => distinct(list, ({ env }) => env), 'must have different env names.')
        .optional(),
    })
    .superRefine((spec, context) => {
      for (const [index, { env }] of (spec.secretRefs ?? []).entries())
        if (Object.hasOwn(spec.env ?? {}, env))
          context.addIssue({
            code: 'custom',
            path: ['secretRefs', index, 'env'],
            message: 'is also in env.',
          });
      for (const [name, probe] of Object.entries(spec.probes ?? {}))
        if (typeof probe?.port === 'string' && !spec.ports?.some((item) => item.name === probe.port))
          context.addIssue({
            code: 'custom',
            path: ['probes', name, 'port'],
            message: 'is not the name of a port in ports.',
          });
    });
}

let spec: ReturnType<typeof createSpec> | undefined;
/** Made when it is first needed: most repositories have no such file, and to make it takes time. */
export const workloadSpec = () => (spec ??= createSpec());

export type WorkloadSpec = z.output<ReturnType<typeof createSpec>>;
export type ProbeSpec = NonNullable<NonNullable<WorkloadSpec['probes']>['liveness']>;
