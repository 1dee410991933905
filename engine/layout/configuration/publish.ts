/** The keys `publish` and `host`: how rollbacks reach the branch. */
import * as z from 'zod';
import {
  type EnvironmentName,
  HOST_KINDS,
  type HostNaming,
  MERGE_METHODS,
  type PublishRule,
  WAYS,
} from '../../model/index.ts';
import { matchesEnvironment } from '../../policy/policy.ts';
import { environmentsProblem } from './text-rules.ts';

const pattern = z
  .string()
  .max(512)
  .superRefine((value, context) => {
    const message = environmentsProblem(value);
    if (message !== null) context.addIssue({ code: 'custom', message });
  });

/** Hosts allow other characters too, but none of these: a label is sent in a list. */
const label = z
  .string()
  .trim()
  .min(1)
  .max(50)
  .regex(/^[^\p{C},]+$/u, 'A label is one line without a comma.');

const rule = z
  .strictObject({
    match: pattern.meta({
      description: 'Environments, as in `policy.environments`. The first entry that matches counts.',
      example: '*/production',
    }),
    via: z.enum(WAYS).meta({
      description:
        '`push`: onto the branch itself; `pull-request`: a branch of its own and a pull request (docs/pull-requests.md); `branch`: the branch of its own alone, and what to do with it is printed.',
      example: 'pull-request',
    }),
    merge: z.enum(['auto', 'manual']).optional().meta({
      description:
        '`auto`: a worker merges it as soon as the host says that its rules are met; `manual`: a person does.',
      default: 'manual',
      example: 'auto',
    }),
    method: z.enum(MERGE_METHODS).optional().meta({
      description:
        'How it is merged. Without it, the first that the host allows of merge, rebase and squash. One that the host does not allow blocks the plan (`METHOD_REFUSED`).',
      example: 'squash',
    }),
    labels: z
      .array(label)
      .max(20)
      .optional()
      .meta({ description: 'Labels of the pull request.', example: ['rollback'] }),
  })
  .superRefine(({ via, merge, method, labels }, context) => {
    if (via === 'pull-request') return;
    const extra = Object.entries({ merge, method, labels }).find(([, value]) => value !== undefined);
    if (extra)
      context.addIssue({
        code: 'custom',
        path: [extra[0]],
        message: 'It is for `via: pull-request` alone.',
      });
  });

export const publishSchema = z.array(rule).max(200);

/** A path of names: no empty one, none of dots alone, nothing that an address would read otherwise. */
const REPOSITORY = /^(?!\.{1,2}(?:\/|$))[\w.-]+(?:\/(?!\.{1,2}(?:\/|$))[\w.-]+)+$/;

export const hostSchema = z.strictObject({
  kind: z.enum(HOST_KINDS).optional().meta({
    description: 'Which kind of code host it is, where its name does not say so. Forgejo is `gitea`.',
    example: 'gitlab',
  }),
  repository: z.string().max(500).regex(REPOSITORY, 'Write it as owner/name.').optional().meta({
    description:
      'The repository on its host, where the address of the remote does not say it: `owner/name`. The operator has to list it (`repositories` in the file that BACKTRAIL_HOSTS names).',
    example: 'acme/config',
  }),
});

export const withPublishDefaults = (raw: z.infer<typeof publishSchema> = []): readonly PublishRule[] =>
  raw.map(({ match, via, merge, method, labels }) => ({
    match,
    via,
    merge: merge ?? 'manual',
    method: method ?? null,
    labels: labels ?? [],
  }));

export const withHostDefaults = (raw: z.infer<typeof hostSchema> = {}): HostNaming => ({
  kind: raw.kind ?? null,
  repository: raw.repository ?? null,
});

const PUSH: PublishRule = { match: '**', via: 'push', merge: 'manual', method: null, labels: [] };

/** How what changes in these environments is published: where one asks for a pull request, all of it comes by one; the first of those says how. */
export function publishRuleFor(
  rules: readonly PublishRule[],
  environments: readonly EnvironmentName[],
): PublishRule {
  const found = environments.map(
    (environment) => rules.find(({ match }) => matchesEnvironment(match, environment)) ?? PUSH,
  );
  return found.find(({ via }) => via === 'pull-request') ?? found.find(({ via }) => via === 'branch') ?? PUSH;
}
