/** What a host sends to a webhook. */
import { createHmac, randomUUID } from 'node:crypto';
import type { HostKind } from '../../../../../engine/model/index.ts';
import type { Pull } from '../pulls.ts';

export interface Delivery {
  readonly headers: Readonly<Record<string, string>>;
  /** The bytes that are signed. */
  readonly body: string;
}

type Delivered = Pick<Pull, 'number' | 'branch' | 'into' | 'state'>;

/** Of GitHub and Gitea the body is signed; GitLab sends a secret itself, and signs with one that begins with `whsec_`. */
export function deliveryOf(kind: HostKind, pull: Delivered, secret: string, repository: string): Delivery {
  const id = randomUUID();
  if (kind === 'gitlab') {
    const { number: iid, branch, into, state } = pull;
    const attributes = { iid, source_branch: branch, target_branch: into, state, action: 'update' };
    const project = { path_with_namespace: repository };
    const body = JSON.stringify({ object_kind: 'merge_request', project, object_attributes: attributes });
    return {
      headers: {
        'content-type': 'application/json',
        'x-gitlab-event': 'Merge Request Hook',
        'x-gitlab-event-uuid': id,
        ...(secret.startsWith('whsec_') ? signed(secret, id, body) : { 'x-gitlab-token': secret }),
      },
      body,
    };
  }
  const { number, branch, into, state } = pull;
  const about = { number, head: { ref: branch }, base: { ref: into }, state, merged: state === 'merged' };
  const body = JSON.stringify({
    action: 'synchronize',
    number,
    pull_request: about,
    repository: { full_name: repository },
  });
  const signature = createHmac('sha256', secret).update(body).digest('hex');
  const own: Record<string, string> =
    kind === 'github'
      ? { 'x-github-event': 'pull_request', 'x-github-delivery': id }
      : { 'x-gitea-event': 'pull_request', 'x-gitea-delivery': id, 'x-gitea-signature': signature };
  const headers = {
    'content-type': 'application/json',
    'x-hub-signature-256': `sha256=${signature}`,
    ...own,
  };
  return { headers, body };
}

/** As Standard Webhooks has it. */
function signed(secret: string, id: string, body: string): Record<string, string> {
  const timestamp = String(Math.floor(Date.now() / 1000));
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}
