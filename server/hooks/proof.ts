/** Whether a delivery comes from the code host that it names: the host's own proof, over the bytes as they came. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { HostKind } from '../../engine/model/index.ts';

/** Who may deliver under a name. */
export interface HookHost {
  readonly kind: HostKind;
  /** Any of them proves a delivery: there are two while one is replaced. */
  readonly secrets: readonly string[];
}

interface Delivery {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Seconds by which the clocks of a host and of this server may differ. */
const TOLERANCE = 300;
/** What a secret for signatures begins with at GitLab: the rest is the key, in base64. */
const SIGNING = 'whsec_';

/** Takes as long whatever of it is wrong. */
export const isProven = ({ kind, secrets }: HookHost, delivery: Delivery): boolean =>
  secrets.map((secret) => PROOFS[kind](secret, delivery)).includes(true);

const PROOFS: Readonly<Record<HostKind, (secret: string, delivery: Delivery) => boolean>> = {
  github: (secret, { headers, body }) =>
    isSame(textOf(headers['x-hub-signature-256']), `sha256=${hexOf(secret, body)}`),
  gitea: (secret, { headers, body }) => {
    const given = headers['x-gitea-signature'] ?? headers['x-forgejo-signature'];
    const signature = given ?? textOf(headers['x-hub-signature-256']).replace(/^sha256=/, '');
    return isSame(textOf(signature), hexOf(secret, body));
  },
  // A secret token is sent as it is; only a signature also says when it was made.
  gitlab: (secret, delivery) =>
    secret.startsWith(SIGNING)
      ? isSigned(secret, delivery)
      : isSame(textOf(delivery.headers['x-gitlab-token']), secret),
};

/** As Standard Webhooks has it: `v1,` and the signature of id, time and body; there may be several. */
function isSigned(secret: string, { headers, body, now }: Delivery): boolean {
  const [id, timestamp] = [textOf(headers['webhook-id']), textOf(headers['webhook-timestamp'])];
  const age = Math.abs(now / 1000 - Number(timestamp));
  if (id === '' || !/^\d{1,12}$/.test(timestamp) || age > TOLERANCE) return false;
  const key = Buffer.from(secret.slice(SIGNING.length), 'base64');
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64');
  const given = textOf(headers['webhook-signature']).split(' ').slice(0, 10);
  return given.map((each) => isSame(each, `v1,${expected}`)).includes(true);
}

const textOf = (value: string | string[] | undefined) => (typeof value === 'string' ? value : '');
const hexOf = (secret: string, body: Buffer) => createHmac('sha256', secret).update(body).digest('hex');

/** In the same time wherever they differ, and however long they are. */
const isSame = (one: string, other: string) => timingSafeEqual(digestOf(one), digestOf(other));
const digestOf = (text: string) => createHash('sha256').update(text).digest();
