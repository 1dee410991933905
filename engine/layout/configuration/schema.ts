/** The keys of `.backtrail/config.yaml`: type, meaning, default and an example of each. docs/configuration.md and the schema for editors are made of them. */
import * as z from 'zod';
import { LONGEST_ADDRESS, repositoryProblem } from '../../record/place.ts';
import { MESSAGE_PLACEHOLDERS, templateProblem, trailerKeyProblem } from '../../record/style.ts';
import { checksSchema } from './checks.ts';
import { holdsSchema } from './holds.ts';
import { autoSchema, driftSchema, liveSchema } from './live.ts';
import { hostSchema, publishSchema } from './publish.ts';
import { deploymentsSchema, featuresSchema, ledgerSchema, policySchema } from './policy.ts';
import {
  branchProblem,
  expressionProblem,
  fieldProblem,
  globProblem,
  inputProblem,
  keepProblem,
  outputProblem,
  patternProblem,
  sharedProblem,
  showProblem,
} from './text-rules.ts';
import type { Placeholder } from '../pattern.ts';

/** Start of the default subject line. */
export const DEFAULT_SUBJECT = 'Rollback';

/** Default of `keep`: SOPS files, Secret and SealedSecret manifests. A rollback must not restore old secrets. */
export const DEFAULT_KEEP = ['format:sops', 'kind:Secret', 'kind:SealedSecret'] as const;

const text = z.string().min(1).max(512);

const checked = (problemOf: (value: string) => string | null) =>
  text.superRefine((value, context) => {
    const message = problemOf(value);
    if (message !== null) context.addIssue({ code: 'custom', message });
  });

const pattern = (needs: readonly Placeholder[]) => checked((value) => patternProblem(value, needs));

const expression = checked(expressionProblem);

const names = z.array(text).max(200);

const globs = z.array(checked(globProblem)).max(200);

const home = checked(repositoryProblem).max(LONGEST_ADDRESS);

/** A command as a list of arguments. It is executed without a shell. */
const words = z
  .array(
    z
      .string()
      .max(2000)
      .refine((word) => !word.includes('\0'), 'An argument cannot contain NUL.'),
  )
  .min(1)
  .max(100)
  .refine(
    ([program = '']) => /^[A-Za-z0-9][\w.+-]*$/.test(program),
    'The first word must be the name of a program in PATH, not a path.',
  );

const template = checked(templateProblem).max(200);

/** Checked before z.record, which silently drops `__proto__`. */
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
    .record(z.string().regex(/^[A-Za-z][A-Za-z0-9-]{0,63}$/), template)
    .refine((all) => Object.keys(all).length <= 20, 'There are more than 20 trailers.'),
);

const PLACEHOLDERS = Object.entries(MESSAGE_PLACEHOLDERS)
  .map(([name, meaning]) => `\`{${name}}\` (${meaning})`)
  .join(', ');

