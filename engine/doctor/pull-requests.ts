/** What pull requests need: the host, its token, and what its settings allow. */
import {
  type Check,
  type CodeHost,
  type CodeHosts,
  type Config,
  FAILURES,
  type MergeSettings,
  type PublishRule,
} from '../model/index.ts';
import type { GitRepository } from '../git/open.ts';
import { settled } from './attempt.ts';

const NAME = 'pull requests';

const said = (status: Check['status'], what: Omit<Check, 'area' | 'name' | 'status'>): Check => ({
  area: 'publishing',
  name: NAME,
  status,
  ...what,
});

interface Place {
  readonly git: GitRepository;
  readonly branch: string;
  readonly config: Pick<Config, 'publish' | 'host' | 'commit'>;
  readonly hosts: CodeHosts;
}

/** Nothing where everything is pushed. */
export async function checkPullRequests({ git, branch, config, hosts }: Place): Promise<Check[]> {
  const { publish, host: naming, commit } = config;
  const proposing = publish.filter(({ via }) => via === 'pull-request');
  const alone = publish.filter(({ via }) => via === 'branch').map(({ match }) => match);
  const branches =
    alone.length === 0
      ? []
      : [
          said('ok', {
            message: `Rollbacks of ${alone.join(', ')} are branches of their own, for a person to merge.`,
          }),
        ];
  if (proposing.length === 0) return branches;
  const { address, branch: into } = await git.destination(branch);
  const opened = await settled(hosts.open(address, naming));
  if ('error' in opened) {
    const { code, message, hint } = opened.error;
    const isElsewhere = code === 'HOST_NOT_ALLOWED';
    const where = isElsewhere ? ' Workers that execute rollbacks need it listed.' : '';
    return [
      ...branches,
      said(isElsewhere ? 'warn' : 'fail', { message: `${message}${where}`, hint, details: { code } }),
    ];
  }
  const host = opened.value;
  const asked = await settled(host.settings(into));
  const isOfActions = await settled(hosts.hasActionsToken?.(address, naming) ?? Promise.resolve(false));
  return [
    ...branches,
    ...('error' in asked
      ? [
          said('fail', {
            message: asked.error.message,
            hint: asked.error.hint,
            details: { code: asked.error.code },
          }),
        ]
      : settingsChecks({ host, into, proposing, sign: commit.sign }, asked.value)),
    ...('value' in isOfActions && isOfActions.value
      ? [
          said('warn', {
            message: `The token for ${host.name} may be one of GitHub Actions: pull requests that it opens start no workflows.`,
            hint: 'Use a GitHub App (`app: ID:KEYFILE`) or a fine-grained token where checks have to run.',
          }),
        ]
      : []),
  ];
}

interface Asked {
  readonly host: CodeHost;
  readonly into: string;
  readonly proposing: readonly PublishRule[];
  /** Commits are signed. */
  readonly sign: boolean;
}

function settingsChecks({ host, into, proposing, sign }: Asked, settings: MergeSettings): Check[] {
  const { methods, hasQueue, mayBypass, requiresSignatures } = settings;
  const { kind, name, repository } = host;
  const isAuto = proposing.some(({ merge }) => merge === 'auto');
  const refused = proposing.filter(({ method }) => method !== null && !methods.includes(method));
  const allowed = methods.length === 0 ? 'no way to merge' : methods.join(', ');
  return [
    said('ok', {
      message: `${repository} at ${name} (${kind}) takes the token, and allows ${allowed} into ${into}. Let nobody but the bot push \`backtrail/**\`: what else is pushed there voids the request.`,
      details: { kind, host: name, repository, into, ...settings },
    }),
    ...(methods.length === 0 && !hasQueue
      ? [
          said('fail', {
            message: `${name} allows no way to merge into ${into}.`,
            hint: FAILURES.METHOD_REFUSED.hint,
          }),
        ]
      : []),
    ...(hasQueue ? [] : refused).map(({ match, method }) =>
      said('fail', {
        message: `${name} does not allow the method ${method ?? ''}, which \`publish\` names for ${match}.`,
        hint: FAILURES.METHOD_REFUSED.hint,
        details: { code: 'METHOD_REFUSED', match, method },
      }),
    ),
    ...(hasQueue && isAuto
      ? [
          said('warn', {
            message: `A merge queue merges into ${into}: \`merge: auto\` is treated as manual.`,
            hint: 'Write `merge: manual`, so that nobody waits for a worker.',
          }),
        ]
      : []),
    ...(requiresSignatures === true && !sign
      ? [
          said('warn', {
            message: `${name} takes signed commits alone into ${into}, and those of Backtrail are not signed.`,
            hint: 'Set `commit.sign: true` in the configuration (docs/signing.md).',
          }),
        ]
      : []),
    ...(mayBypass === true
      ? [
          said('warn', {
            message: `The token may merge into ${into} past its rules.`,
            hint: 'Take the bot off the list of those that may bypass them: `merge: auto` asks the host first, but nothing else holds the token.',
          }),
        ]
      : []),
  ];
}
