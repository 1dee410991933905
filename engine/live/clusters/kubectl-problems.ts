/** What kubectl says on its error stream, as problems. Messages are those of kubectl 1.24 to 1.35; what a server writes is not repeated. */
import type { ClusterProblem } from '../../model/index.ts';

interface Rule {
  readonly says: RegExp;
  readonly problem: ClusterProblem;
}

const rule = (says: RegExp, code: ClusterProblem['code'], message: string): Rule => ({
  says,
  problem: { code, message },
});

/** The first that matches. */
const RULES: readonly Rule[] = [
  rule(
    /context .* does not exist|no context exists|cannot find context/i,
    'CLUSTER_UNKNOWN',
    "kubectl's configuration does not have the context that BACKTRAIL_CLUSTERS names.",
  ),
  rule(
    /Unauthorized|must be logged in|provide credentials|token (?:is |has )?expired/i,
    'CLUSTER_DENIED',
    'The cluster does not accept the credentials (401).',
  ),
  rule(
    /\(Forbidden\)|forbidden: User|is forbidden/i,
    'CLUSTER_DENIED',
    'The credentials may not read this in the cluster (403).',
  ),
  rule(
    /too many requests|TooManyRequests|client rate limiter/i,
    'CLUSTER_BUSY',
    'The cluster answers that it gets too many requests (429).',
  ),
  rule(
    /doesn't have a resource type|no matches for kind|could not find the requested resource/i,
    'RESOURCE_UNKNOWN',
    'The cluster does not know this kind of object.',
  ),
  rule(
    /x509|certificate|tls:/i,
    'CLUSTER_AWAY',
    "The cluster's certificate is not trusted, or not of this name.",
  ),
  rule(
    /exec(?:utable)?(?: plugin)?.*(?:not found|failed)|getting credentials/i,
    'CLUSTER_DENIED',
    'The program that gives kubectl its credentials failed.',
  ),
  rule(
    /invalid character|couldn't get (?:current server API group list|resource list)|unable to decode|did not find expected|unexpected end of JSON|not valid JSON/i,
    'CLUSTER_NONSENSE',
    'The cluster answers what kubectl cannot read.',
  ),
  rule(
    /Unable to connect|connection refused|was refused|connection reset|no such host|i\/o timeout|EOF|deadline exceeded|Client\.Timeout|TLS handshake timeout|server is currently unable|ServiceUnavailable|InternalError|an error on the server/i,
    'CLUSTER_AWAY',
    'The cluster does not answer.',
  ),
];

/** `stderr`: hostile text. */
export function problemOf(stderr: string): ClusterProblem {
  return (
    RULES.find(({ says }) => says.test(stderr))?.problem ?? {
      code: 'CLUSTER_NONSENSE',
      message: 'kubectl failed for a reason that is not known.',
    }
  );
}