/** Each key has `description` and `example` in its `meta`, last in its chain, and `default` where the code has one. */
export const configSchema = z.strictObject({
  version: z.literal(1).meta({
    description: 'The version of this format.',
    example: 1,
  }),
  branch: checked(branchProblem).optional().meta({
    description: 'The branch that is rolled back. Without it, the one that `HEAD` names.',
    example: 'main',
  }),
  repository: z
    .union([home, z.array(home).min(1).max(20)], { error: 'It is an address, or a list of addresses.' })
    .optional()
    .meta({
      description:
        'Where the repository is at home: `git.example.com/acme/config`, an address that git takes, or an absolute path; a list where it has several addresses. Requests and votes are for this place, and count nowhere else (docs/approvals.md). Compared without scheme, user, default port and `.git`; a local path wherever links lead.',
      example: 'git.example.com/acme/config',
    }),
  subject: z
    .string()
    .trim()
    .min(1)
    .max(60)
    .regex(/^[^\p{C}]+$/u, 'The subject is one line.')
    .optional()
    .meta({
      description:
        'The first words of the usual subject, `Rollback: env/production → revision 3f2c9ab`. Not beside `commit.subject`, which says all of it.',
      default: DEFAULT_SUBJECT,
      example: 'revert(production)',
    }),
  commit: z
    .strictObject({
      subject: template.optional().meta({
        description: `The whole subject of rollback commits, instead of the usual one. It may contain ${PLACEHOLDERS}. An empty one is removed with the brackets around it, so that \`fix({service}): …\` of an environment is \`fix: …\`. At most 100 characters are used. The commit with the manifests has the same subject, and \` (manifests)\`.`,
        example: 'fix({service}): roll back {fields} to {target}',
      }),
      signoff: z.boolean().default(false).meta({
        description:
          '`Signed-off-by:` of author and committer in each commit, events of the ledger included, as `git commit --signoff` writes it.',
        example: true,
      }),
      sign: z.boolean().default(false).meta({
        description:
          'Signs every commit that Backtrail makes on the branch with the SSH key of whoever makes it, as their own settings of git name it (`gpg.format: ssh`, `user.signingKey`): for branches that take signed commits alone. Without a key, nothing is written (docs/signing.md).',
        example: true,
      }),
      trailers: trailers.optional().meta({
        description:
          'More trailers, with the same placeholders in their values; one that is empty is left out. Keys that Backtrail writes or that say what a person did (`Rollback-…`, `Event-…`, `Signed-off-by`, `Approved-by`) cannot be set.',
        example: { Ticket: 'OPS-1', Component: '{scope}' },
      }),
    })
    .optional()
    .meta({ description: 'Contents of commit messages.' }),
  layout: z
    .strictObject({
      environment: z
        .array(pattern(['environment']))
        .max(50)
        .optional()
        .meta({
          description:
            'What an environment is: paths with `{tenant}`, `{environment}`, `*`, `?` and `**`; `path#selector` is a part of a YAML or JSON file. Either all patterns of the file have `{tenant}` or none has.',
          example: ['tenants/{tenant}/{environment}/**'],
        }),
      service: z
        .array(pattern(['environment', 'service']))
        .max(50)
        .optional()
        .meta({
          description: 'Paths of a service of an environment, in the same way, with `{service}`.',
          example: [
            'tenants/{tenant}/{environment}/services/{service}/**',
            'tenants/{tenant}/{environment}/variables.yaml#/services/{service}',
          ],
        }),
      bindings: globs.optional().meta({
        description: 'Files that bind services to something else. A plan names those that it changes.',
        example: ['**/bindings/**'],
      }),
      variables: globs.optional().meta({
        description:
          'Files with values for manifests (`variables:`, `services:`). A plan names those that it changes, and rendering fills `${NAME}` from them.',
        example: ['**/variables.yaml'],
      }),
      ignore: z
        .strictObject({
          tenant: names.optional().meta({ description: 'Names that are not tenants.', example: ['shared'] }),
          environment: names
            .optional()
            .meta({ description: 'Names that are not environments.', example: ['base'] }),
          service: names.optional().meta({ description: 'Names that are not services.', example: ['docs'] }),
        })
        .optional()
        .meta({
          description:
            'Names (`*` matches any characters) that the patterns match but that are not environments, services or tenants.',
        }),
      only: z
        .strictObject({
          tenant: names.optional().meta({ description: 'The only tenants.', example: ['acme', 'globex'] }),
          environment: names
            .optional()
            .meta({ description: 'The only environments.', example: ['production', 'staging-*'] }),
          service: names.optional().meta({ description: 'The only services.', example: ['api-*'] }),
        })
        .optional()
        .meta({
          description:
            'Names (`*` matches any characters); where a list is given, all other names are ignored.',
        }),
      shared: z
        .array(checked(sharedProblem))
        .max(50)
        .optional()
        .meta({
          description:
            'Files that several environments use. They belong to no scope: no rollback touches them, and a plan says where they changed since its target.',
          example: ['apps/{service}/base/**'],
        }),
    })
    .refine((layout) => (layout.environment?.length ?? 0) + (layout.service?.length ?? 0) > 0, {
      message: 'A layout needs at least one `environment` or `service` pattern.',
    })
    .meta({
      description: 'Which paths are an environment, and which are a service of it: at least one pattern.',
      anyOf: ['environment', 'service'].map((key) => ({
        required: [key],
        properties: { [key]: { minItems: 1 } },
      })),
    }),
  fields: z
    .record(z.string(), checked(fieldProblem))
    .superRefine((fields, context) => {
      const message = 'A short name is letters, digits, "-" and "_".';
      for (const name of Object.keys(fields))
        if (!/^[A-Za-z][\w-]*$/.test(name)) context.addIssue({ code: 'custom', path: [name], message });
    })
    .optional()
    .meta({
      description: 'Short names for `--field`, relative to the service: `path#selector`.',
      propertyNames: { pattern: '^[A-Za-z][A-Za-z0-9_-]*$' },
      example: { image: 'service.yaml#/image/tag' },
    }),
  keep: z
    .array(checked(keepProblem))
    .max(200)
    .default([...DEFAULT_KEEP])
    .meta({
      description:
        'What no rollback touches: `kind:NAME` (documents of that kind), `format:sops`, path patterns, and `path#selector`. Your own list replaces the default.',
      example: [...DEFAULT_KEEP, '**/environment.yaml#/metadata'],
    }),
  show: z
    .array(checked(showProblem))
    .max(200)
    .optional()
    .meta({
      description:
        'Values that are not masked although they look like secrets: `path#selector`, or `#selector` in any file. Files that contain a Secret stay masked.',
      example: ['**/values.yaml#/auth/keyAlgorithm', '#/cookie/name'],
    }),
  source: z
    .array(
      z
        .strictObject({
          subject: expression.optional().meta({
            description: 'Regular expression (RE2), searched in the subject of a commit.',
            example: '^promote',
          }),
          author: expression.optional().meta({
            description: 'Regular expression (RE2), searched in `Name <email>` of the author.',
            example: 'bot@',
          }),
          is: z.enum(['deploy', 'release', 'promotion']).meta({
            description: 'The source of such a commit.',
            example: 'promotion',
          }),
        })
        .refine((rule) => rule.subject !== undefined || rule.author !== undefined, {
          message: 'A source rule needs `subject` or `author`.',
        })
        .meta({ anyOf: [{ required: ['subject'] }, { required: ['author'] }] }),
    )
    .max(50)
    .optional()
    .meta({
      description:
        'Classifies commits in the history; the first rule that matches counts. Without a rule, the trailer `Deployment-Source` decides.',
    }),
  delivery: z
    .strictObject({
      output: checked(outputProblem).meta({
        description:
          'Where the manifests of a service go: one path with `{tenant}`, `{environment}` and `{service}`, outside every scope.',
        example: 'delivery/{tenant}/{environment}/{service}.yaml',
      }),
      command: z
        .strictObject({
          run: words.meta({
            description:
              'The program and its arguments, word by word; `{tenant}`, `{environment}`, `{service}` and `{directory}` are replaced. It prints manifests, and runs only where `BACKTRAIL_RENDER_COMMANDS` allows it.',
            example: ['helm', 'template', '{service}', '{directory}'],
          }),
          version: words.optional().meta({
            description: 'A command that prints the version of the program, for the record.',
            example: ['helm', 'version', '--short'],
          }),
          inputs: z
            .array(checked((value) => inputProblem(value)))
            .max(50)
            .default([])
            .meta({
              description: "Patterns of files that it needs in addition to the service's own folder.",
              example: ['charts/**'],
            }),
        })
        .optional()
        .meta({ description: 'A program that renders what Backtrail and kustomize cannot.' }),
    })
    .optional()
    .meta({ description: 'Manifests that are rendered and published with each rollback.' }),
  checks: checksSchema.optional().meta({
    description: 'How severe each check of a plan is, and what it looks at (docs/checks.md).',
  }),
  holds: holdsSchema.optional().meta({
    description: 'How automation is kept from moving what a rollback restored (docs/holds.md).',
  }),
  policy: policySchema.optional().meta({
    description: 'Who must agree before a rollback is executed, and who may do what.',
  }),
  features: featuresSchema.optional().meta({
    description: 'What may be used at all; an environment of the policy may say otherwise for itself.',
  }),
  ledger: ledgerSchema.optional().meta({ description: 'Where requests and votes are recorded.' }),
  publish: publishSchema.optional().meta({
    description:
      'How rollbacks reach the branch, where it takes no push (docs/pull-requests.md). Without an entry that matches, they are pushed.',
  }),
  host: hostSchema
    .optional()
    .meta({ description: 'What the address of the remote does not say of the code host.' }),
  live: liveSchema.optional().meta({
    description:
      'Which clusters run what is here, and who of them can say whether it is live (docs/live.md).',
  }),
  auto: autoSchema.optional().meta({
    description: 'Which revisions are rolled back by themselves when they degrade (docs/live.md).',
  }),
  drift: driftSchema.optional().meta({ description: 'What `backtrail drift` does not look at.' }),
  deployments: deploymentsSchema
    .optional()
    .meta({ description: 'Where it is recorded what was deployed, and what became of it.' }),
});

export type RawConfig = z.infer<typeof configSchema>;
